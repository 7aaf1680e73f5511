"""Damaged and hostile data of every kind, under every command that reads it."""

from __future__ import annotations

import io
import math
import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tests.reliability.data_damage import ANY_FILE, OF_ENDING, OF_FOLDER
from tests.reliability.data_sets import KINDS, Kind
from tests.reliability.outcome import SECONDS, Outcome, carry_out, homes_in

_STEPS = ("train.steps=2", "train.batch_size=4", "preview.count=2", "evaluate.every=0")
STOPPED_AFTER = 6.0
"""Seconds of the processor after which what is made of whole films is told to stop."""
_PACE = 5.0
"""A command that takes longer than 10 s on a slow machine, and longer than so many times what it takes on whole data,
hangs."""


@dataclass(frozen=True)
class Sound:
    """What is sound, and damaged in copies.

    Attributes:
        kind: of data.
        folder: where it lies.
        run: a run whose networks its files can be sent through, if there is one.
        seconds: that a training on it takes.
    """

    kind: Kind
    folder: Path
    run: Path | None
    seconds: float


def cases(count: int, seed: int, kinds: Sequence[Kind] = KINDS) -> Iterator[Outcome]:
    """`count` commands on damaged data of these kinds in turn; the same for the same seed, however many follow."""
    with tempfile.TemporaryDirectory(prefix="wganx-data-") as place, homes_in(Path(place)):
        sound = [_made(kind, Path(place, "sound")) for kind in kinds]
        for number in range(count):
            yield _case(sound[number % len(sound)], Path(place, "case"), random.Random(f"{seed} {number}"))


def _made(kind: Kind, place: Path) -> Sound:
    """The data, on which one training in this process shows that it is sound, and imports what trainings need."""
    folder = place / kind.name.replace(" ", "-")
    folder.mkdir(parents=True)
    kind.make(folder)
    begun = time.monotonic()
    if kind.name != "pickles":
        trained(_training(kind, folder / kind.root, place / f"{folder.name}-run"))
    run = None
    if kind.source is not None:
        run = place / kind.source
        if not run.exists():
            trained(["train", "--plugin", kind.plugin, "--scenario", kind.source, "--out", str(run), *_set(_STEPS)])
    return Sound(kind, folder, run, time.monotonic() - begun)


def trained(arguments: Sequence[str]) -> None:
    """A training that is to end well, in this process; what it prints is kept for when it does not."""
    main = import_module("wganx.cli").main
    said, code = io.StringIO(), None
    with redirect_stdout(said), redirect_stderr(said):
        try:
            main(args=list(arguments), prog_name="wganx")
        except SystemExit as error:
            code = error.code
    assert not code, f"data that is sound is refused: {' '.join(arguments)}\n{said.getvalue()[-2000:]}"


def _case(sound: Sound, place: Path, rng: random.Random) -> Outcome:
    kind = sound.kind
    shutil.rmtree(place, ignore_errors=True)
    if "dataset.pack=always" in kind.settings and rng.random() < 0.3:
        return _pack_case(sound, place, rng)
    folder = place / "data" / "given"
    shutil.copytree(sound.folder, folder)
    (place / "data" / "beside.txt").write_text("of another kind", encoding="utf-8")
    damages = [_damage(folder, rng) for _ in range(rng.choice((1, 1, 1, 2)))]
    given = folder / kind.root
    if kind.plain and rng.random() < 0.25:
        given = _zipped(folder, rng, damages)
    arguments = _command(sound, given, place, rng)
    return carry_out(
        kind.name,
        f"{'; '.join(damages)}: wganx {' '.join(arguments)}",
        arguments,
        folder=place,
        writable=[place],
        seconds=max(SECONDS, _PACE * sound.seconds),
        # A film of 65,535 lines is work, if it can be stopped.
        stopped_after=STOPPED_AFTER if arguments[0] == "sample" else math.inf,
    )


def _pack_case(sound: Sound, place: Path, rng: random.Random) -> Outcome:
    """Sound data, of which what was decoded earlier and kept is damaged."""
    cache = place / "cache"
    shutil.copytree(os.environ["WGANX_CACHE"], cache)
    damage = _damage(cache, rng)
    arguments = _training(sound.kind, sound.folder / sound.kind.root, place / "run")
    return carry_out(
        "packs",
        f"{damage}: wganx {' '.join(arguments)}",
        arguments,
        folder=place,
        writable=[place],
        environ={"WGANX_CACHE": str(cache)},
        seconds=max(SECONDS, _PACE * sound.seconds),
    )


def _damage(folder: Path, rng: random.Random) -> str:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    if not paths or rng.random() < 0.25:
        return "nothing is left" if not paths else rng.choice(OF_FOLDER)(folder, rng)
    path = rng.choice(paths)
    own = OF_ENDING.get(path.suffix, ())
    damage = rng.choice(own if own and rng.random() < 0.5 else ANY_FILE)
    if not path.stat().st_size:
        return f"{path.name} is empty"
    return f"{path.relative_to(folder)}: {damage(path, rng)}"


def _zipped(folder: Path, rng: random.Random, damages: list[str]) -> Path:
    """A zip archive of the folder without its links and pipes, damaged or not."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or path.is_fifo():
            path.unlink()
    with suppress(ValueError, UnicodeError, OSError):
        shutil.make_archive(str(folder), "zip", folder)
    archive = folder.with_suffix(".zip")
    if archive.exists() and archive.stat().st_size:
        damages.append(f"zip: {rng.choice((*OF_ENDING['.zip'], *ANY_FILE))(archive, rng)}")
    return archive


def _command(sound: Sound, given: Path, place: Path, rng: random.Random) -> list[str]:
    kind, chance = sound.kind, rng.random()
    if sound.run is not None and chance < 0.2:
        files = sorted(path for path in given.rglob("*") if not path.is_dir()) if given.is_dir() else [given]
        source = rng.choice([given, *files])
        return ["sample", str(sound.run), "--source", str(source), "--out", str(place / "made")]
    if kind.dataset != "" and chance < 0.5:
        own = ["--dataset", kind.dataset] if kind.dataset else []
        return ["data", "scan", str(given), "--plugin", kind.plugin, *own, *(["--json"] if rng.random() < 0.3 else [])]
    if kind.dataset is None and chance < 0.65:
        arrays = sorted(given.rglob("*.np[yz]")) if given.is_dir() else []
        other = rng.choice([given, *arrays])
        sizes = _set(setting for setting in kind.settings if setting.startswith("dataset.size"))
        return [
            "distance",
            str(sound.folder),
            str(other),
            "--plugin",
            kind.plugin,
            "--n",
            "4",
            "--repeats",
            "2",
            *sizes,
        ]
    return _training(kind, given, place / "run")


def _training(kind: Kind, given: Path, out: Path) -> list[str]:
    settings = iter(kind.settings)
    own = [part for name in settings for part in ((name, next(settings)) if name[0] == "-" else ("--set", name))]
    common = ["train", "--plugin", kind.plugin, "--data", str(given), "--out", str(out), "--device", "cpu"]
    return [*common, *own, *_set(_STEPS)]


def _set(settings: Iterator[str] | Sequence[str]) -> list[str]:
    return [part for setting in settings for part in ("--set", setting)]
