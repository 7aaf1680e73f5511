"""Differentiable augmentation: what it does to pictures, and that the critic alone sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from wganx_image.tasks.augmentation import augmented
from wganx_image.tasks.generate import Generate

import wganx
from wganx.engine.steps.updates import Steps

ALL = ("colour", "translation", "cutout")
SMALL: dict[str, Any] = {
    "train.steps": 4, "train.batch_size": 16, "preview.every": 4, "preview.count": 4, "preview.walk": 0,
    "checkpoint.every": 2, "generator.width": 4, "critic.width": 4, "generator.hidden": 8, "critic.hidden": 8,
}  # fmt: skip


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int = 64, channels: int = 3, size: int = 16) -> Tensor:
    return torch.rand(count, channels, size, size, generator=rng(7)) * 2 - 1


@pytest.mark.parametrize(("names", "probability"), [(ALL, 0.0), ((), 1.0)])
def test_off_is_the_same_tensor_and_draws_nothing(names: tuple[Any, ...], probability: float) -> None:
    x, draws = pictures(), rng()
    before = draws.get_state()
    assert augmented(x, names, probability, draws) is x
    assert torch.equal(draws.get_state(), before)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("name", ALL)
def test_a_probability_of_0_that_changes_gives_the_same_bits(name: Any, channels: int) -> None:
    x = pictures(channels=channels).requires_grad_(True)
    shown = augmented(x, (name,), torch.zeros(()), rng())
    assert torch.equal(shown, x)
    (gradient,) = torch.autograd.grad(shown.square().sum(), x)
    assert torch.equal(gradient, 2 * x)


@pytest.mark.parametrize("name", ALL)
def test_a_probability_that_changes_is_read_when_it_is_used(name: Any) -> None:
    probability = torch.tensor(0.3)
    assert torch.equal(augmented(pictures(), (name,), probability, rng()), augmented(pictures(), (name,), 0.3, rng()))
    probability.fill_(0.9)
    assert torch.equal(augmented(pictures(), (name,), probability, rng()), augmented(pictures(), (name,), 0.9, rng()))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("probability", [1.0, torch.tensor(0.5)])
def test_pictures_keep_their_type(dtype: torch.dtype, probability: Any) -> None:
    """Under autocast and in float64 too, wherever the probability is kept."""
    shown = augmented(pictures().to(dtype), ALL, probability, rng())
    assert shown.dtype == dtype
    assert shown.isfinite().all()


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 4, 12), (3, 5, 3)])
@pytest.mark.parametrize("name", ALL)
def test_grey_flat_and_small_pictures_keep_their_shape(name: Any, shape: tuple[int, ...]) -> None:
    x = torch.rand(32, *shape, generator=rng(3)) * 2 - 1
    shown = augmented(x, (name,), 1.0, rng())
    assert shown.shape == x.shape
    if name == "colour":  # a grey picture has no saturation, but it has brightness and contrast
        assert (shown != x).flatten(1).any(dim=1).all()


@pytest.mark.parametrize("name", ALL)
def test_gradients_pass(name: Any) -> None:
    x = pictures().requires_grad_(True)
    (gradient,) = torch.autograd.grad(augmented(x, (name,), 1.0, rng()).square().sum(), x)
    assert torch.isfinite(gradient).all()
    assert (gradient != 0).flatten(1).any(dim=1).all()


@pytest.mark.parametrize("name", ALL)
def test_the_probability_is_the_share_that_is_changed(name: Any) -> None:
    x = pictures(2000, 1, 8)
    changed = (augmented(x, (name,), 0.3, rng()) != x).flatten(1).any(dim=1).float().mean().item()
    # A move by nothing, one of nine, leaves a picture as it is.
    assert abs(changed - 0.3 * (8 / 9 if name == "translation" else 1)) < 0.05


def test_a_translation_moves_and_the_edge_is_repeated() -> None:
    x = torch.zeros(500, 1, 16, 16)
    x[:, :, 8, 8] = 1.0
    moved = augmented(x, ("translation",), 1.0, rng())
    assert (moved.flatten(1).sum(dim=1) == 1).all()
    offsets = (moved[:, 0].nonzero()[:, 1:] - 8).flatten().tolist()
    assert set(offsets) == {-2, -1, 0, 1, 2}
    edge = torch.zeros(200, 1, 16, 16)
    edge[..., :1] = 1.0
    lit = augmented(edge, ("translation",), 1.0, rng())
    widths = lit.sum(dim=3)
    assert (widths == widths[:, :, :1]).all()
    assert set(widths.flatten().tolist()) == {0.0, 1.0, 2.0, 3.0}


def test_a_cutout_takes_at_most_a_quarter() -> None:
    x = torch.ones(300, 2, 16, 16)
    gone = (augmented(x, ("cutout",), 1.0, rng()) == 0).float().mean(dim=(1, 2, 3))
    assert gone.max() <= 0.25
    assert gone.min() > 0


def test_a_colour_change_keeps_where_things_are() -> None:
    x = pictures(50, 1)
    changed = augmented(x, ("colour",), 1.0, rng())
    order = x.flatten(1).argsort(dim=1)
    assert (changed.flatten(1).gather(1, order).diff(dim=1) >= -1e-6).all()


class Seeing(nn.Module):
    """A critic that keeps the batches it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(2, 1)
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x.detach())
        found: Tensor = self.body(x).squeeze(1)
        return found


