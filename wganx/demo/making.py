"""Carrying out what visitors ask for, as ``wganx sample`` does it, with one generator that stays loaded."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import get_ident
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.modules.module import register_module_forward_pre_hook

from wganx.batch import Batch
from wganx.demo.commands import command_of
from wganx.demo.line import Left
from wganx.demo.offers import offer_of
from wganx.demo.wishes import Wish
from wganx.engine import apart
from wganx.errors import WganxError
from wganx.plain import printable
from wganx.report.wording import asked
from wganx.runs import Passage, Run, Sliding
from wganx.runs.looking import draw_preview, write_files, write_picture
from wganx.runs.sliding import STOPS, Slider
from wganx.runs.walk import noises_of_seeds

WALKED = 9
"""Stops of a walk."""
_MOST_SLIDINGS = 16
"""That are kept, one for all labels that are chosen alike."""


class Watcher(Protocol):
    """Who waits for what is being made."""

    def check(self) -> None:
        """Raises where it is for nothing, or takes too long."""

    def check_open(self) -> None:
        """Raises where nobody at all can wait for anything any longer."""

    def tell(self, share: float) -> None:
        """Hears how much is done, in 0 .. 1."""

    def begin_anew(self) -> None:
        """Hears that the work begins here, and what was before is not counted."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Samples at one place of a way, or all there are: a picture of them, and sounds or clips beside it.

    Attributes:
        label: where it is.
        names: what each sample was asked to be.
    """

    label: str
    picture: Path
    files: tuple[Path, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a wish.

    Attributes:
        title: it in words.
        stops: what was drawn: one, or several that belong under a slider.
        unit: of the slider over the stops, and at which it `begins`.
        sent: the visitor's file and what was made of it, where it was one.
        download: the file to take away, and what it is called there.
        told: what has to be said of it, such as another rate than that of the training.
        command: by which a terminal makes the same; empty where there is none.
    """

    title: str
    download: Path
    name: str
    stops: tuple[Stop, ...] = ()
    unit: str = "Way"
    begins: int = 0
    sent: tuple[Path, Path] | None = None
    told: tuple[str, ...] = ()
    command: str = ""


