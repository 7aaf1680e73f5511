"""Files with random weights in the layouts of other projects, and what those projects compute from them."""

from __future__ import annotations

import math
import sys
import types
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

Layer = dict[str, Tensor]
State = dict[str, Tensor]


def layer(rng: torch.Generator, c_out: int, c_in: int, *kernel: int) -> Layer:
    return {
        "weight": torch.randn(c_out, c_in, *kernel, generator=rng),
        "bias": torch.randn(c_out, generator=rng),
    }


@pytest.fixture
def base_config(monkeypatch: pytest.MonkeyPatch) -> type[Any]:
    """The class that pytorch_GAN_zoo pickles beside its weights; gone again when a file of it is read."""
    config = type("BaseConfig", (), {"__module__": "models.utils.config"})
    for name in ("models", "models.utils", "models.utils.config"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    sys.modules["models.utils.config"].BaseConfig = config  # type: ignore[attr-defined]
    return config


@pytest.fixture
def gan_zoo_file(tmp_path: Path, base_config: type[Any]) -> Callable[..., tuple[Path, State]]:
    """``gan_zoo_file(widths, noise, infix=".module", prefix="", legacy=False, **settings)``: the file and its avgG."""

    def make(
        widths: tuple[int, ...] = (8, 6, 4),
        noise: int = 5,
        *,
        infix: str = ".module",
        prefix: str = "",
        legacy: bool = False,
        **settings: Any,
    ) -> tuple[Path, State]:
        rng = torch.Generator().manual_seed(3)
        extra = sum(len(each["values"]) for each in (settings.get("attribKeysOrder") or {}).values())
        layers = {"formatLayer": layer(rng, widths[0] * 16, noise + extra)}
        layers["groupScale0.0"] = layer(rng, widths[0], widths[0], 3, 3)
        for scale, (c_in, c_out) in enumerate(pairwise(widths)):
            layers[f"scaleLayers.{scale}.0"] = layer(rng, c_out, c_in, 3, 3)
            layers[f"scaleLayers.{scale}.1"] = layer(rng, c_out, c_out, 3, 3)
        for scale, width in enumerate(widths):
            layers[f"toRGBLayers.{scale}"] = layer(rng, 3, width, 1, 1)
        stored = {
            f"{prefix}{name}{infix}.{kind}": value for name, each in layers.items() for kind, value in each.items()
        }
        config = base_config()
        vars(config).update({"alpha": 0.0, "leakyReluLeak": 0.2, "equalizedlR": True, "lossCriterion": "WGANGP"})
        vars(config).update(settings)
        other = {name: value + 1 for name, value in stored.items()}
        path = tmp_path / "faces.pth"
        content = {"config": config, "netG": other, "netD": {}, "avgG": stored}
        torch.save(content, path, _use_new_zipfile_serialization=not legacy)
        for name in ("models", "models.utils", "models.utils.config"):
            sys.modules.pop(name)
        return path, {f"{name}.{kind}": value for name, each in layers.items() for kind, value in each.items()}

    return make


def gan_zoo_forward(state: State, z: Tensor, *, alpha: float = 0.0, leak: float = 0.2) -> Tensor:
    """What that project computes, written from its formulas, without modules."""

    def act(x: Tensor) -> Tensor:
        return F.leaky_relu(x, leak)

    def norm(x: Tensor) -> Tensor:
        return x / torch.sqrt((x**2).mean(1, keepdim=True) + 1e-8)

    def conv(x: Tensor, name: str, padding: int) -> Tensor:
        weight = state[f"{name}.weight"]
        gain = math.sqrt(2 / (weight.shape[1] * weight.shape[2] * weight.shape[3]))
        return F.conv2d(x, weight, state[f"{name}.bias"], padding=padding) * gain

    def twice(x: Tensor) -> Tensor:
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3)

    weight = state["formatLayer.weight"]
    x = act((norm(z) @ weight.T + state["formatLayer.bias"]) * (2 / weight.shape[1]) ** 0.5)
    x = norm(x.reshape(len(z), -1, 4, 4))
    x = norm(act(conv(x, "groupScale0.0", 1)))
    scales = len([name for name in state if name.startswith("toRGBLayers") and name.endswith("bias")]) - 1
    before = x
    for scale in range(scales):
        before = x
        x = twice(x)
        for half in (0, 1):
            x = norm(act(conv(x, f"scaleLayers.{scale}.{half}", 1)))
    picture = conv(x, f"toRGBLayers.{scales}", 0)
    if alpha:
        picture = alpha * twice(conv(before, f"toRGBLayers.{scales - 1}", 0)) + (1 - alpha) * picture
    return picture.clamp(-1, 1)


