"""The progressive generator of facebookresearch/pytorch_GAN_zoo, as its checkpoints want it.

Karras et al. 2018, "Progressive growing of GANs", with what is that project's own: He's constant scales a layer's
output with its bias, the format layer's output is normalised too, and nothing bounds the picture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wganx import BuildContext, ConfigError, DataError, Pretrained, SampleFormat
from wganx_image.configs.networks import GanZooGeneratorConfig
from wganx_image.networks.bounded import cut_off
from wganx_image.networks.sizes import noise_length, picture_size

_UNBOUNDED = (None, "WGANGP", "MSE")
"""Objectives of that project under which its generator ends without an activation."""


class _Scaled(nn.Module):
    """A layer whose output, bias included, is multiplied by He's constant: weights are drawn from N(0, 1)."""

    def __init__(self, layer: nn.Linear | nn.Conv2d, equalised: bool) -> None:
        super().__init__()
        self.layer = layer
        self.gain = math.sqrt(2 / layer.weight[0].numel()) if equalised else 1.0
        assert layer.bias is not None
        nn.init.zeros_(layer.bias)
        if equalised:
            nn.init.normal_(layer.weight)

    def forward(self, x: Tensor) -> Tensor:
        scaled: Tensor = self.layer(x) * self.gain
        return scaled


def _normalised(x: Tensor) -> Tensor:
    """Every pixel's channels divided by their root mean square."""
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


class Generator(nn.Module):
    """Noise, normalised, to 4 x 4 px, then doubled by repeating pixels before two convolutions each.

    Pictures are cut to [-1, 1], through which gradients pass as if they were not cut, so that a pixel that was cut
    can still be learnt from.

    Shapes:
        ``noise (N, noise)``, ``(N,)`` each label in `labels` -> ``(N, C, 4 * 2**k, 4 * 2**k)`` for k + 1 `widths`.
    """

    def __init__(self, config: GanZooGeneratorConfig, context: BuildContext) -> None:
        super().__init__()
        size = 4 * 2 ** (len(config.widths) - 1)
        channels, _ = picture_size(context, "gan-zoo generator", (size,))
        if set(config.labels) != set(context.inputs):
            given, wanted = (", ".join(names) or "none" for names in (context.inputs, config.labels))
            raise ConfigError(
                f"the gan-zoo generator was made for labels {wanted}, and this task gives it {given}; "
                "let task.labels and the dataset's labels be the same"
            )
        self.labels = {name: len(context.inputs[name].classes) for name in config.labels}
        self.leak, self.fade = config.leak, config.fade
        first = config.widths[0]

        def convolution(c_in: int, c_out: int, kernel: int) -> _Scaled:
            return _Scaled(nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2), config.equalised)

        length = noise_length(context, "gan-zoo generator") + sum(self.labels.values())
        self.start = _Scaled(nn.Linear(length, first * 16), config.equalised)
        self.first = convolution(first, first, 3)
        self.doublings = nn.ModuleList(
            nn.ModuleList([convolution(c_in, c_out, 3), convolution(c_out, c_out, 3)])
            for c_in, c_out in pairwise(config.widths)
        )
        self.to_picture = convolution(config.widths[-1], channels, 1)
        self.before = convolution(config.widths[-2], channels, 1) if config.fade else None

    def forward(self, noise: Tensor, **labels: Tensor) -> Tensor:
        chosen = [F.one_hot(labels[name], count).to(noise.dtype) for name, count in self.labels.items()]
        x = self._rectified(self.start(_normalised(torch.cat([noise, *chosen], dim=1))))
        x = x.reshape(x.shape[0], -1, 4, 4)
        x = self._filtered(self.first, _normalised(x))
        faded = None
        for number, pair in enumerate(self.doublings, start=1):
            if self.before is not None and number == len(self.doublings):
                faded = F.interpolate(self.before(x), scale_factor=2.0)
            x = F.interpolate(x, scale_factor=2.0)
            for layer in cast("nn.ModuleList", pair):
                x = self._filtered(layer, x)
        picture = self.to_picture(x)
        if faded is not None:
            picture = torch.lerp(picture, faded, self.fade)
        return cut_off(picture)

    def _rectified(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, self.leak)

    def _filtered(self, layer: nn.Module, x: Tensor) -> Tensor:
        return _normalised(self._rectified(layer(x)))


