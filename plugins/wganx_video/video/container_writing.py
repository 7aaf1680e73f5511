"""Films in containers, by PyAV: H.264, VP9, and where pictures are see-through FFV1 and ProRes."""

from __future__ import annotations

import logging
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import wganx
from wganx import DataError, UsageError
from wganx_video.video.decoding import pyav, reason
from wganx_video.video.tracks import OtherTracks
from wganx_video.video.writing import COMMENTS, Form

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

log = logging.getLogger(__name__)

_FINEST = 1_000_000
_OTHERWISE = Fraction(1, 90_000)
_LAYOUTS = {3: "rgb24", 4: "rgba"}
_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""Code points of H.273 as swscale counts them; 5 is BT.601, and what is meant where nothing is noted."""
_EXACT = 4 | 0x2000 | 0x4000 | 0x40000
_WITH_ALPHA = {".webm": "vp9", ".mov": "ProRes", ".mkv": "ffv1"}
_ENCODERS: dict[str, tuple[str, int, dict[str, str]]] = {
    "h264": ("libx264", 18, {"preset": "medium"}),
    "h265": ("libx265", 20, {"preset": "medium", "x265-params": "log-level=error"}),
    "vp9": ("libvpx-vp9", 24, {"b": "0", "row-mt": "1", "cpu-used": "4", "deadline": "good"}),
}
"""Encoders, the constant rate factor of each at which the result looks like the original, and other options."""


class ContainerWriter:
    """A film in MP4, MOV, Matroska, WebM or AVI, with the sound and the other tracks of another.

    H.264 halves colours in both directions, which needs even sizes. Those that are odd keep theirs by not halving
    (4:4:4), which not every player shows. VP9 in WebM has no such need.
    """

    def __init__(self, path: Path, form: Form) -> None:
        """
        Raises:
            DataError: nothing can be written there.
            UsageError: the quality of such frames cannot be chosen.
            MissingExtra: PyAV is not installed.
        """
        self._av = pyav(str(path))
        self._path, self._form = path, form
        self._ending = path.suffix.lower()
        codec, pixels, options = self._coded()
        # The index of an MP4 stands first, so that browsers show it while it is loaded.
        first = {"movflags": "+faststart"} if self._ending in (".mp4", ".m4v", ".mov") else {}
        self._converter = self._av.video.reformatter.VideoReformatter()
        self._last = -(2**63)
        try:
            self._container: OutputContainer = self._av.open(
                # FFmpeg takes what stands before a colon in a name for a protocol, unless the path begins elsewhere.
                str(path.absolute()),
                "w",
                format=_FORMATS[self._ending],
                options=first,
            )
            self._open = True
            self._stream: VideoStream = self._container.add_stream(codec, rate=form.rate, options=options)
            self._describe(pixels)
            self._others = None if form.beside is None else OtherTracks(form.beside, self._container, self._stream)
            self._container.metadata["comment"] = COMMENTS[form.origin]
            self._container.metadata["encoder"] = f"wganx {wganx.__version__}"
            self._container.start_encoding()
        except (self._av.FFmpegError, OSError) as error:
            raise DataError(f"{path} cannot be written: {reason(error)}") from error

    def add(self, picture_HWC: NDArray[np.uint8], time: Fraction) -> None:
        form, context = self._form, self._stream.codec_context
        frame = self._av.VideoFrame.from_ndarray(_coloured(picture_HWC, self._keeps_alpha), format=self._layout)
        if self._layout != self._pixels:
            frame = self._converter.reformat(
                frame,
                format=self._pixels,
                dst_colorspace=_MATRICES.get(form.colour.matrix, 5),
                dst_color_range=self._range,
                interpolation=_EXACT,
                threads=1,
            )
        frame.colorspace, frame.color_range = context.colorspace, context.color_range
        frame.time_base = context.time_base
        self._last = frame.pts = max(round(time / context.time_base), self._last + 1)
        try:
            for packet in self._stream.encode(frame):
                if self._others is not None and packet.dts is not None:
                    self._others.mux_until(packet.dts * packet.time_base)
                self._container.mux(packet)
        except (self._av.FFmpegError, OSError) as error:
            raise DataError(f"{self._path} cannot be written: {reason(error)}") from error

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        try:
            if self._last > -(2**63):
                for packet in self._stream.encode():
                    self._container.mux(packet)
                if self._others is not None:
                    self._others.mux_until(None)
            self._container.close()  # which writes what stands at the end, or in front of all
        except (self._av.FFmpegError, OSError) as error:
            raise DataError(f"{self._path} cannot be written: {reason(error)}") from error
        finally:
            if self._others is not None:
                self._others.close()
            with suppress(self._av.FFmpegError, OSError):
                self._container.close()

    def _coded(self) -> tuple[str, str, dict[str, str]]:
        """The encoder, how it is given pixels, and its options."""
        form, ending = self._form, self._ending
        alpha = form.channels in (2, 4)
        self._keeps_alpha = alpha and ending in (".webm", ".mov", ".mkv") and form.codec in (None, _WITH_ALPHA[ending])
        if alpha and not self._keeps_alpha:
            kept = f"{_WITH_ALPHA[ending]} can" if ending in _WITH_ALPHA else ".webm, .mov and .mkv can"
            what = f"{form.codec} in {ending}" if ending in _WITH_ALPHA else ending
            log.warning("%s cannot hold what is transparent, so it becomes opaque; %s", what, kept)
        codec = form.codec or ("vp9" if ending == ".webm" else "h264")
        if self._keeps_alpha and ending != ".webm":
            if form.crf is not None:
                raise UsageError(
                    f"what is transparent is kept by {_WITH_ALPHA[ending]} in {ending}, whose quality is fixed; leave "
                    "crf out, or take .webm"
                )
            return ("prores_ks", "yuva444p10le", {"profile": "4444"}) if ending == ".mov" else ("ffv1", "bgra", {})
        if ending == ".avi":
            return "mpeg4", "yuv420p", {"qscale": "2", "flags": "+qscale", "global_quality": "236"}
        if codec == "ffv1":
            return "ffv1", "bgr0", {}
        encoder, usual, options = _ENCODERS[codec]
        options = {"crf": str(usual if form.crf is None else form.crf), **options}
        if self._keeps_alpha:
            return encoder, "yuva420p", options | {"auto-alt-ref": "0"}
        if codec == "vp9":
            return encoder, "yuv420p", options
        if form.height % 2 or form.width % 2:
            log.warning(
                "%dx%d is odd, and kept by colours in full resolution (4:4:4), which some players do not show; "
                "VP9 in .webm is shown by all",
                form.width,
                form.height,
            )
            return encoder, "yuv444p", options
        return encoder, "yuv420p", options

    def _describe(self, pixels: str) -> None:
        form, context = self._form, self._stream.codec_context
        self._pixels, self._layout = pixels, _LAYOUTS[4 if self._keeps_alpha else 3]
        colour = form.colour
        # 0 is RGB itself, which is not what is written.
        matrix = colour.matrix if colour.matrix in _MATRICES else 2
        self._range = 2 if colour.range == 2 and self._ending != ".avi" else 1
        context.width, context.height, context.pix_fmt = form.width, form.height, pixels
        context.sample_aspect_ratio = form.pixel_aspect
        if form.pixel_aspect != 1 and context.name == "libvpx-vp9" and self._ending in (".webm", ".mkv"):
            log.warning(
                "VP9 in %s does not keep that pixels are %s times as wide as high; H.264 in .mp4 and .mkv does",
                self._ending,
                form.pixel_aspect,
            )
        if form.codec == "h265" and self._ending != ".mkv":
            context.codec_tag = "hvc1"  # Apple's players pass over the other one
        if not pixels.startswith("bgr"):
            context.color_range, context.colorspace = self._range if colour.range else 0, matrix
        context.color_primaries, context.color_trc = colour.primaries, colour.transfer
        context.thread_count = 0
        base = form.base or 1 / form.rate
        if self._ending == ".avi":  # which has no times, only a rate
            base = 1 / form.rate
        elif base.denominator > _FINEST:
            base = _OTHERWISE
        context.time_base = base


_FORMATS = {
    ".avi": "avi", ".m4v": "mp4", ".mkv": "matroska", ".mov": "mov", ".mp4": "mp4", ".webm": "webm",
}  # fmt: skip


def _coloured(picture_HWC: NDArray[np.uint8], alpha: bool) -> NDArray[Any]:
    """RGB, or RGB and alpha: no container's usual codecs are for grey alone."""
    channels = picture_HWC.shape[2]
    if channels == 1:
        picture_HWC = np.repeat(picture_HWC, 3, axis=2)
    elif channels == 2:
        picture_HWC = picture_HWC[..., [0, 0, 0, 1]]
    return np.ascontiguousarray(picture_HWC if alpha else picture_HWC[..., :3])
