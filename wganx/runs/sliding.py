"""Sliders: samples along a direction of the noise that changes one thing, an attribute or what changes most."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from wganx.batch import Batch, SampleFormat
from wganx.engine import Sampler, apart
from wganx.errors import CheckpointError, DataError, UsageError, WganxError, did_you_mean
from wganx.evaluation.directions import direction_to, leading_directions, log_odds, placed
from wganx.plugins.descriptors import Extractor
from wganx.plugins.guard import call, one_line
from wganx.runs.drawn import make_room
from wganx.runs.looking import write_files, write_picture
from wganx.runs.room import check_samples
from wganx.runs.run import Run
from wganx.storage import json_text, write_whole

STOPS = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
"""In deviations of the noise along the direction."""
_LEARNT_FROM, _MEASURED_ON = 4000, 256


@dataclass(frozen=True, slots=True, eq=False)
class Slider:
    """A direction of the noise.

    Attributes:
        name: ``glasses=dark``, or ``way 2`` for the second of those that change most.
        direction: ``(numbers of the noise,)``, of length 1.
        label: whose class becomes likelier along it; empty for a way.
        index: of the class.
    """

    name: str
    direction: Tensor
    label: str = ""
    index: int = 0


@dataclass(frozen=True, slots=True)
class Slid:
    """What a classifier of the dataset's labels sees along a slider, on samples that did not find it.

    Attributes:
        count: samples at every stop, which differ in the stop alone.
        seen: the mean probability of the slider's class at every stop; empty for a way.
        changed: by label, the share that is seen as another class at one end than at the other.
        by_chance: the same along a direction that chance chose.
    """

    count: int
    seen: tuple[float, ...]
    changed: Mapping[str, float]
    by_chance: Mapping[str, float]

    def in_words(self, slider: Slider) -> str:
        """Both in a line each."""
        told = []
        if self.seen:
            shares = ", ".join(f"{share:.2f}" for share in self.seen)
            told.append(f"{slider.name} is seen with probability {shares} from -3 to 3 deviations")
        changes = ", ".join(
            f"{label} {share:.0%} (by chance {self.by_chance[label]:.0%})" for label, share in self.changed.items()
        )
        return "; ".join([*told, f"seen as another class from end to end: {changes}"]) + f"; of {self.count} samples"


class Sliding:
    """Sliders of a run's generator.

    Directions to a class come from what a classifier of the dataset's own labels sees in generated samples; the ways
    need neither labels nor data (`wganx.evaluation.directions`).

    Args:
        seed: of the noise that is looked at.
        given: classes of the labels that the generator is given.

    Raises:
        UsageError: the generator takes no noise, or context that only data has.
    """

    def __init__(
        self, run: Run, sampler: Sampler, *, seed: int, given: Mapping[str, str | float] | None = None
    ) -> None:
        if sampler.noise is None:
            raise UsageError("this generator takes no noise, so there is nothing to slide along; leave --slide out")
        self.run, self.sampler, self.seed, self.given = run, sampler, seed, dict(given or {})
        self.shape = sampler.noise
        self.size = int(torch.Size(sampler.noise).numel())

    def slider(self, wanted: str) -> Slider:
        """``2`` is the second way; ``glasses=dark``, or ``dark`` alone, leads to a class; ``smile`` to yes of no, yes.

        Raises:
            UsageError: there is no such thing, or it is chosen and not slid.
        """
        if wanted.isdecimal():
            if not 1 <= int(wanted) <= self.size:
                raise UsageError(f"the noise has {self.size} ways, from 1 to {self.size}, and --slide {wanted} is none")
            return self.ways(int(wanted))[-1]
        label, index = self._class(wanted)
        if label in self.sampler.context:
            raise UsageError(
                f"{label} is told to this generator, so its noise says nothing of it: choose it by --given {label}=..."
            )
        name = f"{label}={self._labels[label].classes[index]}"
        try:
            direction = self._direction(label, index)
        except DataError as error:
            raise DataError(f"--slide {wanted}: {error}") from None
        return Slider(name, direction, label, index)

    def classes(self) -> list[str]:
        """What leads to a class here, ``glasses=dark``: of two classes, the second alone; none where no data is."""
        try:
            offered = self._labels if self._extractor is not None else {}
        except (WganxError, OSError):
            return []
        return [
            f"{label}={name}"
            for label, each in offered.items()
            if label not in self.sampler.context
            for name in (each.classes[1:] if len(each.classes) == 2 else each.classes)
        ]

    def ways(self, count: int) -> list[Slider]:
        """The directions that change the most of what the first layer makes of the noise."""
        responses = self.sampler.noise_layer(self.sampler.context_rows(1, given=self.given)).responses()
        found = leading_directions(responses, count)
        return [Slider(f"way {number}", direction) for number, direction in enumerate(found, 1)]

    def samples(self, slider: Slider, count: int) -> Tensor:
        """``(count * 7, *sample.shape)``: each of so many noises at every stop, one after the other."""
        noise = self._drawn(count, self.seed)
        stops = torch.stack([placed(noise, slider.direction, at) for at in STOPS], 1).flatten(0, 1)
        return self._made(stops, repeat=len(STOPS))

    def sheet(self, sliders: Sequence[Slider], samples: Tensor, count: int) -> Tensor:
        """`samples` of sliders, one after the other, as a picture of `count` lines each; uint8 ``(C, H, W)``.

        Raises:
            UsageError: such samples are not looked at so.
        """
        modality = self.run.resolved.parts.modality
        if modality.sheet is None:
            raise UsageError(f"{modality} has no sheet for sliders; leave --slide out")
        rows = [name for slider in sliders for name in (slider.name, *[""] * (count - 1))]
        columns = [f"{at:+g}" if at else "0" for at in STOPS]
        format = self.sampler.sample or self.run.assembly.game.sample
        picture: Tensor = call(modality, "sheet", samples, format, rows, columns, returns=Tensor)
        return picture

    def write(self, sliders: Sequence[Slider], count: int, folder: Path, *, overwrite: bool = False) -> list[Path]:
        """One file a sample, and the sheet as ``grid.png``, the last of the paths.

        Raises:
            UsageError: `folder` holds files already; those of an earlier draw go where `overwrite` says so. Or memory
                has no place for so many.
        """
        check_samples(self.sampler, count * len(sliders), written=True, each=len(STOPS))
        samples = torch.cat([self.samples(slider, count) for slider in sliders])
        picture, modality = self.sheet(sliders, samples, count), self.run.resolved.parts.modality
        format = self.sampler.sample or self.run.assembly.game.sample
        make_room(self.run.folder.check_own(folder), overwrite=overwrite)
        written = write_files(modality, Batch(samples), format, folder, "sample")
        return [*written, write_picture(picture, folder / "grid.png")]

    def measure(self, slider: Slider) -> Slid | None:
        """How the slider changes what it is for, and all else; None where nothing tells labels apart."""
        if not self._labels or self._extractor is None:
            return None
        noise = self._drawn(_MEASURED_ON, self.seed + 2)
        logits = [self._seen(placed(noise, slider.direction, at)) for at in STOPS]
        seen = [each[slider.label].softmax(1)[:, slider.index].mean().item() for each in logits if slider.label]
        with apart(self.seed + 3, self.sampler.device) as draws:
            other = torch.randn(self.size, generator=draws, device=self.sampler.device).cpu().double()
        ends = [self._seen(placed(noise, other / other.norm(), at)) for at in (STOPS[0], STOPS[-1])]
        return Slid(_MEASURED_ON, tuple(seen), _changed(logits[0], logits[-1]), _changed(*ends))

    @cached_property
    def _labels(self) -> dict[str, SampleFormat]:
        return {name: each for name, each in self.run.assembly.train_items.formats.items() if each.is_label}

    @cached_property
    def _extractor(self) -> str | None:
        """The one that tells the dataset's labels apart."""
        own = self.run.resolved.parts.modality.name
        offers = self.run.resolved.catalog.offers(Extractor)
        return next((each.name for each in offers if each.finds_labels and each.modality == own), None)

    def _class(self, wanted: str) -> tuple[str, int]:
        """The label and class that are meant."""
        if not self._labels or self._extractor is None:
            lacks = "this dataset names no labels" if not self._labels else "nothing here tells its labels apart"
            raise UsageError(f"--slide {wanted}: {lacks}; the ways that change most are --slide 1 to {self.size}")
        label, equals, choice = wanted.partition("=")
        if not equals and label not in self._labels:
            having = [name for name, each in self._labels.items() if wanted in each.classes]
            if len(having) == 1:
                label, choice = having[0], wanted
            elif having:
                raise UsageError(f"--slide {wanted}: {' and '.join(having)} have it; say --slide {having[0]}={wanted}")
        if label not in self._labels:
            close = did_you_mean(label, [*self._labels, *(c for each in self._labels.values() for c in each.classes)])
            raise UsageError(f"--slide {wanted}: there is no label {label!r}; labels: {', '.join(self._labels)}{close}")
        classes = self._labels[label].classes
        if not choice and len(classes) == 2:
            return label, 1
        if choice not in classes:
            close = did_you_mean(choice, classes) if choice else ""
            raise UsageError(
                f"--slide {wanted}: say which {label}, --slide {label}=CLASS of {', '.join(classes)}{close}"
            )
        return label, classes.index(choice)

    def _direction(self, label: str, index: int) -> Tensor:
        """To a class, apart from all classes of the other labels that the generator is not told."""
        others = [
            log_odds(logits, other)
            for name, logits in self._logits.items()
            if name != label and name not in self.sampler.context
            for other in range(logits.shape[1])
        ]
        wanted = log_odds(self._logits[label], index)
        return direction_to(self._noise, wanted, torch.stack(others, 1) if others else wanted[:, None][:, :0])

    @cached_property
    def _noise(self) -> Tensor:
        return self._drawn(_LEARNT_FROM, self.seed + 1)

    @cached_property
    def _logits(self) -> dict[str, Tensor]:
        return self._seen(self._noise)

    def _drawn(self, count: int, seed: int) -> Tensor:
        """Noise ``(count, size)`` on the CPU."""
        with apart(seed, self.sampler.device) as draws:
            return torch.randn(count, self.size, generator=draws, device=self.sampler.device).cpu()

    def _made(self, noise: Tensor, repeat: int = 1) -> Tensor:
        """Samples of noise ``(N, size)``, so many rows after each other with the same labels."""
        context = self.sampler.context_rows(len(noise) // repeat, given=self.given)
        context = {name: rows.repeat_interleave(repeat, 0) for name, rows in context.items()}
        return self.sampler.draw(
            len(noise), seed=self.seed, context=context, noise=noise.reshape(-1, *self.shape)
        ).cpu()

    def _seen(self, noise: Tensor) -> dict[str, Tensor]:
        """The classifier's logits of every label for what is made of noise, in double precision."""
        features = self.run.assembly.evaluator.features
        samples = self._made(noise)
        found = features(self._extractor or "", Batch(samples)).double()
        features.forget()
        widths = [len(each.classes) for each in self._labels.values()]
        return dict(zip(self._labels, torch.split(found, widths, 1)))


def _changed(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> dict[str, float]:
    return {label: (logits.argmax(1) != other[label].argmax(1)).double().mean().item() for label, logits in one.items()}


def keep_chosen(run: Run, step: int, sheet: Path, measured: Sequence[str]) -> None:
    """Keep the sheet of sliders that were asked for, and what was measured along them, for the report of the run."""
    run.folder.own(run.folder.samples)
    _make_room(run, step)
    stem = f"sliders-{step:06d}-chosen"
    write_whole(run.folder.samples / f"{stem}.json", json_text(list(measured)) + "\n")
    write_whole(run.folder.samples / f"{stem}.png", sheet.read_bytes())


def _make_room(run: Run, step: int) -> None:
    """Away with the sliders of other steps."""
    for path in run.folder.samples.glob("sliders-*"):
        if path.is_file() and not path.name.startswith(f"sliders-{step:06d}"):
            path.unlink()


def keep_sliders(run: Run, tell: Callable[[str], None]) -> None:
    """Draw the ways of the newest checkpoint for the report if they are wanted and not there; a failure costs no more.

    A line for each of `preview.sliders` ways, ``samples/sliders-STEP.png``; those of an earlier step make room.

    Args:
        tell: hears why there are none.
    """
    count = run.resolved.run.preview.sliders
    try:
        step = run.step_of("last")
        path = run.folder.samples / f"sliders-{step:06d}.png"
        if not count or path.is_file() or run.resolved.parts.modality.sheet is None:
            return
        sampler = run.sampler()
        if sampler.noise is None or not all(each.is_label or each.is_number for each in sampler.context.values()):
            return
        sliding = Sliding(run, sampler, seed=run.resolved.run.seed)
        ways = sliding.ways(count)
        samples = torch.cat([sliding.samples(way, 1) for way in ways])
        run.folder.own(run.folder.samples)
        _make_room(run, step)
        write_picture(sliding.sheet(ways, samples, 1), path)
    except CheckpointError:
        pass  # nothing was learnt yet, or nothing can be read of it, which is told elsewhere
    except (Exception, SystemExit) as error:
        tell(f"no sliders: {error if isinstance(error, WganxError) else one_line(error)}")
