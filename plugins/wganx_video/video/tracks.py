"""What lies beside the pictures of a film, on its way into another: sound, subtitles, chapters, attachments, names.

Packets are handed over as they are. Sound that the container has no room for is encoded anew; other tracks are left
out then, with a word: nobody waits for hours and is left without the film because of its subtitles.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from wganx_video.video.decoding import pyav, reason

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.codec.codec import Codec
    from av.container import OutputContainer

log = logging.getLogger(__name__)

_ENCODERS = {"webm": "libopus", "avi": "libmp3lame"}
_OTHERS = "aac"
_NOT_IN_MOV = {"opus", "flac", "truehd"}
"""FFmpeg names these among what MOV holds, and writes them in MP4 alone."""
_OPUS_HZ = 48_000
_OF_THE_FILE = ("comment", "encoder", "major_brand", "minor_version", "compatible_brands", "duration")
"""What a file says of itself, and not of its film."""
_NAMES = {"language": "language", "title": "title", "name": "title"}
"""What a track may be called, and what it is then; MP4 has names for titles."""
_WORDS = {"subtitle": "subtitles", "attachment": "attachments", "data": "data tracks", "video": "other pictures"}


class OtherTracks:
    """All of a film but its pictures, on its way into another, in the order of time."""

    def __init__(self, source: Path, target: OutputContainer, pictures: Any) -> None:
        """Gives `target` a stream for each track; sources without any are no mistake.

        Args:
            pictures: the stream of the new pictures, which may have a language too.
        """
        self._av = pyav(str(source))
        self._source, self._target = source, target
        # FFmpeg takes what stands before a colon in a name for a protocol, unless the path begins elsewhere.
        self._container = self._av.open(str(source.absolute()), metadata_errors="replace")
        self._streams: dict[int, Any] = {}
        self._encoded: set[int] = set()
        self._broken: set[int] = set()
        self._describe(pictures)
        left: dict[str, None] = {}
        for stream in self._container.streams:
            if not self._take(stream):
                stream.discard = self._av.stream.Discard.all
                if what := self._left_out(stream):
                    left[what] = None
        if left:
            log.warning(
                "%s has no room for the %s of %s, which are left out%s",
                target.format.name.partition(",")[0],
                " and ".join(left),
                source,
                "" if target.format.name == "matroska" else "; .mkv holds most kinds",
            )
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

    def _describe(self, pictures: Any) -> None:
        """Title, dates and the like, and chapters."""
        for name, value in self._container.metadata.items():
            if name.lower() not in _OF_THE_FILE:
                self._target.metadata[name] = value
        film = self._container.streams.best("video")
        if film is not None and (language := film.metadata.get("language")):
            pictures.metadata["language"] = language
        if chapters := self._container.chapters():
            self._target.set_chapters(chapters)

    def _take(self, stream: Any) -> bool:
        """Whether the target has room for a track, and now has one for it."""
        added: Any = None
        if stream.type == "audio" and stream.codec_context is not None:
            added = self._heard(stream)
        elif (
            stream.type == "subtitle"
            and stream.codec_context is not None
            and holds(self._target, stream.codec_context.codec)
        ):
            added = self._target.add_stream_from_template(stream)
        elif stream.type == "attachment" and self._target.format.name == "matroska":
            self._target.add_attachment(stream.name or "attached", stream.mimetype or "", stream.data)
            return True  # it is written by the header, and no packet of it follows
        if added is None:
            return False
        for name, meaning in _NAMES.items():
            if value := stream.metadata.get(name):
                added.metadata.setdefault(meaning, value)
        with suppress(AttributeError, ValueError):
            added.disposition = stream.disposition
        self._streams[stream.index] = added
        return True

    def _left_out(self, stream: Any) -> str:
        """What a track is called that is left out; "" for the pictures themselves, and for what nobody misses."""
        if stream is self._container.streams.best("video"):
            return ""
        if stream.type == "data" and self._container.chapters():
            return ""  # the names of chapters in an MP4, which are copied as such
        return "sound in an unknown codec" if stream.type == "audio" else _WORDS.get(stream.type, "")

    def _heard(self, track: AudioStream) -> AudioStream:
        codec = track.codec_context
        if holds(self._target, codec.codec):
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
        index, kind = packet.stream.index, packet.stream.type
        if self._target.format.name == "avi" and packet.pts is not None and packet.pts < 0:
            return  # what encoders put before the begin would shift all frames, and AVI has no times to do so
        if index in self._broken:
            return
        if index not in self._encoded:
            packet.stream = self._streams[index]
            try:
                self._target.mux(packet)
            except self._av.FFmpegError as error:
                if kind == "audio":
                    raise
                self._broken.add(index)
                log.warning("the subtitles of %s cannot be copied, and end: %s", self._source, reason(error))
            return
        try:
            frames = packet.decode()
        except self._av.FFmpegError:
            return  # what a player would pass over, too
        for frame in frames:
            self._target.mux(self._streams[index].encode(frame))


def holds(container: OutputContainer, codec: Codec) -> bool:
    """Whether a container has room for a codec, by either of its names: the decoder of DTS is called dca."""
    names = {codec.name, codec.canonical_name}
    if container.format.name == "mov" and names & _NOT_IN_MOV:
        return False
    return bool(names & container.supported_codecs)
