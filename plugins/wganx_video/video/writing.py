"""Films that say where they come from: in containers, as pictures that move, as folders of frames, as arrays."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wganx import UsageError
from wganx_video.video.header import USUAL_RATE, Colour

log = logging.getLogger(__name__)

Origin = Literal["synthetic", "recorded"]
Codec = Literal["h264", "h265", "vp9", "ffv1"]

COMMENTS: dict[Origin, str] = {
    "synthetic": "Synthetic frames, made by a generative network. No camera saw this.",
    "recorded": "A film as the training sees it, to compare synthetic films with.",
}
"""What a file says of itself, where its kind has room for words."""

PLAIN = Colour(range=1, primaries=1, transfer=1, matrix=1)
"""BT.709, which screens have."""


_CODECS: dict[str, tuple[Codec, ...]] = {
    ".avi": (),
    ".m4v": ("h264", "h265"),
    ".mkv": ("h264", "h265", "vp9", "ffv1"),
    ".mov": ("h264", "h265"),
    ".mp4": ("h264", "h265", "vp9"),
    ".webm": ("vp9",),
}
"""What may be chosen in a container; the first is the usual one. AVI has MPEG-4 part 2, whose quality is fixed."""
_CONTAINERS = tuple(_CODECS)
_COARSEST: dict[Codec, int] = {"h264": 51, "h265": 51, "vp9": 63}
_PICTURES = (".apng", ".gif", ".png", ".webp")
_NO_ENDING = ("", ".writing")  # a folder that is written aside has the latter


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What is written.

    Attributes:
        channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha; any number for .npy.
        height, width: of its frames.
        rate: frames a second, about which they are spread.
        base: of which every time is a multiple, in seconds, where the container has times that fine.
        colour: what numbers are to mean; where nothing is noted of a matrix, BT.601 is meant, as with FFmpeg.
        pixel_aspect: width of a pixel by its height.
        beside: the film of which all but the pictures is copied: sound, subtitles, chapters, names.
        heard: whether that film has sound, which is missed where there is no room for it.
        origin: what the file says of itself.
        codec: of containers; None for the one that their kind usually has.
        crf: the quality of H.264 and VP9, lower is better; None for what looks like the original.
    """

    channels: int
    height: int
    width: int
    rate: Fraction = USUAL_RATE
    base: Fraction | None = None
    colour: Colour = PLAIN
    pixel_aspect: Fraction = Fraction(1)
    beside: Path | None = None
    heard: bool = False
    origin: Origin = "synthetic"
    codec: Codec | None = None
    crf: int | None = None


class Writer(Protocol):
    """A film that grows frame by frame; whole from `close` on."""

    def add(self, picture_HWC: NDArray[np.uint8], time: Fraction) -> None:
        """Append a frame that is shown from `time` on, in seconds.

        Raises:
            DataError: the disk takes no more.
        """

    def close(self) -> None:
        """End the file; a second time does nothing."""


def check_ending(path: Path) -> None:
    """Says what can be written before anything is made.

    Raises:
        UsageError: the ending is none that can be written.
    """
    ending = path.suffix.lower()
    if ending not in (*_CONTAINERS, *_PICTURES, ".npy", *_NO_ENDING):
        raise UsageError(
            f"{ending} is no kind of film that can be written; end the name of the file in one of "
            + ", ".join(sorted((*_CONTAINERS, *_PICTURES, ".npy")))
            + ", or in nothing for a folder of frames"
        )


def check_encoding(path: Path, codec: Codec | None, crf: int | None) -> None:
    """Says what can be chosen before anything is made.

    Raises:
        UsageError: files of that kind do not have this codec, or their quality cannot be chosen.
    """
    ending = path.suffix.lower()
    kind = "a folder of frames" if ending in _NO_ENDING else ending
    known = _CODECS.get(ending, ())
    if codec is not None and codec not in known:
        others = [other for other, codecs in _CODECS.items() if codec in codecs]
        has = f"has {', '.join(known)}" if known else "has one of its own"
        raise UsageError(f"{kind} {has}, not {codec}; leave codec out, or end the name in {', '.join(others)}")
    used = codec or next(iter(known), None)
    if crf is None:
        return
    if used is None or used not in _COARSEST:
        what = f"{used} loses nothing" if used else f"the quality of {kind} is fixed"
        raise UsageError(f"{what}, so crf has no meaning there; leave it out")
    if crf > _COARSEST[used]:
        raise UsageError(f"crf goes from 0 to {_COARSEST[used]} in {used}, and {crf} is beyond")


def create_writer(path: Path, form: Form) -> Writer:
    """A writer by the ending of `path`: a container, pictures that move, .npy, or without one a folder of PNG files.

    Raises:
        UsageError: the ending is none that can be written, or that kind of file cannot hold such frames, or has no such
            codec or quality.
        MissingExtra: it is a container, and PyAV is not installed.
        DataError: nothing can be written there.
    """
    check_ending(path)
    ending = path.suffix.lower()
    check_encoding(path, form.codec, form.crf)
    if form.heard and ending not in _CONTAINERS:
        kind = "a folder" if ending in _NO_ENDING else ending
        log.warning("the sound of %s is left out, because %s has no room for it", form.beside, kind)
    if ending == ".npy":
        from wganx_video.video.array_writing import ArrayWriter

        return ArrayWriter(path, form)
    if form.channels > 4:
        raise UsageError(f"{ending or 'a folder of frames'} holds no {form.channels} channels; end the name in .npy")
    if ending in _CONTAINERS:
        from wganx_video.video.container_writing import ContainerWriter

        return ContainerWriter(path, form)
    from wganx_video.video.picture_writing import FolderWriter, GifWriter, PictureWriter

    if ending == ".gif":
        return GifWriter(path, form)
    return FolderWriter(path, form) if ending in _NO_ENDING else PictureWriter(path, form)


def write_video(
    path: Path,
    film_TCHW: Tensor,
    rate: float | Fraction | None = None,
    *,
    times: Sequence[Fraction] | None = None,
    origin: Origin = "synthetic",
    crf: int | None = None,
) -> Path:
    """Write a film, aside and then under its name.

    Args:
        film_TCHW: uint8, or floating point in 0 .. 255.
        rate: frames a second; 25 by default.
        times: when each frame is shown, where `rate` alone does not say it.

    Raises:
        UsageError, MissingExtra, DataError: as `create_writer`.
    """
    exact = Fraction(rate or USUAL_RATE).limit_denominator(1001)
    _, channels, height, width = film_TCHW.shape
    form = Form(channels=channels, height=height, width=width, rate=exact, origin=origin, crf=crf)
    aside = path.with_name(f".{path.stem}.writing{path.suffix}")
    try:
        writer = create_writer(aside, form)
        try:
            for number, picture_HWC in enumerate(as_pictures(film_TCHW)):
                writer.add(picture_HWC, number / exact if times is None else times[number])
        finally:
            writer.close()
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return path


def as_pictures(film_TCHW: Tensor) -> list[NDArray[np.uint8]]:
    """Frames ``(H, W, C)``; of floating point the nearest whole numbers in 0 .. 255, and 0 for what is no number."""
    film_TCHW = film_TCHW.detach().cpu()
    if film_TCHW.is_floating_point():
        film_TCHW = torch.nan_to_num(film_TCHW, nan=0.0).round().clamp(0, 255)
    film_THWC = film_TCHW.to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    return list(film_THWC)
