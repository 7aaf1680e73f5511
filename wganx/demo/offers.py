"""What can be tried of a run: found out once, when the demo begins, from its generator, its task and its modality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from wganx.batch import SampleFormat
from wganx.engine import Sampler
from wganx.errors import UsageError, WganxError
from wganx.plain import printable
from wganx.plugins.contracts import Game
from wganx.plugins.descriptors import Dataset
from wganx.runs import Run, Sliding
from wganx.runs.drawing import is_chosen

Way = Literal["draw", "walk", "slide", "send"]

MOST_DRAWN, MOST_STOPPED = 64, 16
"""Samples of one wish; of one whose samples are made at every stop of a way."""
_WAYS = 6
_LEAST_TRUNCATION, _MOST_TRUNCATION = 0.1, 1.5


@dataclass(frozen=True, slots=True)
class Choice:
    """A label, a number or a text that can be said of what is made."""

    name: str
    format: SampleFormat

    @property
    def kind(self) -> str:
        """``label``, ``number`` or ``text``."""
        return "label" if self.format.is_label else "number" if self.format.is_number else "text"

    @property
    def range(self) -> tuple[float, float, float]:
        """Of a number: the smallest, the largest, and what it is where nobody says."""
        low, high = self.format.value_range or (0.0, 1.0)
        usual: Any = self.format.signal["usual"]
        return low, high, float(usual)

    @property
    def symbols(self) -> str:
        """Of a text: what it is made of."""
        symbols = _alphabet(self.format)
        return ("" if all(len(symbol) == 1 for symbol in symbols) else " ").join(symbols)


@dataclass(frozen=True, slots=True)
class FileOption:
    """An option of the task that files have a use for, with the run's own value."""

    name: str
    about: str
    own: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What a visitor can ask for.

    Attributes:
        ways: what can be done at all.
        choices: what can be said of what is made.
        truncates: samples can be made more typical.
        slides: directions of the noise, as ``wganx sample --slide`` names them.
        options: of the task, for files.
        endings: of the files that the plugin's own folders hold.
        from_data: what is drawn is made of held-out items, so that a seed chooses these as well.
        has_noise: a seed makes a difference.
        notice: what has to be said wherever such samples are shown.
    """

    ways: tuple[Way, ...]
    choices: tuple[Choice, ...]
    truncates: bool
    slides: tuple[str, ...]
    options: tuple[FileOption, ...]
    endings: tuple[str, ...]
    from_data: bool
    has_noise: bool
    notice: str


def offer_of(run: Run, sampler: Sampler) -> Offer:
    """What can be asked of a run's generator.

    Raises:
        UsageError: nothing can: what it is given comes from data that is gone, and its task makes nothing of files.
    """
    parts, game = run.resolved.parts, run.assembly.game
    # Labels beside anything else belong to the item that the rest comes from, where nobody chooses them.
    picked = all(_is_picked(format) for format in sampler.context.values())
    from_data = not picked and _has_data(run)
    draws = from_data or all(is_chosen(format) for format in sampler.context.values())
    slides = _slides(run, sampler) if picked else ()
    sends = type(game).apply is not Game.apply and parts.modality.open is not None and parts.modality.create is not None
    ways: list[Way] = [*(["draw"] if draws else [])]  # type: ignore[list-item]
    ways += ["walk"] if draws and sampler.noise is not None else []
    ways += ["slide"] if slides else []
    ways += ["send"] if sends else []
    if not ways:
        raise UsageError(
            f"there is nothing to try of {run.folder.path}: its generator is given items of a dataset that is not "
            "there, and its task makes nothing of files; say where the data lies now with --data"
        )
    config = run.resolved.run.task
    fields = type(config).model_fields
    return Offer(
        ways=tuple(ways),
        choices=tuple(Choice(name, each) for name, each in sampler.context.items() if is_chosen(each)),
        truncates=_has_noise_layer(sampler),
        slides=slides,
        options=tuple(
            FileOption(name, printable(fields[name].description or ""), printable(_said(getattr(config, name))))
            for name in (parts.task.applied if sends else ())
        ),
        endings=_endings(run),
        from_data=from_data,
        has_noise=sampler.noise is not None,
        notice=printable(parts.modality.notice),
    )


def _alphabet(format: SampleFormat) -> list[str]:
    alphabet: Any = format.signal["alphabet"]
    return [str(symbol) for symbol in alphabet]


def _is_picked(format: SampleFormat) -> bool:
    return format.is_label or format.is_number


def _said(value: object) -> str:
    return "none" if value is None else str(value)


def _has_data(run: Run) -> bool:
    try:
        return len(run.assembly.heldout_items) > 0
    except (WganxError, OSError):
        return False


def _has_noise_layer(sampler: Sampler) -> bool:
    if sampler.noise is None or not all(is_chosen(format) for format in sampler.context.values()):
        return False
    any_text = {name: _alphabet(format)[0] for name, format in sampler.context.items() if format.is_text}
    try:
        sampler.noise_layer(sampler.context_rows(1, given=any_text))
    except UsageError:
        return False
    return True


def _slides(run: Run, sampler: Sampler) -> tuple[str, ...]:
    if not _has_noise_layer(sampler):
        return ()
    sliding = Sliding(run, sampler, seed=run.resolved.run.seed)
    ways = len(sliding.ways(_WAYS))
    return (*sliding.classes(), *map(str, range(1, ways + 1)))


def _endings(run: Run) -> tuple[str, ...]:
    modality = run.resolved.parts.modality.name
    folders = [each for each in run.resolved.catalog.offers(Dataset) if each.modality == modality and each.folder]
    return tuple(sorted({ending for each in folders for ending in each.suffixes}))
