"""The extractor `inception`: the network behind FID, KID and IS, by its published weights, never downloaded."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from wganx.errors import DataError, MissingExtra, Unavailable
from wganx.names import at_home
from wganx.places import cache_folder
from wganx.plugins.contracts import ExtractorContext
from wganx.plugins.descriptors import Config

INCEPTION = "inception"
WEIGHTS = "weights-inception-2015-12-05-6726825d.pth"
"""The file's name, as torch-fidelity publishes it."""


class InceptionConfig(Config):
    """Where its weights lie."""

    weights: Path | None = Field(None, description=f"the file {WEIGHTS}; null: where torch or wganx keep theirs")


def inception(config: InceptionConfig, context: ExtractorContext) -> nn.Module:
    """InceptionV3 with the weights of 2015, as torch-fidelity converts them: ``(N, C, H, W) -> (N, 2048)``.

    Raises:
        Unavailable: there are no weights.
        MissingExtra: torch-fidelity is not installed.
        DataError: the file is not what it should be.
    """
    path = weights_file(config.weights)
    if path is None:
        raise Unavailable(f"no weights: give them by --weights FILE ({WEIGHTS} of torch-fidelity)")
    if not path.is_file():
        raise DataError(f"there is no weights file {path}; check the spelling")
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError as error:
        raise MissingExtra('Inception is built by torch-fidelity: pip install "wganx[metrics]"') from error
    try:
        # torch-fidelity reads the file with pickle; what it holds is looked at before.
        torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise _other_file(path, "it is damaged, or no file of torch") from error
    try:
        inner = FeatureExtractorInceptionV3(
            INCEPTION, ["2048", "logits_unbiased"], feature_extractor_weights_path=str(path)
        )
    except Exception as error:
        raise _other_file(path, " ".join(str(error).split())[:160]) from error
    return Inception(inner, context.game.sample.value_range or (-1.0, 1.0))


def _other_file(path: Path, reason: str) -> DataError:
    return DataError(f"{path} does not hold the weights of Inception ({WEIGHTS}): {reason}")


def weights_file(given: Path | None) -> Path | None:
    """The file that is given, or lies where torch or wganx keep theirs; None where there is none."""
    if given is not None:
        return at_home(given)
    places = [Path(torch.hub.get_dir()) / "checkpoints"]
    with suppress(OSError):
        places.append(cache_folder())
    return next((place / WEIGHTS for place in places if (place / WEIGHTS).is_file()), None)


class Inception(nn.Module):
    """Pictures in any range to bytes, grey ones to three channels, and those to features."""

    resize = "to 299 x 299 by bilinear interpolation as in TensorFlow 1, without antialiasing"

    def __init__(self, inner: Any, value_range: tuple[float, float]) -> None:
        super().__init__()
        self.inner, self._range = inner, value_range

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Features ``(N, 2048)``."""
        found: Tensor = self.inner(self._bytes(x_NCHW))[0]
        return found

    def logits(self, x_NCHW: Tensor) -> Tensor:
        """What it sees, ``(N, 1008)``, without the bias of the last layer, as for the inception score."""
        found: Tensor = self.inner(self._bytes(x_NCHW))[1]
        return found

    def _bytes(self, x_NCHW: Tensor) -> Tensor:
        low, high = self._range
        pixels = ((x_NCHW - low) / (high - low) * 255).round().clamp(0, 255).to(torch.uint8)
        return pixels.expand(-1, 3, -1, -1) if pixels.shape[1] == 1 else pixels[:, :3]