@pytest.mark.parametrize("loss", ["critic_loss", "_generator_loss"])
def test_real_made_and_the_points_between_are_changed_alike(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    critic, plain, seen = Seeing(), getattr(Steps, loss), []

    def watched(*arguments: Any) -> Any:
        critic.seen.clear()
        found = plain(*arguments)
        seen.extend(critic.seen)
        return found

    def far_away(samples: Tensor, draws: torch.Generator, strength: Tensor) -> Tensor:
        return samples + 100 * strength

    monkeypatch.setattr(Steps, loss, watched)
    trainer = wganx.Trainer(
        nn.Linear(2, 2), critic, noise=(2,), critic_steps=1, augment=far_away, capture="off", device="cpu"
    )
    trainer.fit([torch.randn(8, 2) for _ in range(3)], steps=1, progress=False)
    assert sum(map(len, seen)) >= (24 if loss == "critic_loss" else 8)  # real, made, between
    assert min(batch.min().item() for batch in seen) > 80


def weights(run: Any, step: int = 4) -> dict[str, Tensor]:
    return load_file(run.folder.checkpoints / f"step-{step:06d}" / "weights.safetensors")


def test_a_probability_of_0_trains_the_same_bits_and_a_resumed_run_too(tmp_path: Path) -> None:
    def train(name: str, **more: Any) -> Any:
        overrides = {**SMALL, **{f"task.{key}": value for key, value in more.items()}}
        return wganx.train("image", "digits", out=tmp_path / name, overrides=overrides, progress=False, device="cpu")

    plain, off = train("plain", augment=[]), train("off", augment=list(ALL), augment_probability=0.0)
    on = train("on", augment=list(ALL), augment_probability=0.5)
    for name, tensor in weights(plain).items():
        assert torch.equal(tensor, weights(off)[name]), name
    whole = weights(on)
    assert not all(torch.equal(tensor, whole[name]) for name, tensor in weights(plain).items())
    resumed = wganx.resume(on.folder.path, from_step=2, progress=False)
    for name, tensor in whole.items():
        assert torch.equal(tensor, weights(resumed)[name]), name


ADAPTIVE = {"augment": list(ALL), "augment_probability": "adaptive"}


def test_an_adaptive_run_is_told_and_resumes_the_same_bits(tmp_path: Path) -> None:
    # So few steps that the critic is still young: any excess on what it learns from moves the probability.
    overrides = {**SMALL, "train.steps": 24, "train.critic_steps": 4, "log.every": 8, "checkpoint.every": 12}
    overrides |= {f"task.{key}": value for key, value in ADAPTIVE.items()}
    run = wganx.train("image", "digits", out=tmp_path / "run", overrides=overrides, progress=False, device="cpu")
    logged = [json.loads(line) for line in run.folder.metrics.read_text().splitlines()]
    assert all("augment_strength" in line and "augment_overfit" in line for line in logged if "w1_raw" in line)
    step = run.folder.checkpoints / "step-000024"
    whole = {**weights(run, 24), **load_file(step / "training.safetensors")}
    assert "augmentation/strength" in whole
    wganx.resume(run.folder.path, from_step=12, progress=False)
    resumed = {**weights(run, 24), **load_file(step / "training.safetensors")}
    for name, tensor in whole.items():
        assert torch.equal(tensor, resumed[name]), name


def test_samples_previews_and_scores_never_see_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Public complaint: the real pictures that a score was taken against had been cut as the critic's were."""
    overrides = {**SMALL, **{f"task.{key}": value for key, value in ADAPTIVE.items()}}
    run = wganx.train("image", "digits", out=tmp_path / "run", overrides=overrides, progress=False, device="cpu")

    def never(*_: Any) -> Tensor:
        raise AssertionError("changed outside of training")

    monkeypatch.setattr(Generate, "augment", never)
    loaded = wganx.load_run(run.folder.path)
    assert loaded.sample(4).shape[0] == 4
    assert loaded.evaluate(n=8, repeats=1, metrics=["sliced-w1"]).failures == {}


def test_adaptive_without_a_change_is_refused() -> None:
    options = {"task.augment": [], "task.augment_probability": "adaptive"}
    with pytest.raises(wganx.ConfigError, match=r"adaptive says how often, and augment names no change: add task\.aug"):
        wganx.train("image", "digits", overrides=options, progress=False)
