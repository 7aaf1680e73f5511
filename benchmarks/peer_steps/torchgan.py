"""torchgan: losses that bring their own `train_ops`, called by a trainer."""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path
from typing import Any

import torch
from handwritten import CRITIC_STEPS, WEIGHT
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from torchgan.losses import WassersteinDiscriminatorLoss, WassersteinGeneratorLoss, WassersteinGradientPenalty
from torchgan.models import Discriminator, Generator
from torchgan.trainer import Trainer
from trainings import Setup

from peer_steps.peer import Peer, adam


class _Generator(Generator):  # type: ignore[misc]
    def __init__(self, module: nn.Module, noise: int) -> None:
        super().__init__(encoding_dims=noise)
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.module(x)
        return out


class _Critic(Discriminator):  # type: ignore[misc]
    def __init__(self, module: nn.Module) -> None:
        super().__init__(input_dims=0)
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.module(x)
        return out


class Torchgan(Peer):
    package = "torchgan 0.1.0"
    timed = (
        "`Trainer.train_iter` five times with `WassersteinDiscriminatorLoss`, `WassersteinGradientPenalty` and "
        "`WassersteinGeneratorLoss`, `ncritic=5`, and the counting that `Trainer.train` does around it; the shared "
        "networks inside subclasses whose `forward` only calls them"
    )

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.folder = tempfile.TemporaryDirectory()
        self.trainer = self._trainer(Path(self.folder.name))

    def _trainer(self, folder: Path) -> Any:
        trainer = Trainer(
            {
                "generator": {
                    "name": lambda: _Generator(self.generator, self.noise), "optimizer": {"name": adam},
                },
                "discriminator": {"name": lambda: _Critic(self.critic), "optimizer": {"name": adam}},
            },
            [WassersteinDiscriminatorLoss(), WassersteinGradientPenalty(lambd=WEIGHT), WassersteinGeneratorLoss()],
            device=self.setup.device, ncritic=CRITIC_STEPS, epochs=1, sample_size=8,
            checkpoints=str(folder / "model"), recon=str(folder / "images"),
        )  # fmt: skip
        trainer.batch_size = self.setup.batch
        return trainer

    def cycle(self, reals: list[Tensor]) -> None:
        counted = self.trainer.loss_information
        for real in reals:
            self.trainer.real_inputs = real
            generator_loss, critic_loss, generator_updates, critic_updates = self.trainer.train_iter()
            counted["discriminator_losses"] += critic_loss
            counted["generator_losses"] += generator_loss
            counted["discriminator_iters"] += critic_updates
            counted["generator_iters"] += generator_updates

    def penalty(self, points: Tensor) -> float:
        points = points.clone().requires_grad_(True)
        penalty = self.trainer.losses["WassersteinGradientPenalty"]
        return float(penalty.lambd * penalty(points, self.critic(points)))

    def train_by_itself(self, folder: Path) -> None:
        reals = torch.cat(self.setup.reals())
        loader = DataLoader(TensorDataset(reals, torch.zeros(len(reals))), batch_size=self.setup.batch)
        with contextlib.redirect_stdout(io.StringIO()):
            self._trainer(folder)(loader)
