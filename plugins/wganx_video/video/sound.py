"""Sound tracks of one film for another: packets as they are, or in another codec where the container lacks theirs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from wganx_video.video.decoding import pyav, reason

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer

log = logging.getLogger(__name__)

_ENCODERS = {"webm": "libopus", "avi": "libmp3lame"}
_OTHERS = "aac"
_OPUS_HZ = 48_000


class SoundTracks:
    """The sound of a film, on its way into another, in the order of time."""

    def __init__(self, source: Path, target: OutputContainer) -> None:
        """Gives `target` a stream for each track; sources without any are no mistake."""
        self._av = pyav(str(source))
        self._source, self._target = source, target
        self._container = self._av.open(str(source), metadata_errors="replace")
        self._streams: dict[int, AudioStream] = {}
        self._encoded: set[int] = set()
        for stream in self._container.streams:
            if isinstance(stream, self._av.AudioStream) and stream.codec_context is not None:
                self._streams[stream.index] = self._added(stream)
            else:
                stream.discard = self._av.stream.Discard.all
        tracks = [self._container.streams[index] for index in self._streams]
        self._coming: Iterator[Any] = self._container.demux(tracks) if tracks else iter(())
        self._next: Any = None

    def mux_until(self, time: Fraction | None) -> None:
        """Hand over what begins before `time`, in seconds; all of it for None."""
        while packet := self._next or self._read():
            begin = packet.pts if packet.dts is None else packet.dts
            if time is not None and begin is not None and begin * packet.time_base >= time:
                self._next = packet
                return
            self._next = None
            self._put(packet)
        if time is None:
            for index in sorted(self._encoded):
                self._target.mux(self._streams[index].encode(None))
            self._encoded.clear()

    def close(self) -> None:
        self._container.close()

    def _added(self, track: AudioStream) -> AudioStream:
        codec = track.codec_context
        if codec.codec.canonical_name in self._target.supported_codecs:
            return self._target.add_stream_from_template(track)
        encoder = _ENCODERS.get(self._target.format.name, _OTHERS)
        log.warning(
            "%s holds no %s, so the sound of %s is encoded anew, as %s",
            self._target.format.name,
            codec.codec.canonical_name,
            self._source,
            encoder.removeprefix("lib"),
        )
        self._encoded.add(track.index)
        rate = _OPUS_HZ if encoder == "libopus" else codec.sample_rate
        return cast("AudioStream", self._target.add_stream(encoder, rate=rate, layout=codec.layout.name))

    def _read(self) -> Any:
        try:
            while packet := next(self._coming, None):
                if packet.size:
                    return packet
        except self._av.FFmpegError as error:
            log.warning("the sound of %s is damaged and ends early: %s", self._source, reason(error))
        return None

    def _put(self, packet: Any) -> None:
        index = packet.stream.index
        if self._target.format.name == "avi" and packet.pts is not None and packet.pts < 0:
            return  # what encoders put before the begin would shift all frames, and AVI has no times to do so
        if index not in self._encoded:
            packet.stream = self._streams[index]
            self._target.mux(packet)
            return
        try:
            frames = packet.decode()
        except self._av.FFmpegError:
            return  # what a player would pass over, too
        for frame in frames:
            self._target.mux(self._streams[index].encode(frame))
