"""Packets and frames of a film, each frame with the number of the packet that it was in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from wganx import DataError, MissingExtra
from wganx_video.video.sniffing import DEMUXERS

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

AGAIN = "copy it again, or leave it out"

_BUFFER = 2**18
_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""FFmpeg's own decoders of these leave out the second picture in which WebM keeps what is transparent."""


def pyav(name: str) -> Any:
    """PyAV.

    Raises:
        MissingExtra: it is not installed; says that `name` needs it.
    """
    try:
        import av
        import av.logging
    except ImportError as error:
        raise MissingExtra(f'{name} is read and written by PyAV: pip install "wganx[video]"') from error
    return av


class Decoder:
    """An opened container, of which one film is read; sound is passed over.

    A frame is known by the number of its packet in the file. Decoders put frames into the order in which they are
    shown, and hand on the time of each packet untouched: the number travels in its place. So no time is trusted.

    Attributes:
        container: as PyAV has it.
        stream: its film.
        failed: numbers of packets, or of frames, that could not be decoded.
    """

    container: InputContainer
    stream: VideoStream

    def __init__(self, file: BinaryIO, name: str, kind: str, threads: int = 1) -> None:
        """
        Args:
            file: it, seekable; closed by whoever opened it.
            threads: that decode; 0 for one a core.

        Raises:
            DataError: it cannot be opened, or holds no film.
            MissingExtra: PyAV is not installed.
        """
        self._av = pyav(name)
        self._file, self._name, self._kind, self._threads = file, name, kind, threads
        self.failed: list[int] = []
        self._open()

    def rewind(self) -> None:
        """Begin anew at the first packet; a seek to there need not lead to there."""
        self.container.close()
        self._open()

    def seek(self, tick: int) -> None:
        """Go to a key packet at or before `tick` of the stream's time base, if the container can."""
        with suppress(self._av.FFmpegError):  # what follows shows where it is
            self.container.seek(tick, stream=self.stream)
        self.codec.flush_buffers()

    def packets(self) -> Iterator[Packet[VideoStream]]:
        """What follows, as it is stored.

        Raises:
            DataError: the container is damaged here.
        """
        try:
            for packet in self.container.demux(self.stream):
                if packet.size or packet.dts is not None:  # else it only says that the end was reached
                    yield packet
        except self._av.FFmpegError as error:
            raise DataError(f"{self._name} is damaged: {reason(error)}; {AGAIN}") from error

    def decode(self, packet: Packet[VideoStream] | None, number: int) -> list[tuple[int, VideoFrame]]:
        """The frames that are ready once the decoder has `packet`, or knows by None that there are no more.

        What cannot be decoded is missing from them.
        """
        if packet is not None:
            packet.pts = packet.dts = number
        try:
            frames = self.codec.decode(packet)
        except self._av.FFmpegError:
            self.failed.append(number)
            return []
        decoded: list[tuple[int, VideoFrame]] = []
        for frame in frames:
            if frame.pts is not None and frame.is_corrupt:
                self.failed.append(frame.pts)
            elif frame.pts is not None:
                decoded.append((frame.pts, frame))
        return decoded

    def close(self) -> None:
        self.container.close()

    def _open(self) -> None:
        self._file.seek(0)
        try:
            self.container = self._av.open(
                self._file,
                format=DEMUXERS[self._kind],
                metadata_errors="replace",
                buffer_size=_BUFFER,
            )
        except self._av.EOFError as error:
            raise DataError(f"{self._name} is no readable film: it ends before its first frame; {AGAIN}") from error
        except self._av.FFmpegError as error:
            raise DataError(f"{self._name} is no readable film: it is damaged ({reason(error)}); {AGAIN}") from error
        try:
            self.stream = self._film()
            self.codec: VideoCodecContext = self._decoder()
        except BaseException:
            self.container.close()
            raise

    def _film(self) -> VideoStream:
        covers = self._av.stream.Disposition.attached_pic
        films = [stream for stream in self.container.streams.video if not stream.disposition & covers]
        if not films:
            what = "sound and no film" if self.container.streams.audio else "no film"
            raise DataError(f"{self._name} is no readable film: it holds {what}; leave it out")
        best = self.container.streams.best("video")
        film: VideoStream = best if best in films else films[0]
        for stream in self.container.streams:
            if stream is not film:
                stream.discard = self._av.stream.Discard.all
        return film

    def _decoder(self) -> VideoCodecContext:
        own = self.stream.codec_context
        if own is None:
            tag = self.stream.codec_tag if hasattr(self.stream, "codec_tag") else "unknown"
            raise DataError(f"{self._name} is no readable film: nothing decodes its codec ({tag}); convert it to mp4")
        if self.stream.metadata.get("alpha_mode") == "1" and own.name in _WITH_ALPHA:
            codec: VideoCodecContext = self._av.CodecContext.create(_WITH_ALPHA[own.name], "r")
            codec.extradata = own.extradata
        else:
            codec = own
        codec.thread_count = self._threads
        codec.thread_type = "AUTO"
        return codec


def reason(error: Exception) -> str:
    """What FFmpeg says, without the number and the file."""
    told = getattr(error, "strerror", None) or str(error)
    return " ".join(str(told).split()).rstrip(".").lower()
