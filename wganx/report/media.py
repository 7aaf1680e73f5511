"""Sounds and clips beside the previews, embedded under a budget: known by what a file holds, not by its name."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Literal

from PIL import Image

from wganx.plain import printable
from wganx.report.decoding import Strip, as_mp3, as_strip, loudness
from wganx.report.pictures import MOST_STEPS, spread
from wganx.report.reading import sample_number

MOST_FILES = 16
"""Of one step, and of the real ones."""
WIDEST_CLIP = 160
MOST_FRAMES = 64
SOUNDS = 2_000_000
"""Bytes of sounds as they are; beyond them they are compressed."""
MOST_SQUEEZED = 160
LARGEST_DECODED = 20_000_000
_STRIP_WORTH = 1.5
"""By how much the frames of a clip in one picture may be larger than the clip: alone they stay in step with others."""
MP3 = "audio/mpeg"
NAMED = 3
NO_MEDIUM = "no sound or clip by what is in it"
UNREADABLE = "cannot be read"

_BEGINNING = re.compile(r"\A(?:step-[0-9]+|real|walk-[0-9]+-[0-9]{2})-?")
_NUMBERED = re.compile(r"([0-9]{4})-(.+)", re.DOTALL)

Player = Literal["audio", "video", "image", "strip"]

_KNOWN: tuple[tuple[re.Pattern[bytes], Player, str], ...] = (
    (re.compile(rb"RIFF.{4}WAVE", re.DOTALL), "audio", "audio/wav"),
    (re.compile(rb"fLaC"), "audio", "audio/flac"),
    (re.compile(rb"OggS"), "audio", "audio/ogg"),
    (re.compile(rb"ID3"), "audio", "audio/mpeg"),
    (re.compile(rb".{4}ftyp", re.DOTALL), "video", "video/mp4"),
    (re.compile(rb"\x1aE\xdf\xa3.{1,48}webm", re.DOTALL), "video", "video/webm"),
    (re.compile(rb"GIF8[79]a"), "image", "image/gif"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image", "image/webp"),
)


@dataclass(frozen=True)
class Medium:
    """An embedded sound or clip, what plays it, and what the sample is called.

    Attributes:
        width: to show it at, as `height` a whole multiple of its pixels; 0 where a player finds it itself.
        compressed: a sound that is smaller here than its file is.
        wave: of a sound, the SVG path of its loudness over `seconds`; empty where it cannot be decoded.
        strip: of a clip, its frames in one picture.
    """

    player: Player
    source: str
    name: str
    width: int = 0
    height: int = 0
    compressed: bool = False
    wave: str = ""
    seconds: float = 0.0
    strip: Strip | None = None

    @property
    def wide(self) -> bool:
        """Whether it takes the room of two: several films side by side cannot be read in that of one."""
        return self.width > WIDEST_CLIP


@dataclass(frozen=True)
class Media:
    """The sounds and clips of a page.

    Attributes:
        chosen: what is embedded by step, in the order of the samples; under None the real ones.
        left_out: how many files of a step are not on the page.
        available: how many there are in all, of every step.
        unreadable: the files that are no sound or clip, a sentence a reason.
    """

    chosen: Mapping[int | None, tuple[Medium, ...]]
    left_out: Mapping[int | None, int]
    available: int
    unreadable: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many are embedded."""
        return sum(map(len, self.chosen.values()))

    @property
    def compressed(self) -> int:
        """How many sounds are smaller here than their files are."""
        return sum(one.compressed for some in self.chosen.values() for one in some)

    def plays(self, *players: Player) -> bool:
        """Whether anything is played by one of these."""
        return any(one.player in players for some in self.chosen.values() for one in some)