def read(content: Mapping[str, Any], path: Path) -> Pretrained | None:
    """The averaged generator of a checkpoint; None where it is no checkpoint of that project.

    Its settings are taken from the checkpoint where it has them, sizes from the tensors.

    Raises:
        DataError: it is one, of another kind than the progressive generator, or tensors are missing.
    """
    if not {"config", "netG"} <= content.keys():
        return None
    stored = content.get("avgG") or content["netG"]
    if not isinstance(stored, Mapping):
        raise DataError(f"{path}: its avgG holds no tensors by name")
    tensors = {_plain(key): value for key, value in stored.items()}
    settings = dict(content["config"]) if isinstance(content["config"], Mapping) else vars(content["config"])
    if "formatLayer.weight" not in tensors:
        raise DataError(
            f"{path} is a checkpoint of pytorch_GAN_zoo, and not of its progressive generator: it has no formatLayer"
        )
    if (criterion := settings.get("lossCriterion")) not in _UNBOUNDED:
        raise DataError(f"{path} was trained under {criterion}, and only WGANGP and MSE leave a picture as it is")
    return _as_ours(tensors, settings, path)


def _as_ours(tensors: Mapping[str, Tensor], settings: Mapping[str, Any], path: Path) -> Pretrained:
    doublings = len({key.split(".")[1] for key in tensors if key.startswith("scaleLayers.")})
    fade = float(settings.get("alpha") or 0.0) if doublings else 0.0
    layers = {"start": "formatLayer", "first": "groupScale0.0", "to_picture": f"toRGBLayers.{doublings}"}
    layers |= {
        f"doublings.{stage}.{half}": f"scaleLayers.{stage}.{half}" for stage in range(doublings) for half in (0, 1)
    }
    if fade:
        layers["before"] = f"toRGBLayers.{doublings - 1}"
    weights = {}
    for ours, theirs in layers.items():
        for kind in ("weight", "bias"):
            if not isinstance(found := tensors.get(f"{theirs}.{kind}"), Tensor):
                raise DataError(f"{path} lacks {theirs}.{kind} of the progressive generator at {4 * 2**doublings} px")
            weights[f"{ours}.layer.{kind}"] = found
    widths = [len(weights["first.layer.bias"])]
    widths += [len(weights[f"doublings.{stage}.0.layer.bias"]) for stage in range(doublings)]
    labels = _labels(settings)
    size, length = 4 * 2**doublings, weights["start.layer.weight"].shape[1]
    return Pretrained(
        generator="gan-zoo",
        options={
            "widths": widths,
            "leak": float(settings.get("leakyReluLeak", 0.2)),
            "equalised": bool(settings.get("equalizedlR", True)),
            "fade": fade,
            "labels": list(labels),
        },
        weights=weights,
        sample=SampleFormat(
            axes=("channel", "height", "width"),
            shape=(len(weights["to_picture.layer.bias"]), size, size),
            value_range=(-1.0, 1.0),
        ),
        noise=(length - sum(len(format.classes) for format in labels.values()),),
        context=labels,
    )


def _plain(key: str) -> str:
    """A name without what parallel training and later versions of that project put into it."""
    return key.removeprefix("module.").replace(".module.", ".")


def _labels(settings: Mapping[str, Any]) -> dict[str, SampleFormat]:
    """The labels a generator is given, in the order in which they join the noise."""
    stored: Mapping[str, Any] = settings.get("attribKeysOrder") or {}
    ordered = sorted(stored, key=lambda name: int(stored[name]["order"]))
    return {name: SampleFormat.label(tuple(map(str, stored[name]["values"]))) for name in ordered}
