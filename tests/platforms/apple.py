"""``python apple.py FOLDER``: trainings on the device of `accelerator`, which wganx is told to take for Apple's GPU."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import accelerator
import pytest
import torch
from torch import nn

import wganx
import wganx.devices
import wganx.engine.device
from wganx.devices import forked_streams, wide
from wganx.engine import Observer, choose_device
from wganx.errors import UsageError
from wganx.wasserstein import lipschitz_estimate

PICTURES = [torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1]


def networks() -> tuple[nn.Module, nn.Module]:
    with forked_streams(torch.device("cpu")):
        torch.manual_seed(1)
        generator = nn.Sequential(
            nn.Linear(8, 64), nn.Unflatten(1, (4, 4, 4)), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2),
            nn.ConvTranspose2d(4, 1, 4, 2, 1), nn.Tanh(),
        )  # fmt: skip
        critic = nn.Sequential(
            nn.Conv2d(1, 4, 4, 2, 1), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Flatten(), nn.Linear(64, 1), nn.Flatten(0)
        )
    return generator, critic


def trainer(device: Any, **settings: Any) -> wganx.Trainer:
    return wganx.Trainer(*networks(), noise=(8,), device=device, critic_steps=2, seed=3, **settings)


def drawn(one: wganx.Trainer) -> torch.Tensor:
    return one.sample(4).cpu()


def trains_as_on_the_cpu(device: torch.device, folder: Path) -> None:
    """Both derivatives, the average, batch norms and noise; and a training goes on as if it had not been left."""
    whole = trainer(device)
    whole.fit(PICTURES, steps=3, progress=False)
    assert {tensor.device.type for tensor in whole.training.tensors()} == {accelerator.NAME}
    assert all(tensor.is_contiguous() for tensor in whole.training.tensors()), "channels last are wrong on Apple's GPU"
    for player in (whole.training.steps.generator, whole.training.steps.critic):
        steps = [state["step"] for state in player.optimizer.state.values()]
        assert {step.device.type for step in steps} == {accelerator.NAME}
    begun = trainer(device)
    begun.fit(PICTURES, steps=1, progress=False)
    begun.save(folder / "begun")
    torch.rand(5, device=device)  # the caller's own draws move nothing
    again = wganx.Trainer.load(folder / "begun", *networks(), device=device)
    again.fit(PICTURES, steps=2, progress=False)
    assert torch.equal(drawn(whole), drawn(again)), "a resumed training took another course"
    on_cpu = wganx.Trainer.load(folder / "begun", *networks(), device="cpu")
    assert torch.equal(drawn(begun), drawn(on_cpu)), "the same weights make other samples on the CPU"


def looks_without_float64(device: torch.device) -> None:
    """Health checks are handed samples that lie on the CPU."""
    seen: list[str] = []

    class Look(Observer):
        def found(self, finding: Any) -> None:
            seen.append(str(finding))

    def inspect(vitals: Any) -> str:
        return f"mean {vitals.fake.double().mean():.3f} and {vitals.real.double().mean():.3f}"

    check = wganx.HealthCheck(name="float64", summary="", code="WX900", mend="none", inspect=inspect, patience=1)
    trainer(device).fit(PICTURES, steps=1, progress=False, observers=[Look()], checks=[check])
    assert any("WX900 mean" in finding for finding in seen), seen


def measures(device: torch.device) -> None:
    """What is asked of samples there is answered, and as on the CPU."""
    draws = torch.Generator().manual_seed(0)
    x, y = torch.randn(64, 3, generator=draws), torch.randn(64, 3, generator=draws) + 1
    moved = x.to(device), y.to(device)
    assert wide(moved[0]).dtype == torch.float64
    for measure in (wganx.sliced_w1, lambda a, b: wganx.sinkhorn_divergence(a, b, epsilon=0.5)):
        assert float(measure(*moved)) == float(measure(x, y))
    critic = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))
    expected = lipschitz_estimate(critic, x, y)
    found = lipschitz_estimate(critic.to(device), *moved)
    assert abs(found.pairs - expected.pairs) < 1e-6
    assert found.layers == expected.layers
    there, here = (wganx.estimate_w1(x, y, steps=1, width=8, device=place) for place in (device, "cpu"))
    assert there.value == here.value


def keeps_what_is_not_finite_from_the_weights(device: torch.device) -> None:
    """The fused step there does not look at `found_inf`."""
    one = trainer(device)
    weights = [tensor.detach().cpu().clone() for tensor in one.training.steps.critic.parameters]
    player = one.training.steps.critic
    loss = sum(parameter.sum() for parameter in player.parameters) * float("nan")
    player.add_gradient(loss)
    player.update(one.ranks)
    assert bool(player.failed)
    assert all(torch.equal(before, now.detach().cpu()) for before, now in zip(weights, player.parameters))


def is_chosen_and_refused(device: torch.device) -> None:
    torch.backends.mps.is_available = lambda: True
    assert choose_device("auto").type == accelerator.NAME
    for asked, said in (
        ({"precision": "tf32"}, "tf32 needs a CUDA device"), ({"precision": "bf16"}, "needs macOS 14 or newer"),
        ({"capture": "graph"}, "graph needs a CUDA device"), ({"capture": "compile"}, "not for Apple's GPU"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=said):
            trainer(device, **asked)
    assert trainer(device).training.precision.name == "fp32"


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    mode = accelerator.register()
    wganx.devices.APPLE = wganx.engine.device.APPLE = accelerator.NAME
    torch.backends.mps.is_macos_or_newer = lambda major, minor: False
    with mode:
        device = torch.device(accelerator.NAME, 0)
        trains_as_on_the_cpu(device, folder)
        looks_without_float64(device)
        measures(device)
        keeps_what_is_not_finite_from_the_weights(device)
        is_chosen_and_refused(device)
    print("all held")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