@pytest.fixture
def mimicry_file(tmp_path: Path) -> Callable[..., tuple[Path, State]]:
    """``mimicry_file(size, width, legacy=False, whole=True)``: a checkpoint of its generator, and its state dict."""

    def make(size: int = 32, width: int = 16, *, legacy: bool = False, whole: bool = True) -> tuple[Path, State]:
        rng = torch.Generator().manual_seed(4)
        side, widths = size // 8, [width >> (block if size == 48 else 0) for block in range(4)]
        layers = {"l1": layer(rng, side * side * width, 7)}
        for number, (c_in, c_out) in enumerate(pairwise(widths), start=2):
            layers[f"block{number}.c1"] = layer(rng, c_out, c_in, 3, 3)
            layers[f"block{number}.c2"] = layer(rng, c_out, c_out, 3, 3)
            layers[f"block{number}.c_sc"] = layer(rng, c_out, c_in, 1, 1)
            layers |= {f"block{number}.b1": statistics(rng, c_in), f"block{number}.b2": statistics(rng, c_out)}
        layers |= {"b5": statistics(rng, widths[-1]), "c5": layer(rng, 3, widths[-1], 3, 3)}
        # Small enough for tanh not to be one of two values everywhere.
        state = {
            f"{name}.{kind}": value * (0.05 if kind == "weight" and value.ndim > 1 else 1)
            for name, each in layers.items()
            for kind, value in each.items()
        }
        path = tmp_path / "netG_100000_steps.pth"
        content: Any = {"model_state_dict": state, "optimizer_state_dict": None, "global_step": 100000}
        torch.save(content if whole else state, path, _use_new_zipfile_serialization=not legacy)
        return path, state

    return make


def statistics(rng: torch.Generator, channels: int) -> Layer:
    return {
        "weight": torch.randn(channels, generator=rng),
        "bias": torch.randn(channels, generator=rng),
        "running_mean": torch.randn(channels, generator=rng),
        "running_var": torch.rand(channels, generator=rng) + 0.5,
        "num_batches_tracked": torch.tensor(3),
    }


def mimicry_forward(state: State, z: Tensor, side: int) -> Tensor:
    """What that project computes."""

    def norm(x: Tensor, name: str) -> Tensor:
        mean, var = state[f"{name}.running_mean"], state[f"{name}.running_var"]
        scaled = (x - mean.view(1, -1, 1, 1)) / (var.view(1, -1, 1, 1) + 1e-5).sqrt()
        return scaled * state[f"{name}.weight"].view(1, -1, 1, 1) + state[f"{name}.bias"].view(1, -1, 1, 1)

    def conv(x: Tensor, name: str, padding: int = 1) -> Tensor:
        return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], padding=padding)

    def twice(x: Tensor) -> Tensor:
        return F.interpolate(x, size=[2 * x.shape[2]] * 2, mode="bilinear")

    x = (z @ state["l1.weight"].T + state["l1.bias"]).reshape(len(z), -1, side, side)
    for name in ("block2", "block3", "block4"):
        h = conv(twice(norm(x, f"{name}.b1").relu()), f"{name}.c1")
        x = conv(norm(h, f"{name}.b2").relu(), f"{name}.c2") + conv(twice(x), f"{name}.c_sc", 0)
    return conv(norm(x, "b5").relu(), "c5").tanh()


@pytest.fixture
def forwards() -> dict[str, Callable[..., Tensor]]:
    """The computations of both projects by the name of their layout."""
    return {"gan-zoo": gan_zoo_forward, "mimicry": mimicry_forward}