class Workshop:
    """A run whose generator stays loaded; works for one visitor at a time.

    Attributes:
        step: of its checkpoint.
        offer: what can be wished for.

    Raises:
        CheckpointError: there is no such checkpoint.
        UsageError: there is nothing to try.
    """

    def __init__(self, run: Run, checkpoint: str = "last") -> None:
        self.run, self.checkpoint = run, checkpoint
        self.sampler, self.step = run.sampler(checkpoint), run.step_of(checkpoint)
        self.offer = offer_of(run, self.sampler)
        self._watcher: Watcher | None = None
        self._check: Callable[[], None] = lambda: None
        self._slidings: dict[tuple[tuple[str, str], ...], Sliding] = {}

    def make(self, wish: Wish, folder: Path, watcher: Watcher) -> Made:
        """What is wished for, written under `folder`; the visitor's file lies there as ``source`` with its ending.

        Raises:
            WganxError: in one line what is wrong with the wish or the file; no path of this machine is in it.
        """
        carry = {"draw": self._draw, "walk": self._walk, "slide": self._slide, "send": self._send}[wish.way]
        with self._watched_by(watcher):
            try:
                return carry(wish, folder)
            except Left:
                raise
            except WganxError as error:
                raise WganxError(_for_visitors(str(error), wish, folder)) from error

    @contextmanager
    def _watched_by(self, watcher: Watcher) -> Iterator[None]:
        """Inside, every call of any network of this thread is a moment at which the work can be broken off."""
        own = get_ident()

        def called(*_: object) -> None:
            if get_ident() == own:
                self._look_up()

        self._watcher, self._check = watcher, watcher.check
        hook = register_module_forward_pre_hook(called)
        try:
            yield
        finally:
            hook.remove()
            self._watcher = None

    def _look_up(self) -> None:
        if self._watcher is not None:
            self._check()

    def _draw(self, wish: Wish, folder: Path) -> Made:
        batch = self._rows(wish)
        samples = self.sampler.draw(wish.count, seed=wish.seed, context=batch.context, truncation=wish.truncation).cpu()
        batch = batch.to("cpu")
        (folder / "samples").mkdir()
        modality, format = self.run.resolved.parts.modality, self.run.assembly.game.sample
        single = write_files(modality, batch.with_real(samples), format, folder / "samples", "sample")
        stem = _called(self.run, f"seed-{wish.seed}")
        download, name = _packed(single, folder, stem)
        title = f"{wish.count} sample{'s' * (wish.count > 1)}, seed {wish.seed}"
        if wish.truncation != 1:
            title += f", truncation {wish.truncation:g}"
        stop = self._stop("", samples, batch, folder, f"step-{self.step:06d}")
        return Made(_with_given(title, wish), download, name, (stop,), command=self._command(wish))

    def _walk(self, wish: Wish, folder: Path) -> Made:
        batch = self._rows(wish)
        stops = []
        for number, noise in enumerate(noises_of_seeds(self.sampler, wish.count, WALKED, wish.seed, wish.to)):
            samples = self.sampler.draw(
                wish.count, seed=wish.seed, context=batch.context, noise=noise, truncation=wish.truncation
            )
            share = 100 * number / (WALKED - 1)
            at = {0: f"seed {wish.seed}", WALKED - 1: f"seed {wish.to}"}.get(number, f"{share:.0f} % of the way")
            stops.append(self._stop(at, samples.cpu(), batch.to("cpu"), folder, self._stem(number)))
            self._tell((number + 1) / WALKED)
        title = f"A walk from seed {wish.seed} to seed {wish.to}"
        return self._way(_with_given(title, wish), stops, folder, f"walk-{wish.seed}-{wish.to}")

    def _slide(self, wish: Wish, folder: Path) -> Made:
        sliding = Sliding(self.run, self.sampler, seed=wish.seed, given=wish.given)
        samples = sliding.samples(self._slider(wish), wish.count)
        batch = self._rows(wish).to("cpu")
        stops = []
        for number, at in enumerate(STOPS):
            stops.append(
                self._stop(f"{at:+g}" if at else "0", samples[number :: len(STOPS)], batch, folder, self._stem(number))
            )
            self._tell((number + 1) / len(STOPS))
        along = f"way {wish.along}" if wish.along.isdecimal() else wish.along
        title = f"Along {along}, seed {wish.seed}"
        made = self._way(_with_given(title, wish), stops, folder, f"slide-{wish.along}")
        middle = len(STOPS) // 2  # neither of the direction's ends
        return replace(made, unit="Deviations", begins=middle, command=self._command(wish))

    def _send(self, wish: Wish, folder: Path) -> Made:
        source, told = folder / f"source{wish.ending}", list[str]()
        made = folder / f"made{wish.made_as or wish.ending}"

        def watch(passage: Passage) -> None:
            self._look_up()
            self._tell(passage.done / max(passage.length, 1))

        applying = self.run.applying(
            self.sampler, wish.options, seed=wish.seed, given=wish.given, watch=watch, warn=told.append
        )
        applying.to(source, made)
        stem = Path(wish.name).stem or "made"
        words = tuple(_for_visitors(line, wish, folder) for line in told)
        download, name = made, f"{stem}-made{made.suffix}"
        if made.is_dir():  # of a name without an ending, where such files may lie in pieces
            download, name = _packed(sorted(made.iterdir()), folder, f"{stem}-made")
        title = _with_given(wish.name or "The file", wish)
        return Made(title, download, name, sent=(source, made), told=words, command=self._command(wish))

    def _rows(self, wish: Wish) -> Batch:
        return self.run.batch_for(self.sampler, wish.count, seed=wish.seed, given=wish.given)

    def _slider(self, wish: Wish) -> Slider:
        """What leads to a class takes thousands of samples to find, and a network that tells classes apart to learn.

        That is once for all visitors and all classes, so it is not broken off where this one leaves, nor counted as the
        work for this one.
        """
        key = tuple(sorted(wish.given.items()))
        if key not in self._slidings:
            if len(self._slidings) >= _MOST_SLIDINGS:
                self._slidings.clear()
            seed = self.run.resolved.run.seed
            self._slidings[key] = Sliding(self.run, self.sampler, seed=seed, given=wish.given)
        assert self._watcher is not None
        self._check = self._watcher.check_open
        slider = self._slidings[key].slider(wish.along)
        self._check = self._watcher.check
        self._watcher.begin_anew()
        return slider

    def _stop(self, label: str, samples: Tensor, batch: Batch, folder: Path, stem: str) -> Stop:
        parts, game = self.run.resolved.parts, self.run.assembly.game
        # A game's own preview shows samples beside what they were made from, which only the data has.
        own = (parts.task, game) if len(batch.real) else None
        shown = folder / "shown"
        shown.mkdir(exist_ok=True)
        self._look_up()
        with apart(self.run.resolved.run.seed, torch.device("cpu")):
            preview = draw_preview(parts.modality, samples, batch, game.sample, shown, stem, own)
        picture = write_picture(preview.picture, shown / f"{stem}.png")
        names = tuple(asked(self.sampler.context, batch.context, row) for row in range(len(samples)))
        return Stop(label, picture, preview.files, names)

    def _way(self, title: str, stops: Sequence[Stop], folder: Path, stem: str) -> Made:
        files = [path for stop in stops for path in (stop.picture, *stop.files)]
        download, name = _packed(files, folder, _called(self.run, stem))
        return Made(title, download, name, tuple(stops))

    def _stem(self, number: int) -> str:
        return f"walk-{self.step:06d}-{number:02d}"

    def _tell(self, share: float) -> None:
        if self._watcher is not None:
            self._watcher.tell(min(1.0, share))

    def _command(self, wish: Wish) -> str:
        return command_of(wish, self.offer, self.run.folder.path, self.checkpoint)


def _with_given(title: str, wish: Wish) -> str:
    return ", ".join([title, *(printable(f"{name} {value}") for name, value in wish.given.items())])


def _called(run: Run, stem: str) -> str:
    return f"{run.folder.path.resolve().name}-{stem}"


def _packed(files: Sequence[Path], folder: Path, stem: str) -> tuple[Path, str]:
    """One file as it is, several in an archive whose bytes follow from theirs; and what it is called elsewhere."""
    if len(files) == 1:
        return files[0], f"{stem}{files[0].suffix}"
    archive = folder / "all.zip"
    with zipfile.ZipFile(archive, "w") as packed:  # pictures, sounds and films are small already
        for path in files:
            packed.writestr(zipfile.ZipInfo(f"{stem}/{path.name}"), path.read_bytes())
    return archive, f"{stem}.zip"


def _for_visitors(text: str, wish: Wish, folder: Path) -> str:
    """A message in which the visitor's file has its own name, and this machine's folders have none."""
    source = folder / f"source{wish.ending}"
    text = text.replace(str(source), wish.name or "the file").replace(source.name, wish.name or "the file")
    return printable(text.replace(f"{folder}/", "").replace(str(folder), ""))
