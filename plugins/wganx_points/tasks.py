"""The games played on points: `generate` makes them from noise, `translate` moves a source cloud onto a target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from wganx import Batch, ConfigError, Formats, Game, Networks
from wganx_points.configs import GenerateConfig, TranslateConfig

Baseline = Callable[[Batch, torch.Generator], Tensor]


class Generate(Game):
    """Points from noise; with `labels` the class goes to the generator and to the critic.

    Raises:
        ConfigError: `labels` is set and the dataset names no classes.
    """

    def __init__(self, config: GenerateConfig, formats: Formats) -> None:
        self.sample = formats.need("sample", "task.name=generate")
        if config.labels:
            label = formats.labels.get("label")
            if label is None:
                raise ConfigError(
                    "task.labels=true needs a dataset with classes and this one names none: "
                    "choose dataset.name=ring or grid, or set task.labels=false"
                )
            self.context = self.condition = {"label": label}
            # A colour for each class in the pictures, the same whichever of them are drawn.
            self.sample = replace(self.sample, signal={"classes": len(label.classes)})

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        given = {name: items[name] for name in self.context}
        return Batch(items["sample"], context=given, condition=given)

    def baselines(self) -> Mapping[str, Baseline]:
        return {"gaussian": moment_matched}


class Translate(Game):
    r"""A map of the source cloud onto the target cloud, learned without pairs.

    The generator minimises :math:`W_1(G_\# P, Q) + w\, E\|G(x) - x\|`, the second term being the extra loss
    ``transport_cost``. As :math:`W_1(P, Q) \le W_1(G_\# P, Q) + E\|G(x) - x\|`, any weight :math:`0 < w < 1` leaves the
    target where it is and makes the cheapest map onto it the only minimiser; from 1 on, staying put is as good.
    """

    def __init__(self, config: TranslateConfig, formats: Formats) -> None:
        self.cost_weight = config.cost_weight
        self.sample = formats.need("sample", "task.name=translate")
        if "source" not in formats:
            raise ConfigError(
                "task.name=translate needs items with a source point beside the sample, "
                f"and this dataset has only: {', '.join(formats)}; choose dataset.name=pair"
            )
        self.context = {"source": formats["source"]}

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        return Batch(items["sample"], context={"source": items["source"]})

    def generator_losses(self, networks: Networks, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        moved = torch.linalg.vector_norm(fake - batch.context["source"], dim=1)
        return {"transport_cost": self.cost_weight * moved.mean()}

    def baselines(self) -> Mapping[str, Baseline]:
        return {"copy": copied, "random": shuffled}


def moment_matched(batch: Batch, rng: torch.Generator) -> Tensor:
    """Draws from the Gaussian with the mean and covariance of ``batch.real``."""
    real = batch.real
    centred = real - real.mean(dim=0)
    variances, axes = torch.linalg.eigh(centred.T @ centred / len(real))
    white = torch.randn(real.shape, generator=rng, device=real.device, dtype=real.dtype)
    # A flat cloud has variances of zero, which rounding may take below it.
    drawn: Tensor = real.mean(dim=0) + (white * variances.clamp(min=0).sqrt()) @ axes.T
    return drawn


def copied(batch: Batch, rng: torch.Generator) -> Tensor:
    """The source points where they are: costs nothing and reaches nothing."""
    return batch.context["source"]


def shuffled(batch: Batch, rng: torch.Generator) -> Tensor:
    """The target points in any order: reaches everything at the cost of a random pairing."""
    return batch.real[torch.randperm(len(batch), generator=rng, device=batch.real.device)]
