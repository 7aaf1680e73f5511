"""One generator that carries tones from any pitch to any other, with a classifier that learns beside the critic.

Choi et al., "StarGAN", 2018; that the generator is told both domains is from Kaneko et al., "StarGAN-VC2", 2019.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field

from wganx import Baseline, Batch, Config, Formats, Game, Helper, Networks, Scenario, Task, hookimpl

if TYPE_CHECKING:
    import torch
    from torch import Tensor

WGANX_API = 1
WGANX_EXTENDS = ("tones",)


class DomainsConfig(Config):
    """Weights of the classifier's and the cycle's losses."""

    domain: float = Field(1.0, ge=0)
    cycle: float = Field(5.0, ge=0)
    width: int = Field(32, ge=1, description="of the classifier")


class Domains(Game):
    """The sound of one item in the pitch of another; `real` is the other, so the target is its own label."""

    def __init__(self, config: DomainsConfig, formats: Formats) -> None:
        from wganx_tones.domain_networks import classifier

        self.config = config
        self.sample = replace(formats.need("sample", "task.name=domains"), value_range=(-1.0, 1.0), signal={})
        pitch = formats.need("pitch", "task.name=domains")
        self.context = {"source": self.sample, "origin": pitch, "pitch": pitch}
        self.helpers = {
            "classifier": Helper(classifier(self.sample.size, config.width, len(pitch.classes)), learns_with="critic")
        }

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        sound = items["sample"].float() / 32768
        given = {"source": sound.roll(1, 0), "origin": items["pitch"].roll(1, 0), "pitch": items["pitch"]}
        return Batch(sound, context=given)

    def critic_losses(self, networks: Networks, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        from torch.nn import functional as F

        told = networks.helpers["classifier"](batch.real)
        return {"domain": self.config.domain * F.cross_entropy(told, batch.context["pitch"])}

    def generator_losses(self, networks: Networks, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        from torch.nn import functional as F

        context = batch.context
        back = networks.generator(source=fake, origin=context["pitch"], pitch=context["origin"])
        return {
            "domain": self.config.domain * F.cross_entropy(networks.helpers["classifier"](fake), context["pitch"]),
            "cycle": self.config.cycle * F.l1_loss(back, context["source"]),
        }

    def baselines(self) -> Mapping[str, Baseline]:
        return {"unconverted": lambda batch, rng: batch.context["source"]}


@hookimpl
def wganx_tasks() -> Iterable[Task]:
    return [Task(name="domains", modality="tone", summary="any pitch to any", config=DomainsConfig, build=Domains)]


@hookimpl
def wganx_architectures() -> Iterable[object]:
    from wganx import Architecture

    return [
        Architecture(
            name="translator",
            modality="tone",
            role="generator",
            summary="a tone, its pitch and the pitch wanted",
            build="wganx_tones.domain_networks:Translator",
        )
    ]


@hookimpl
def wganx_scenarios() -> Iterable[Scenario]:
    config: Mapping[str, object] = {
        "dataset": {"name": "sines", "length": 128},
        "task": {"name": "domains"},
        "generator": {"name": "translator", "noise": 0},
        "critic": {"name": "small"},
        "optimizer": {"lr": 2e-3, "betas": [0.5, 0.9]},
        "train": {"steps": 20, "batch_size": 32, "critic_steps": 1, "ema": 0.9},
        "log": {"every": 5},
        "preview": {"every": 10, "count": 6},
        "checkpoint": {"every": 10},
        "evaluate": {"n": 32},
    }
    return [Scenario(name="domains", modality="tone", summary="any pitch to any, in seconds", config=config)]
