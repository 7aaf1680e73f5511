"""LPIPS: how far frames lie from their truth for a network that was taught by people's judgement."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wganx import Batch, DataError, ExtractorContext, MetricContext, MissingExtra, SampleFormat, Sides, Unavailable
from wganx_video.configs.judges import LpipsConfig
from wganx_video.judges.pixels import Numbers, together, unit
from wganx_video.judges.weights import digest_of, named_weights, three_channels, weights_file

FILES = {"alexnet-owt-7be5be79.pth": "alex", "vgg16-397923af.pth": "vgg"}
"""As torchvision publishes them; the few linear weights above them come with torchmetrics."""
_LINEAR = re.compile(r"lin\d\.model\.1\.weight")
_SMALLEST = 32
_CHUNK = 64


class Lpips(nn.Module):
    """LPIPS of Zhang et al. 2018, version 0.1, of pairs of clips."""

    weights: Tensor

    def __init__(self, inner: nn.Module, format: SampleFormat, digest: Tensor) -> None:
        super().__init__()
        self.inner, self.format = inner, format
        self.register_buffer("weights", digest)

    def forward(self, clips_NTCHW: Tensor) -> Tensor:
        """What the last layer sees in the frames of each clip, on average: ``(N, d)``."""
        frames = self._frames(clips_NTCHW)
        seen = [_mean(self._net(part)[-1]) for part in torch.split(frames, _CHUNK)]
        return torch.cat(seen).view(*clips_NTCHW.shape[:2], -1).mean(1)

    def pairs(self, pairs_NPTCHW: Tensor) -> Tensor:
        """Distances ``(N, T)`` between the frames of the two clips of each row."""
        made, true = (self._frames(pairs_NPTCHW[:, side]) for side in (0, 1))
        parts = zip(torch.split(made, _CHUNK), torch.split(true, _CHUNK))
        found = [self.inner(a, b, normalize=True).flatten() for a, b in parts]
        return torch.cat(found).view(len(pairs_NPTCHW), -1)

    def _net(self, frames: Tensor) -> Any:
        inner: Any = self.inner
        return inner.net(inner.scaling_layer(2 * frames - 1))

    def _frames(self, clips: Tensor) -> Tensor:
        if min(clips.shape[-2:]) < _SMALLEST:
            raise Unavailable(f"LPIPS sees frames of {_SMALLEST} px and more, and these have {min(clips.shape[-2:])}")
        return three_channels(unit(clips, self.format), "LPIPS").flatten(0, 1)


def lpips(config: LpipsConfig, context: ExtractorContext) -> nn.Module:
    """AlexNet, or VGG-16 where its weights are given, with the linear layers of LPIPS.

    Raises:
        Unavailable: there are no weights.
        MissingExtra: torchmetrics is not installed.
        DataError: the file is not what it should be.
    """
    path = weights_file(config.weights, list(FILES), "lpips")
    try:
        from torchmetrics.functional.image.lpips import _LPIPS
    except ImportError as error:
        raise MissingExtra('LPIPS is built by torchmetrics: pip install "wganx[metrics]"') from error
    held = named_weights(path, "AlexNet or VGG-16", list(FILES))
    backbone = {name.partition(".")[2]: value for name, value in held.items() if name.startswith("features.")}
    whole = _whole(held)
    if not backbone and not whole:
        if any(_LINEAR.fullmatch(name) for name in held):
            raise DataError(
                f"{path} holds the linear layers of LPIPS alone, which torchmetrics brings; give the network below "
                f"them: {' or '.join(FILES)}"
            )
        raise _other_file(path)
    # Five convolutions with their biases, or thirteen; at random until they are read, or else it would download them.
    inner = _LPIPS(net="vgg" if sum("lin" not in name for name in whole or backbone) > 10 else "alex", pnet_rand=True)
    try:
        if whole:
            inner.load_state_dict({name: value for name, value in inner.state_dict().items() if "lin" in name} | whole)
        else:
            inner.net.load_state_dict({name: backbone[name.partition(".")[2]] for name in inner.net.state_dict()})
    except (KeyError, RuntimeError) as error:
        raise _other_file(path) from error
    return Lpips(inner, context.game.sample, digest_of(path)).eval()


def perceptual(sides: Sides, context: MetricContext) -> Numbers:
    """``lpips``: the mean distance of frames to their truth, 0 for the same."""
    found = []
    for made, true in together(sides.candidate.real, sides.truth.real):
        found.append(context.features("lpips#pairs", Batch(torch.stack([made, true], 1))))
    return {"lpips": float(torch.cat(found).double().mean())}


def _whole(held: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state of a whole LPIPS, as the packages lpips and torchmetrics save it; nothing where it is none."""
    first = next((name for name in held if name.endswith("slice1.0.weight")), None)
    if first is None:
        return {}
    before = first.removesuffix("slice1.0.weight").removesuffix("net.")
    found = {name.removeprefix(before): value for name, value in held.items() if name.startswith(before)}
    # The linear layers stand in it twice, by their own names and in a list; files of some versions lack the list.
    return {name: value for name, value in found.items() if name.startswith("net.") or _LINEAR.fullmatch(name)} | {
        f"lins.{name[3:]}": value for name, value in found.items() if _LINEAR.fullmatch(name)
    }


def _other_file(path: Path) -> DataError:
    return DataError(f"{path} does not hold the weights of AlexNet or VGG-16 ({', '.join(FILES)}): the layers differ")


def _mean(maps_NCHW: Tensor) -> Tensor:
    return maps_NCHW.mean((2, 3))