@dataclass(frozen=True)
class _Found:
    """A file that can be embedded, and what it is by its first bytes; `size` in bytes.

    `data` stands for what is in it, where that was made smaller.
    """

    path: Path
    player: Player
    type: str
    size: int
    width: int = 0
    height: int = 0
    data: bytes | None = None

    @property
    def cost(self) -> int:
        """Bytes it takes on the page."""
        return len(f"data:{self.type};base64,") + 4 * -(-self.largest // 3)

    @property
    def largest(self) -> int:
        """Bytes that what is embedded of it may have."""
        return int(_STRIP_WORTH * self.size) if self.player == "image" else self.size


class _Refused(Exception):
    """A file is not for the page; says why."""


def embed_media(files: Mapping[int | None, Sequence[Path]], steps: Sequence[int], budget: int) -> Media:
    """Sounds and clips of at most `budget` bytes together: those of the latest step and the real ones in turn, then
    those of evenly spread steps, a step's all or none.

    Args:
        files: by step, in the order of the samples; under None the real ones.
        steps: those that the page can show files of, rising.
        budget: in bytes of the page.
    """
    refused: dict[str, list[str]] = {}
    sought = spread([step for step in steps if files.get(step)], MOST_STEPS)
    found = {step: _checked(files.get(step, ())[:MOST_FILES], refused) for step in (*sought, None)}
    sounds = [file for some in found.values() for file in some if file.player == "audio"]
    if sum(file.cost for file in sounds) > min(SOUNDS, budget):
        sought = spread(sought, max(1, MOST_SQUEEZED // MOST_FILES - 1))
        found = {step: [_squeezed(file) for file in found[step]] for step in (*sought, None)}
    latest = sought[-1] if sought else None
    chosen: dict[int | None, list[_Found]] = {latest: [], None: []}
    room = budget
    for step, file in _in_turn(found, latest):
        if file.cost <= room:
            chosen[step].append(file)
            room -= file.cost
    count = len(sought)
    while count > 1 and sum(file.cost for step in spread(sought, count)[:-1] for file in found[step]) > room:
        count -= 1
    chosen |= {step: found[step] for step in spread(sought, count)[:-1]}
    embedded = {step: tuple(_embedded(kept, refused)) for step, kept in chosen.items()}
    bad = {name for names in refused.values() for name in names}
    good = {step: sum(path.name not in bad for path in paths) for step, paths in files.items()}
    return Media(
        chosen={step: media for step, media in embedded.items() if media},
        left_out={step: many - len(embedded.get(step, ())) for step, many in good.items()},
        available=sum(good.values()),
        unreadable=tuple(_sentence(names, reason) for reason, names in refused.items()),
    )


def recognise(head: bytes) -> tuple[Player, str] | None:
    """What plays a file that begins with `head` (64 bytes are enough), and its media type; None if nothing does."""
    for beginning, player, media_type in _KNOWN:
        if beginning.match(head):
            return player, media_type
    return ("audio", "audio/mpeg") if _is_mp3_frame(head) else None


def _is_mp3_frame(head: bytes) -> bool:
    """Eleven bits set, layer III, and a bit rate and sampling rate that exist."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return False
    return head[2] >> 4 not in (0, 15) and head[2] >> 2 & 3 != 3


def _in_turn(found: Mapping[int | None, Sequence[_Found]], latest: int | None) -> Iterator[tuple[int | None, _Found]]:
    """The latest step's first sample, the first real one, the second ones: where room ends, both sides have some."""
    for ours, real in zip_longest(found[latest] if latest is not None else (), found[None]):
        if ours is not None:
            yield latest, ours
        if real is not None:
            yield None, real


def _checked(paths: Sequence[Path], refused: dict[str, list[str]]) -> list[_Found]:
    """Those of the files that are sounds or clips; the names of the others go to `refused`, under the reason."""
    found = []
    for path in paths:
        try:
            found.append(_look(path))
        except _Refused as refusal:
            refused.setdefault(str(refusal), []).append(path.name)
    return found


def _look(path: Path) -> _Found:
    try:
        with path.open("rb") as file:
            head = file.read(64)
        size = path.stat().st_size
    except OSError:
        raise _Refused(UNREADABLE) from None
    if not size:
        raise _Refused("nothing in it")
    known = recognise(head)
    if known is None:
        raise _Refused(NO_MEDIUM)
    player, media_type = known
    if player != "image":
        return _Found(path, player, media_type, size)
    try:
        with Image.open(path, formats=("GIF", "WEBP")) as image:
            width, height = image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise _Refused(NO_MEDIUM) from None
    scale = max(1, WIDEST_CLIP // max(width, height))
    return _Found(path, player, media_type, size, width * scale, height * scale)


def _squeezed(file: _Found) -> _Found:
    """A sound as MP3, where that is smaller; anything else as it is."""
    if file.player != "audio" or file.size > LARGEST_DECODED:
        return file
    data = as_mp3(file.path)
    return file if data is None or len(data) >= file.size else replace(file, type=MP3, size=len(data), data=data)


def _embedded(found: Sequence[_Found], refused: dict[str, list[str]]) -> Iterator[Medium]:
    for one in found:
        data = one.data
        try:
            if data is None:
                with one.path.open("rb") as file:
                    data = file.read(one.size)  # a file that grew since it was looked at keeps within the budget
        except OSError:
            refused.setdefault(UNREADABLE, []).append(one.path.name)
            continue
        name = _called(one.path)
        strip = as_strip(data, MOST_FRAMES) if one.player == "image" else None
        if strip is not None and len(strip.data) <= one.largest:
            yield Medium("strip", _data_uri("image/webp", strip.data), name, one.width, one.height, strip=strip)
            continue
        wave, seconds = ("", 0.0)
        if one.player == "audio" and one.size <= LARGEST_DECODED:
            wave, seconds = loudness(data)
        yield Medium(
            one.player, _data_uri(one.type, data), name, one.width, one.height, one.data is not None, wave, seconds
        )


def _data_uri(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def _called(path: Path) -> str:
    """The sample in words: by its number where the name has one, and by what the writer called it."""
    name = _BEGINNING.sub("", path.stem)
    if (number := sample_number(name)) is not None:
        return f"sample {number}"
    if several := _NUMBERED.fullmatch(name):  # of one sample, such as its source
        return printable(f"sample {sample_number(several[1])}, {several[2]}")
    return printable(name or "all samples")


def _sentence(names: Sequence[str], reason: str) -> str:
    shown = ", ".join(f"samples/{printable(name)}" for name in names[:NAMED])
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{shown}{more} {'are' if len(names) > 1 else 'is'} left out: {reason}."
