"""One of several processes that train together; run by test_ranks.py as ``rank.py NUMBER COUNT MEETING OUT``."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch import Tensor, nn

import wganx
from wganx.engine import join
from wganx.engine.ranks import Ranks
from wganx.errors import TrainingDiverged
from wganx.wasserstein import CONSTRAINTS, ByConstruction

STEPS = 20
SHAPE = (3, 8, 8)


class Generator(nn.Module):
    """With the layers whose work depends on the whole batch: batch norm, dropout, noise of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Linear(6, 48)
        self.norm = nn.BatchNorm2d(12)
        self.up = nn.ConvTranspose2d(12, 3, 4, stride=4)

    def forward(self, noise: Tensor, label: Tensor) -> Tensor:
        x = self.norm(self.start(noise).view(-1, 12, 2, 2)) + 0.1 * label[:, None, None, None]
        x = nn.functional.dropout(x.relu(), 0.2, self.training) + 0.01 * torch.randn_like(x)
        made: Tensor = self.up(x).tanh()
        return made


class Critic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Flatten()
        )
        self.head = nn.Linear(8 * 16, 1, bias=False)  # its gradient would be rounding alone

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(x)).squeeze(1)
        return scores


def talk(ranks: Ranks) -> None:
    """What the ranks tell each other, checked by each of them."""
    assert ranks.from_first(lambda: f"from {ranks.number}") == "from 0"
    with pytest.raises(ValueError if ranks.first else TrainingDiverged, match="invalid literal"):
        ranks.from_first(lambda: int("none"))
    assert not ranks.any_soon(ranks.number == 1)  # the answer is that of the call before
    assert ranks.any_soon(False)
    assert not ranks.any_soon(False)
    ranks.settle()
    ranks.check_alike("the weights", [torch.ones(3)])
    with pytest.raises(TrainingDiverged, match=r"^WX060 the weights of process 1 differ from those of process 0"):
        ranks.check_alike("the weights", [torch.full((3,), float(ranks.number))])
    own = torch.full((2,), float(ranks.number))
    ranks.copy_from_first([own])
    assert own.tolist() == [0.0, 0.0]


class PackCritic(Critic):
    """Scores pairs of pictures laid over each other."""

    def __init__(self) -> None:
        super().__init__()
        self.features[0] = nn.Conv2d(6, 8, 4, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(1, 2))


def games() -> dict[str, dict[str, Any]]:
    """What is played beside every constraint: settings of the trainer, in float64."""

    def classify(networks: wganx.Networks, pictures: Tensor, batch: wganx.Batch) -> dict[str, Tensor]:
        scores = networks.helpers["classifier"](pictures)
        return {"class": nn.functional.cross_entropy(scores, batch.context["label"].long())}

    torch.manual_seed(5)
    classifier = nn.Sequential(
        nn.Conv2d(3, 4, 4, stride=4, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2), nn.Flatten(),
        nn.Linear(16, 2),
    )  # fmt: skip
    look = nn.Sequential(nn.Conv2d(3, 2, 4, stride=2), nn.Tanh())
    return {
        # As StarGAN: a classifier learns with the critic what is real, and tells the generator; one more is frozen.
        "helpers": {
            "helpers": {"classifier": wganx.Helper(classifier.double(), "critic"), "look": wganx.Helper(look.double())},
            "critic_losses": lambda networks, fake, batch, step: classify(networks, batch.real, batch),
            "generator_losses": lambda networks, fake, batch, step: {
                **classify(networks, fake, batch), "look": networks.helpers["look"](fake).square().mean()
            },
        },
        "relativistic": {"objective": wganx.Relativistic(), "constraint": wganx.R1R2(1.0)},
        "adaptive augmentation": {
            "augment": lambda samples, rng, strength: (
                samples + strength * torch.rand(len(samples), 1, 1, 1, generator=rng, dtype=samples.dtype)
            ),
            "adapt": wganx.AdaptiveAugmentation(target=0.1, every=2, over=40),
            "heldout": wganx.Batch(
                torch.zeros(12, *SHAPE, dtype=torch.float64), {"label": torch.zeros(12, dtype=torch.float64)}
            ),
            "constraint": wganx.GradientPenalty(0.1),
        },
        "batches of samples": {"critic": None, "critic_steps": 0, "objective": wganx.Sliced(projections=18)},
        "batches of features": {"objective": wganx.Energy(features="critic"), "constraint": wganx.LipschitzPenalty()},
        "packs": {"pack": 2, "critic": PackCritic().double()},
        "batch norm in the critic": {
            "critic": nn.Sequential(
                nn.Conv2d(3, 8, 4, stride=2, bias=False), nn.BatchNorm2d(8), nn.LeakyReLU(0.2), nn.Flatten(),
                nn.Linear(72, 1, bias=False), nn.Flatten(0),
            ).double(),
            "constraint": wganx.NoConstraint(),
        },
    }  # fmt: skip


def train(settings: dict[str, Any], rows: int) -> dict[str, Tensor]:
    torch.manual_seed(0)
    generator, critic = Generator().double(), Critic().double()
    rng = torch.Generator().manual_seed(1)
    batches = [
        wganx.Batch(
            torch.rand(rows, *SHAPE, generator=rng, dtype=torch.float64) * 2 - 1,
            {"label": torch.randint(2, (rows,), generator=rng).double()},
        )
        for _ in range(4)
    ]
    heldout = settings.pop("heldout", None)
    trainer = wganx.Trainer(
        generator, settings.pop("critic", critic), noise=(6,), device="cpu", seed=3,
        critic_steps=settings.pop("critic_steps", 2), optimizer=wganx.Optimizer(lr=1e-3), **settings,
    )  # fmt: skip
    # As in a run, the first rank alone has held-out samples.
    result = trainer.fit(batches, steps=STEPS, log_every=10, heldout=heldout if trainer.ranks.first else None)
    checkpoint = trainer.checkpoint()
    tensors = {f"weights/{key}": value for key, value in checkpoint.weights.items()}
    tensors |= {f"training/{key}": value for key, value in checkpoint.training.items()}
    if trainer.ranks.first:
        for at, scalars in enumerate(result.history):
            tensors |= {f"history/{at}/{key}": torch.tensor(value).double() for key, value in scalars.items()}
    return {key: value.contiguous().clone() for key, value in tensors.items()}


def main(number: int, count: int, meeting: str, out: Path) -> None:
    torch.set_num_threads(1)
    if count > 1:
        dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=number, world_size=count)
        talk(join())
    names = [name for name in CONSTRAINTS if name != ByConstruction.name]
    played: dict[str, dict[str, Any]] = {name: {"constraint": CONSTRAINTS[name]()} for name in names}
    played |= games()
    for name in sys.argv[5:] or sorted(played):
        rows = 10 if "pack" in played[name] else 9
        save_file(train(played[name], rows), out / f"{name}-{number}-of-{count}.safetensors")
    if count > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
