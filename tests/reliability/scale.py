"""Folders of very many files, and files that change, vanish or grow while they are learnt from."""

from __future__ import annotations

import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from PIL import Image

from tests.reliability.data_files import trained
from tests.reliability.data_sets import pictures
from tests.reliability.outcome import SECONDS, Outcome, homes_in, judge
from wganx.data.layout import layout_of

FILES_A_CASE = 200
"""Of 1,000 cases, folders of 200,000 files are made."""
BYTES_A_FILE = 8 << 10
"""That a training may keep of each, its pixels among them, beside half a gigabyte."""
STEEPEST = 3.0
"""What a file may cost in a large folder, by what it costs in one a tenth as large, which is not packed."""
_SETTINGS = (
    "dataset.size=16", "generator.name=dcgan", "critic.name=dcgan", "generator.width=4", "critic.width=4",
    "preview.count=2", "evaluate.every=0", "train.batch_size=4", "train.critic_steps=1",
)  # fmt: skip


def cases(count: int, seed: int) -> Iterator[Outcome]:
    """Two commands on folders of 200 times `count` files; then a training for each way in which files change."""
    with tempfile.TemporaryDirectory(prefix="wganx-scale-") as place, homes_in(Path(place)):
        yield from _many(max(count * FILES_A_CASE, 1000), Path(place))
        yield from changing(Path(place), random.Random(seed))


def _many(files: int, place: Path) -> Iterator[Outcome]:
    few, many = place / "few", place / "many"
    _fill(few, files // 10)
    _fill(many, files)
    trained(_training(few, place / "warm", 1))  # imports, before anything is timed
    for name, command in (("many files, the first step", _first_step), ("many files, a scan", _scan)):
        seconds = []
        for folder in (few, many):
            found = _timed(name, command(folder, place / f"run-{folder.name}-{len(name)}"), place, files)
            seconds.append(found.seconds)
        per_file = [seconds[0] / (files // 10), seconds[1] / files]
        told = f"{files // 10:,} files in {seconds[0]:.1f} s, {files:,} in {seconds[1]:.1f}"
        found = replace(found, case=f"{told}, {1e4 * per_file[1]:.1f} s per 10,000: {found.case}")
        yield replace(found, result="hang") if found.good and per_file[1] > STEEPEST * per_file[0] else found


def _timed(name: str, arguments: Sequence[str], place: Path, files: int) -> Outcome:
    memory = (1 << 29) + BYTES_A_FILE * files
    return judge(name, " ".join(arguments), lambda: _run(arguments), writable=[place], seconds=3600, memory=memory)


def _fill(folder: Path, count: int) -> None:
    """A thousand files a folder; as links to a few, which takes a moment."""
    contents = folder.with_name(f"{folder.name}-contents")
    contents.mkdir()
    for number, pixels in enumerate(pictures(0, 16, size=16)):
        Image.fromarray(pixels).save(contents / f"{number}.png")
    for number in range(count):
        if number % 1000 == 0:
            (folder / f"{number // 1000:03}").mkdir(parents=True)
        os.link(contents / f"{number % 16}.png", folder / f"{number // 1000:03}" / f"{number:06}.png")


def _first_step(folder: Path, run: Path) -> list[str]:
    return _training(folder, run, 1)


def _scan(folder: Path, run: Path) -> list[str]:
    return ["data", "scan", str(folder), "--plugin", "image", "--json"]


def _training(folder: Path, run: Path, steps: int, *more: str) -> list[str]:
    settings = (*_SETTINGS, f"train.steps={steps}", *more)
    own = ["train", "--plugin", "image", "--data", str(folder), "--out", str(run), "--device", "cpu"]
    return own + [part for setting in settings for part in ("--set", setting)]


def _run(arguments: Sequence[str]) -> int:
    try:
        import_module("wganx.cli").main(args=list(arguments), prog_name="wganx")
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    return 0


def _vanish(path: Path) -> None:
    path.unlink()


def _shrink(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(bytes(1 << 20))


def _become_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


CHANGES: tuple[Callable[[Path], None], ...] = (_vanish, _shrink, _grow, _become_a_pipe, _become_a_folder)


def changing(
    place: Path,
    rng: random.Random,
    changes: Sequence[Callable[[Path], None]] = CHANGES,
    shares: Sequence[str] = ("one", "all"),
) -> Iterator[Outcome]:
    """One file of 60, or all, change once the training has made its folder."""
    for change in changes:
        for share in shares:
            folder = place / f"{change.__name__}-{share}"
            folder.mkdir()
            for number, pixels in enumerate(pictures(rng.randrange(2**31), 60, size=16)):
                Image.fromarray(pixels).save(folder / f"{number:02}.png")
            paths = sorted(folder.iterdir())
            learnt = layout_of([path.name for path in paths]).train  # what is held out is read once, perhaps before
            changed = paths if share == "all" else [folder / rng.choice(learnt)]
            run = place / f"run-{folder.name}"
            arguments = _training(
                folder, run, 60, "dataset.feed=stream", "dataset.pack=off", "log.every=20", "checkpoint.every=20"
            )

            def work() -> int:
                threading.Thread(target=_meddle, args=(run, changed, change), daemon=True).start()  # noqa: B023
                return _run(arguments)  # noqa: B023

            what = f"{share} of 60 files {change.__name__.strip('_').replace('_', ' ')}"
            found = judge("changing files", what, work, writable=[place], seconds=6 * SECONDS)
            named = any(path.name in found.said for path in changed)
            yield found if named or not found.good else replace(found, result="lost")


def _meddle(run: Path, paths: Sequence[Path], change: Callable[[Path], None]) -> None:
    while not (run / "checkpoints").exists():
        time.sleep(0.005)
    for path in paths:
        change(path)
