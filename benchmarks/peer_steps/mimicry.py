"""torch-mimicry: networks that bring their own `train_step`."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import torch
import torch.utils.tensorboard  # before the stand-in for TensorFlow, which it would take for the real one
from handwritten import WEIGHT
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from trainings import Setup

from peer_steps.peer import Peer, adam, stand_ins

with stand_ins({"tensorflow": {}, "torch._six": {"PY3": True}}):
    from torch_mimicry.nets.wgan_gp.wgan_gp_base import WGANGPBaseDiscriminator, WGANGPBaseGenerator
    from torch_mimicry.training import Trainer
    from torch_mimicry.training.metric_log import MetricLog


class _Generator(WGANGPBaseGenerator):  # type: ignore[misc]
    def __init__(self, module: nn.Module, noise: int) -> None:
        super().__init__(nz=noise, ngf=0, bottom_width=0)
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.module(x)
        return out


class _Critic(WGANGPBaseDiscriminator):  # type: ignore[misc]
    def __init__(self, module: nn.Module) -> None:
        super().__init__(ndf=0, gp_scale=WEIGHT)
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.module(x)
        return out


class Mimicry(Peer):
    package = "torch-mimicry 0.1.16"
    timed = (
        "`WGANGPBaseDiscriminator.train_step` five times and `WGANGPBaseGenerator.train_step` once, in the order of "
        "its `Trainer`; the shared networks inside subclasses whose `forward` only calls them"
    )
    patches = (
        "while it is imported, `tensorflow` is an empty module: its metrics import it, its steps do not use it",
        "while it is imported, `torch._six` is a module with `PY3`: torch removed it, its ImageNet reader imports it",
    )

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.net_g, self.net_d = _Generator(self.generator, self.noise), _Critic(self.critic)
        self.opt_g, self.opt_d = adam(self.net_g.parameters()), adam(self.net_d.parameters())
        self.step = 0

    def cycle(self, reals: list[Tensor]) -> None:
        log = MetricLog()
        common = {"log_data": log, "device": self.setup.device, "global_step": self.step, "scaler": None}
        for real in reals:
            batch = (real, None)  # its steps read no labels
            self.net_d.train_step(real_batch=batch, netG=self.net_g, optD=self.opt_d, **common)
        self.net_g.train_step(real_batch=batch, netD=self.net_d, optG=self.opt_g, **common)
        self.step += 1

    def penalty(self, points: Tensor) -> float:
        found = self.net_d.compute_gradient_penalty_loss(points, points, gp_scale=self.net_d.gp_scale)
        return float(found)

    def train_by_itself(self, folder: Path) -> None:
        reals = torch.cat(self.setup.reals())
        loader = DataLoader(TensorDataset(reals, torch.zeros(len(reals))), batch_size=self.setup.batch)
        trainer = Trainer(
            netD=self.net_d, netG=self.net_g, optD=self.opt_d, optG=self.opt_g, dataloader=loader, num_steps=1,
            n_dis=5, log_dir=str(folder), device=self.setup.device,
        )  # fmt: skip
        with contextlib.redirect_stdout(io.StringIO()):
            trainer.train()
