"""What kind of file something is, by what it holds and not by its name."""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

from wganx import DataError

PICTURES = ("gif", "webp", "png", "avif")
"""Kinds that Pillow reads."""

ARRAYS = ("npy", "npz")

DEMUXERS = {
    "mp4": "mov", "mov": "mov", "webm": "matroska", "mkv": "matroska", "avi": "avi", "flv": "flv", "wmv": "asf",
    "ogv": "ogg", "mpg": "mpeg", "ts": "mpegts", "y4m": "yuv4mpegpipe", "ivf": "ivf",
}  # fmt: skip
"""Containers, and what reads them. It is named, because what FFmpeg takes for a film of its own accord may be a text,
or a play list that leads to other files."""

_START = 1024
_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip", b"moof", b"styp", b"pnot")
_UNKNOWN = (0, 0xFFFFFFFF)
_NOT_FILMS = (
    (b"version https://git-lfs", "it holds a pointer of Git LFS; run: git lfs pull"),
    (b"#EXTM3U", "it holds a play list, which names films elsewhere; give one of these"),
    (b"\xff\xd8\xff", "it holds a single picture; a film of pictures is a folder of them"),
    (b"ID3", "it holds sound and no film; leave it out"),
    (b"fLaC", "it holds sound and no film; leave it out"),
    (b"\x1f\x8b", "it is packed by gzip; unpack it"),
    (b"Rar!", "it is a RAR archive; unpack it"),
    (b"7z\xbc\xaf", "it is a 7-Zip archive; unpack it"),
)


def kind_of(source: BinaryIO, name: str) -> str:
    """The kind of a seekable file: a key of `DEMUXERS`, or one of `PICTURES` or `ARRAYS`.

    Raises:
        DataError: it is none of them; says what it is, as far as that can be told.
    """
    source.seek(0)
    start = source.read(_START)
    source.seek(0)
    found = _film(start) or _picture(start)
    if found is None:
        raise DataError(f"{name} is no readable film: {_what_it_is(start)}")
    return found


def missing_bytes(source: BinaryIO, kind: str) -> int:
    """How much of a file is not there, by the lengths that the outermost parts of its container have; 0 where these
    say nothing."""
    length = source.seek(0, io.SEEK_END)
    end = _ENDS.get(kind)
    missing = max(end(source, length) - length, 0) if end else 0
    source.seek(0)
    return missing


def _film(start: bytes) -> str | None:
    if start[4:8] in _BOXES and start[8:12] not in (b"avif", b"avis"):
        return "mov" if start[4:8] != b"ftyp" or start[8:12] == b"qt  " else "mp4"
    if start[:4] == b"\x1aE\xdf\xa3":
        return "webm" if b"webm" in start[:64] else "mkv"
    if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        return "avi"
    for magic, kind in (
        (b"FLV\x01", "flv"), (b"0&\xb2u", "wmv"), (b"OggS", "ogv"), (b"\0\0\x01\xba", "mpg"),
        (b"YUV4MPEG2", "y4m"), (b"DKIF", "ivf"), (b"\x93NUMPY", "npy"), (b"PK\x03\x04", "npz"),
    ):  # fmt: skip
        if start.startswith(magic):
            return kind
    # Packets of 188 bytes; on cameras' disks with a time of 4 bytes before each.
    if any(start[first::length][:3] == b"GGG" for first, length in ((0, 188), (4, 192))):
        return "ts"
    return None


def _picture(start: bytes) -> str | None:
    if start[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "webp"
    if start[:8] == b"\x89PNG\r\n\x1a\n":
        return "png"
    return "avif" if start[4:12] in (b"ftypavif", b"ftypavis") else None


def _what_it_is(start: bytes) -> str:
    if not start:
        return "it is empty; copy it again, or leave it out"
    for magic, told in _NOT_FILMS:
        if start.startswith(magic):
            return told
    if start[:4] == b"RIFF" and start[8:12] == b"WAVE":
        return "it holds sound and no film; leave it out"
    if start.lstrip()[:5].lower() in (b"<html", b"<!doc"):
        return "it holds a web page; download it again"
    if not start.strip(b"\0"):
        return "it begins with zeros, as what was only begun to be copied does; copy it again"
    return "it holds no kind of film that is known here; convert it to mp4 or webm"


def _end_of_boxes(source: BinaryIO, length: int) -> int:
    at = 0
    while at + 8 <= length:
        source.seek(at)
        size, box = struct.unpack(">I4s", source.read(8))
        if size == 1:
            size = int.from_bytes(source.read(8), "big")
        if size < 8 or not box.strip(b"\0"):  # 0: up to the end; or padding behind the last box
            return length
        at += size
    return at


def _end_of_riff(source: BinaryIO, length: int) -> int:
    at = 0
    while at + 12 <= length:
        source.seek(at)
        name, size = struct.unpack("<4sI", source.read(8))
        if name != b"RIFF" or size in _UNKNOWN:
            return length
        at += 8 + size + (size & 1)
    # Some count the first 8 bytes, and some leave out the byte that makes the length even.
    return at if at > length + 8 else length


def _end_of_segment(source: BinaryIO, length: int) -> int:
    source.seek(4)
    header = _variable_integer(source)
    if header is None:
        return length
    source.seek(source.tell() + header)
    if source.read(4) != b"\x18\x53\x80\x67":
        return length
    size = _variable_integer(source)
    return length if size is None else source.tell() + size


def _end_of_gif(source: BinaryIO, length: int) -> int:
    source.seek(-min(length, 64), io.SEEK_END)
    return length if source.read().rstrip(b"\0\r\n").endswith(b";") else length + 1


_ENDS = {
    "mp4": _end_of_boxes, "mov": _end_of_boxes, "avi": _end_of_riff, "webp": _end_of_riff, "webm": _end_of_segment,
    "mkv": _end_of_segment, "gif": _end_of_gif,
}  # fmt: skip


def _variable_integer(source: BinaryIO) -> int | None:
    """A length of EBML; None where it is said to be unknown."""
    first = source.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] & (0x7F >> more)]) + source.read(more), "big")
    return None if value == 2 ** (7 * (more + 1)) - 1 else value
