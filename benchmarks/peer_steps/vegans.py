"""vegans: models with a `fit`, whose loop calls a handful of methods."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import torch
from handwritten import CRITIC_STEPS, WEIGHT
from torch import Tensor
from trainings import Setup
from vegans.models.unconditional.WassersteinGANGP import WassersteinGANGP

from peer_steps.peer import Peer, adam


class Vegans(Peer):
    package = "vegans 0.4.0"
    timed = (
        "the body of the loop in `WassersteinGANGP.fit` (`sample`, `calculate_losses`, `_zero_grad`, `_backward`, "
        "`_step`), five times for the critic and once for the generator; the shared networks as they are"
    )

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.model = WassersteinGANGP(
            self.generator, self.critic, x_dim=setup.network.sample, z_dim=self.noise, optim=adam, lmbda_grad=WEIGHT,
            device=setup.device.type, folder=None, secure=False,
        )  # fmt: skip
        self.model.train()

    def cycle(self, reals: list[Tensor]) -> None:
        for real in reals:
            noise = self.model.sample(n=len(real))
            self._update("Adversary", real, noise)
        self._update("Generator", real, noise)

    def _update(self, who: str, real: Tensor, noise: Tensor) -> None:
        self.model._losses = self.model.calculate_losses(X_batch=real, Z_batch=noise, who=who)
        self.model._zero_grad(who=who)
        self.model._backward(who=who)
        self.model._step(who=who)

    def penalty(self, points: Tensor) -> float:
        return float(self.model.lmbda_grad * self.model._gradient_penalty(points, points.clone()))

    def train_by_itself(self, folder: Path) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            self.model.fit(torch.cat(self.setup.reals()), epochs=1, batch_size=self.setup.batch)

    def remarks(self) -> list[str]:
        asked = {"Generator": 1, "Adversary": CRITIC_STEPS}
        made = self.model._create_steps(dict(asked))
        if made == asked:
            return []
        return [
            f"asked to train by the steps {asked}, `fit` makes them {made}; the cycle here is of {CRITIC_STEPS} + 1"
        ]
