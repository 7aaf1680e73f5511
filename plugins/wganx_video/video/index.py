"""Which packet of a film holds which frame, when it is shown, and where decoding can begin."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wganx import DataError
from wganx_video.video.decoding import AGAIN, Decoder

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_SURE = 24
"""Frames that are decoded at the begin, and must be those that the times promise: more than codecs reorder."""
_NONE = -(2**63)


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """The frames of a film, some 40 bytes each.

    Attributes:
        ticks_F: when each is shown, rising, in `base`.
        frame_P: the number of the frame that a packet holds; -1 where none is shown.
        key_K: numbers of the packets where decoding can begin.
        shown_K: the numbers of their frames: all from there on can be decoded.
        stamp_P: what tells a packet from all others after a seek; empty where nothing does.
        field: of which field of a packet the stamps are: pts, dts or pos.
        seek_K: where to seek for a key packet, in the stream's time base; -2**63 where that is not known.
        base: seconds.
    """

    ticks_F: NDArray[np.int64]
    frame_P: NDArray[np.int32]
    key_K: NDArray[np.int32]
    shown_K: NDArray[np.int32]
    stamp_P: NDArray[np.int64]
    field: str
    seek_K: NDArray[np.int64]
    base: Fraction

    def key_before(self, frame: int) -> int | None:
        """The last k whose packet a decoder can begin with and have `frame`; None for the begin of the file."""
        found = int(np.searchsorted(self.shown_K, frame, side="right")) - 1
        return found if found >= 0 and len(self.stamp_P) and self.seek_K[found] != _NONE else None

    def number_of(self, packet: Packet[VideoStream]) -> int | None:
        """The number of a packet that was just sought."""
        value = getattr(packet, self.field)
        if value is None:
            return None
        # Packets are stored nearly in the order of their stamps, but only nearly.
        found = np.flatnonzero(self.stamp_P == value)
        return int(found[0]) if len(found) else None

    def agrees(self, packet: Packet[VideoStream], number: int) -> bool:
        """Whether a packet is the one of that number, as far as packets can be told apart."""
        if not self.field:
            return number < len(self.frame_P)
        return number < len(self.stamp_P) and getattr(packet, self.field) == self.stamp_P[number]


class _Packets:
    """What the packets say, as they pass."""

    def __init__(self) -> None:
        self.pts, self.dts, self.pos = array("q"), array("q"), array("q")
        self.key, self.shown = bytearray(), bytearray()

    def note(self, packet: Packet[VideoStream], codec: str) -> None:
        self.pts.append(_NONE if packet.pts is None else packet.pts)
        self.dts.append(_NONE if packet.dts is None else packet.dts)
        self.pos.append(_NONE if packet.pos is None or packet.pos < 0 else packet.pos)
        self.key.append(packet.is_keyframe)
        self.shown.append(not packet.is_discard and packet.size > 0 and not _is_hidden(packet, codec))


def build_index(decoder: Decoder, name: str) -> tuple[Index, VideoFrame]:
    """Reads all packets and decodes the first frames; all frames where the packets do not say enough.

    Returns the first frame beside it.

    Raises:
        DataError: nothing of it can be decoded, or it is damaged.
    """
    codec = decoder.stream.codec_context.name
    packets, first = _Packets(), None
    decoded: list[int] = []
    for number, packet in enumerate(decoder.packets()):
        packets.note(packet, codec)
        if len(decoded) < _SURE:
            for found, frame in decoder.decode(packet, number):
                decoded.append(found)
                first = first or frame
    whole = len(decoded) < _SURE
    if whole:
        for found, frame in decoder.decode(None, 0):
            decoded.append(found)
            first = first or frame
    order = _order_by_time(packets)
    keys = [number for number, key in enumerate(packets.key) if key]
    # What comes before the first key packet lacks what it is made from, whatever a decoder makes of it.
    decoded = [number for number in decoded if not keys or number >= keys[0]]
    if first is None or not decoded:
        held = f"{len(packets.key):,} packets, and none" if packets.key else "no packet, so nothing"
        raise DataError(f"{name} is no readable film: it holds {held} of it can be decoded; {AGAIN}")
    if order is not None and decoded[0] in order:
        order = order[order.index(decoded[0]) :]  # those before were cut off from what they are made from
    # Frames that are damaged stay frames, and whoever reads them is told. Others that are promised and do not come are
    # none, and only decoding all of it shows which.
    damaged = any(number > decoded[0] for number in decoder.failed)
    as_promised = order is not None and order[: len(decoded)] == decoded and not (whole and len(order) != len(decoded))
    if order is None or not (as_promised or damaged):
        order = decoded if whole and not damaged else _order_by_decoding(decoder, keys, name)
    return _index(decoder, packets, order, keys), first


def _order_by_time(packets: _Packets) -> list[int] | None:
    """Numbers of the packets whose frames are shown, in that order; None where times are missing or the same."""
    shown = [number for number, seen in enumerate(packets.shown) if seen]
    times = {packets.pts[number] for number in shown}
    if _NONE in times or len(times) < len(shown):
        return None
    return sorted(shown, key=packets.pts.__getitem__)


def _order_by_decoding(decoder: Decoder, keys: list[int], name: str) -> list[int]:
    """The same, by decoding all of it."""
    decoder.rewind()
    decoder.failed.clear()
    order: list[int] = []
    number = -1
    for number, packet in enumerate(decoder.packets()):
        order += [found for found, _ in decoder.decode(packet, number)]
    order += [found for found, _ in decoder.decode(None, number + 1)]
    order = [number for number in order if not keys or number >= keys[0]]
    if any(number > order[0] for number in decoder.failed):
        good = sum(number < min(failed for failed in decoder.failed if failed > order[0]) for number in order)
        raise DataError(f"{name} is damaged: frame {good:,} cannot be decoded, {good:,} before it can; {AGAIN}")
    return order


def _index(decoder: Decoder, packets: _Packets, order: list[int], keys: list[int]) -> Index:
    pts, dts, pos = (np.array(values, dtype=np.int64) for values in (packets.pts, packets.dts, packets.pos))
    order_F = np.array(order, dtype=np.int32)
    frame_P = np.full(len(pts), -1, dtype=np.int32)
    frame_P[order_F] = np.arange(len(order_F), dtype=np.int32)
    key_K = np.array([key for key in keys if frame_P[key] >= 0], dtype=np.int32)
    # A key whose frame is shown before that of an earlier key would not be one; keep those that rise.
    shown_K = frame_P[key_K]
    rises = np.diff(shown_K, prepend=-1) > 0
    key_K, shown_K = key_K[rises], shown_K[rises]
    unlike = {
        field: stamp_P
        for field, stamp_P in (("pts", pts), ("pos", pos), ("dts", dts))
        if (stamp_P != _NONE).all() and len(np.unique(stamp_P)) == len(stamp_P)
    }
    field = next(iter(unlike), "")
    stamp_P = unlike.get(field, np.empty(0, dtype=np.int64))
    seek_K = np.where(dts[key_K] == _NONE, pts[key_K], dts[key_K])
    base = decoder.stream.time_base or Fraction(1, 25)
    return Index(_ticks(pts, dts, order_F, decoder, base), frame_P, key_K, shown_K, stamp_P, field, seek_K, base)


def _ticks(
    pts: NDArray[np.int64], dts: NDArray[np.int64], order_F: NDArray[np.int32], decoder: Decoder, base: Fraction
) -> NDArray[np.int64]:
    """Times of the frames, rising: those noted, or those at which packets are to be decoded, or the rate's."""
    # AVI counts packets, and what FFmpeg makes of that for frames that are reordered is off by some.
    fields = (
        (np.sort(dts[order_F]),) if "avi" in decoder.container.format.name else (pts[order_F], np.sort(dts[order_F]))
    )
    for ticks_F in fields:
        if (ticks_F != _NONE).all() and (np.diff(ticks_F) > 0).all():
            return ticks_F
    interval = 1 / (decoder.stream.average_rate or Fraction(25)) / base
    return np.array([round(number * interval) for number in range(len(order_F))], dtype=np.int64)


def _is_hidden(packet: Packet[VideoStream], codec: str) -> bool:
    """Whether a packet of VP8 or VP9 only holds a picture that others refer to."""
    if codec not in ("vp8", "libvpx", "vp9", "libvpx-vp9"):
        return False
    content = memoryview(packet)
    if codec in ("vp8", "libvpx"):
        return not content[0] & 0x10
    if content[-1] & 0xE0 == 0xC0:  # a superframe, the last picture of which is shown
        return False
    place = 3 if content[0] & 0x30 != 0x30 else 2  # profile 3 has a bit more
    if content[0] >> place & 1:  # one is shown that is there already
        return False
    return not content[0] >> (place - 2) & 1
