"""FVD: the Fréchet distance of whole films, by a network that was taught to tell what people do in them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wganx import Batch, DataError, ExtractorContext, MetricContext, SampleFormat, Sides, Unavailable
from wganx.evaluation.metrics import frechet_distance
from wganx_video.configs.judges import I3dConfig
from wganx_video.judges.inception3d import InflatedInception
from wganx_video.judges.pixels import Numbers, unit
from wganx_video.judges.weights import digest_of, is_script, named_weights, three_channels, weights_file
from wganx_video.timeline import timeline_of

FILES = ("i3d_torchscript.pt", "rgb_imagenet.pt")
"""TorchScript, as users of StyleGAN-V hand it on, and the weights alone, as ported to PyTorch."""
_SIZE = 224
_FEWEST = 10
_CHUNK = 8


class I3d(nn.Module):
    """Films ``(N, T, C, H, W)`` to features ``(N, 400)`` of I3D, the network of Carreira and Zisserman 2017."""

    resize = "frames to 224 x 224 by bilinear interpolation without antialiasing"
    weights: Tensor

    def __init__(self, inner: Any, format: SampleFormat, digest: Tensor) -> None:
        super().__init__()
        self.inner, self.format = inner, format
        self.register_buffer("weights", digest)
        # Files that are passed around resize and rescale where they are asked to, and name their features so.
        wanted = {"rescale": False, "resize": False, "return_features": True}
        self._options = {name: value for name, value in wanted.items() if name in _arguments(inner)}

    def forward(self, films: Tensor) -> Tensor:
        return torch.cat([self._seen(part) for part in torch.split(films, _CHUNK)])

    def _seen(self, films: Tensor) -> Tensor:
        if films.shape[1] < _FEWEST:
            raise Unavailable(f"FVD sees films of {_FEWEST} frames and more, and these have {films.shape[1]}")
        frames = three_channels(unit(films, self.format), "FVD")
        flat = F.interpolate(frames.flatten(0, 1), (_SIZE, _SIZE), mode="bilinear", align_corners=False)
        films_NCTHW = flat.view(*frames.shape[:3], _SIZE, _SIZE).transpose(1, 2)
        found: Tensor = self.inner(2 * films_NCTHW - 1, **self._options)
        return found.flatten(1)


def i3d(config: I3dConfig, context: ExtractorContext) -> nn.Module:
    """I3D from its weights, or from a TorchScript file, whose code runs: take that from whom you trust.

    Raises:
        Unavailable: there is no file.
        DataError: it cannot be read, or holds another network.
    """
    path = weights_file(config.weights, FILES, "i3d")
    inner = _of_script(path) if is_script(path) else _of_weights(path)
    return I3d(inner.eval(), context.game.sample, digest_of(path)).eval()


def _of_script(path: Path) -> nn.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that TorchScript grows old is no concern of who has a file of it
            inner: nn.Module = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, OSError) as error:
        raise DataError(f"{path} cannot be read as TorchScript; {' or '.join(FILES)} is wanted") from error
    return inner


def _of_weights(path: Path) -> nn.Module:
    network = InflatedInception()
    held = named_weights(path, "I3D", FILES)
    counters = {name: value for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")}
    try:
        network.load_state_dict(counters | held)
    except RuntimeError as error:
        raise DataError(
            f"{path} holds the weights of another network than I3D as of {FILES[1]} (Conv3d_1a_7x7 to logits, 400 "
            "classes)"
        ) from error
    return network


def _arguments(inner: nn.Module) -> set[str]:
    """What a TorchScript network can be told."""
    schema = getattr(inner.forward, "schema", None)
    return {argument.name for argument in schema.arguments} if schema is not None else set()


def fvd(sides: Sides, context: MetricContext) -> Numbers:
    """``fvd`` of Unterthiner et al. 2018: Fréchet distance of I3D's features to those of other real films.

    Of whole films: the given frames with those that were made. Values depend on the number of films, so that only those
    of as many compare; at least 10 frames.
    """
    made, real = (
        context.features("i3d", Batch(_whole(side, context.game.sample))) for side in (sides.candidate, sides.reference)
    )
    return {"fvd": frechet_distance(made, real)}


def _whole(side: Batch, format: SampleFormat) -> Tensor:
    return timeline_of(side, format, side.real.shape[1]).whole(side.real)
