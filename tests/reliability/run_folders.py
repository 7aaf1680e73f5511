"""Run folders from a stranger, or after bad luck: damaged, forged, with links and code planted; and what commands do.

`cases` trains two tiny runs, then copies one for every case, changes it, and runs one command on it. Whatever a link
may lead to lies in a folder beside it, which is looked at after each case; so does what planted code would write.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import yaml

from tests.reliability import damage
from tests.reliability.outcome import Outcome, carry_out

_TINY = (
    "train.steps=4", "train.batch_size=8", "checkpoint.every=2", "checkpoint.keep=1", "preview.every=2",
    "preview.count=4", "preview.walk=2", "preview.sliders=1", "log.every=1", "evaluate.every=2", "evaluate.n=16",
)  # fmt: skip
_POINTS = (
    "dataset.count=200",
    "generator.width=8",
    "critic.width=8",
    "evaluate.metrics=[modes]",
    "checkpoint.best=modes",
)
RUNS: dict[str, tuple[str, ...]] = {
    "points": ("--plugin", "points", "--scenario", "ring-labels", *(f"--set={s}" for s in (*_TINY, *_POINTS))),
    "image": ("--plugin", "image", "--scenario", "faces-tiny", *(f"--set={s}" for s in _TINY),
              "--set=evaluate.metrics=[sliced-w1]", "--set=checkpoint.best=sliced_w1"),
}  # fmt: skip
"""How the runs are made that all cases start from."""
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("sample", ".", "-n", "2"),
    ("sample", ".", "-n", "2", "--checkpoint", "best", "--out", "samples/own"),
    ("evaluate", ".", "-n", "8", "--repeats", "1"),
    ("resume", "."),
    ("resume", ".", "--set", "train.steps=6"),
    ("report", "."),
    ("report", ".", "--listen"),
    ("export", ".", "--format", "safetensors"),
    ("config", "show", "--config", "config.yaml"),
    ("doctor", "--security", "."),
    ("compare", ".", "--out", "compared"),
)
_NAMES = (
    "config.yaml", "run.json", "metrics.jsonl", "timings.jsonl", "evaluation.json", "report.html", "listen.html",
    "MODEL_CARD.md", "fitted.safetensors", ".lock", "samples", "samples/real.png", "samples/step-000006.png",
    "samples/own", "samples/own/grid.png", "samples/own/sample-0000.png", "samples/walk-000004-00.png",
    "samples/sliders-000004.png", "checkpoints", "checkpoints/best.json", "checkpoints/step-000006",
    "checkpoints/step-000004/state.json", "evaluations", "evaluations/nearest-generated.png", "exports",
    "exports/generator-safetensors", "compared",
)  # fmt: skip
"""What is written, and may be a link already."""
_PREDICTABLE = ("{}.part", ".{}.writing", ".{}.removing", ".{}.replaced", "{}.tmp", ".{}.tmp", "{}~", ".{}.part")
"""Names by which things are written aside."""
_CODE = """
from pathlib import Path
Path({marker!r}).write_text("code ran", encoding="utf-8")
WGANX_API = 1
"""

Change = Callable[[Path, Path, random.Random], str]


def cases(count: int, seed: int, *, kinds: tuple[str, ...] | None = None) -> Iterator[Outcome]:
    """`count` commands, each on a run folder with one change; the same for the same seed.

    Args:
        kinds: of change, in turn; all by default.
    """
    kinds = kinds or tuple(CHANGES)
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="wganx-strangers-") as scratch:
        home = Path(scratch)
        (home / "own").mkdir()
        begun = {name: home / name for name in RUNS}
        for name, folder in begun.items():
            made = carry_out(
                "a run to start from", name, ["train", *RUNS[name], "--out", str(folder)], folder=home,
                writable=[home], environ=_environment(home / "own"), seconds=120,
            )  # fmt: skip
            if made.result != "survived":
                yield made
                return
        for number in range(count):
            own = random.Random(draw.getrandbits(64))
            kind = kinds[number % len(kinds)]
            name = own.choice(("points", "points", "points", "image"))  # which takes three times as long
            yield _case(kind, begun[name], home, own, f"seed {seed} case {number}: {name}")


def _environment(own: Path) -> dict[str, str]:
    """Where a user's own things lie, which are written by right."""
    names = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "WGANX_CACHE", "TMPDIR", "TORCHINDUCTOR_CACHE_DIR")
    return dict.fromkeys(names, str(own))


def _case(kind: str, begun: Path, scratch: Path, draw: random.Random, told: str) -> Outcome:
    home, own = scratch / "case", scratch / "own"
    _make_away_with(home)
    run, outside = home / "run", home / "outside"
    shutil.copytree(begun, run, symlinks=True)
    (outside / "folder").mkdir(parents=True)
    (outside / "victim").write_text("untouched", encoding="utf-8")
    change = CHANGES[kind](run, outside, draw).replace(str(home), "")
    command = draw.choice(COMMANDS)
    case = f"{told}: {change}; wganx {' '.join(command)}"
    outcome = carry_out(
        kind, case, command, folder=run, writable=[run, own], environ=_environment(own), seconds=SECONDS
    )
    if (outside / "executed").exists() or f"written outside: {outside / 'executed'}" in outcome.said:
        return replace(outcome, result="executed")
    if (outside / "victim").read_text(encoding="utf-8") != "untouched" or _more_than_was_there(outside):
        return replace(outcome, result="outside")
    return outcome


SECONDS = 60.0


def _more_than_was_there(outside: Path) -> list[Path]:
    planted = {"folder", "victim", "of_a_stranger.py"}
    return [path for path in outside.rglob("*") if path.name not in planted and path.suffix != ".pyc"
            and path.name != "__pycache__"]  # fmt: skip


def _make_away_with(home: Path) -> None:
    if home.exists():
        for path in home.rglob("*"):
            if not path.is_symlink():
                path.chmod(0o700 if path.is_dir() else 0o600)
        shutil.rmtree(home)
    home.mkdir()


def _files(run: Path, *endings: str) -> list[Path]:
    found = sorted(path for path in run.rglob("*") if path.is_file() and not path.name.startswith("events.out"))
    return [path for path in found if not endings or path.suffix in endings]


def _bytes(run: Path, outside: Path, draw: random.Random) -> str:
    path = draw.choice(_files(run))
    return f"{path.relative_to(run)}: {damage.bytes_of(path, draw)}"


def _values(run: Path, outside: Path, draw: random.Random) -> str:
    path = draw.choice(_files(run, ".json", ".jsonl", ".yaml"))
    return f"{path.relative_to(run)}: {damage.values_of(path, draw)}"


def _state(run: Path, outside: Path, draw: random.Random) -> str:
    path = draw.choice(sorted(run.glob("checkpoints/*/state.json")))
    return f"{path.relative_to(run)}: {damage.values_of(path, draw)}"


def _tensors(run: Path, outside: Path, draw: random.Random) -> str:
    path = draw.choice(_files(run, ".safetensors"))
    told = damage.tensors_of(path, draw)
    if path.parent != run:
        damage.digests_anew(path.parent)
    return f"{path.relative_to(run)}: {told}"


def _missing(run: Path, outside: Path, draw: random.Random) -> str:
    path = draw.choice([path for path in sorted(run.rglob("*")) if not path.name.startswith("events.out")])
    return f"{path.relative_to(run)}: {damage.missing(path, draw)}"


def _link(run: Path, outside: Path, draw: random.Random) -> str:
    name = draw.choice(_NAMES)
    if draw.random() < 0.4:
        path = run / name
        aside = path.with_name(draw.choice(_PREDICTABLE).format(path.name))
        name = aside.relative_to(run).as_posix()
    path = run / name
    path.parent.mkdir(parents=True, exist_ok=True)
    target = outside / draw.choice(("victim", "new", "folder"))
    if path.is_dir() and not path.is_symlink():
        # A folder of the run lies elsewhere, with all that was in it; or an empty one does.
        target = outside / "folder"
        shutil.rmtree(path)
    elif path.exists() or path.is_symlink():
        path.unlink()
    path.symlink_to(target)
    return f"{name} is a link to outside/{target.name}"


def _code(run: Path, outside: Path, draw: random.Random) -> str:
    """A file of code that the run names: as its plugin, an extension, in a checkpoint, for an extractor or factory."""
    beside = draw.choice((run, outside))
    evil = beside / "of_a_stranger.py"
    evil.write_text(_CODE.format(marker=str(outside / "executed")), encoding="utf-8")
    named = draw.choice(("./of_a_stranger.py", str(evil), "of_a_stranger.py")) if beside == run else str(evil)
    where = draw.choice(("plugin", "extensions", "extensions", "state", "state name", "extractor", "dataset"))
    if where.startswith("state"):
        for file in run.glob("checkpoints/*/state.json"):
            state = json.loads(file.read_text(encoding="utf-8"))
            told = {"name": "of_a_stranger", "distribution": "", "version": "", "file": named}
            if where == "state name":
                told = {"name": named, "distribution": "", "version": "", "file": None}
            state["about"]["plugins"].insert(draw.randrange(2), told)
            file.write_text(json.dumps(state), encoding="utf-8")
        return f"{where} names {named}"
    file = run / "config.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    if where == "plugin":
        config["plugin"] = named
    elif where == "extensions":
        config["extensions"] = [*config["extensions"], named]
    elif where == "extractor":
        config["evaluate"]["metrics"] = [{"name": "frechet", "extractor": "of_a_stranger.pt"}]
        (run / "of_a_stranger.pt").write_bytes(b"PK")
    else:
        config["dataset"]["name"] = named
    file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return f"{where} names {named}"


def _kind_of_file(run: Path, outside: Path, draw: random.Random) -> str:
    """What is no file at all has no end, or never begins."""
    path = draw.choice(_files(run))
    path.unlink()
    made = draw.choice(("a pipe", "a folder", "/dev/zero", "/dev/full"))
    if made == "a pipe":
        os.mkfifo(path)
    elif made == "a folder":
        path.mkdir()
    else:
        path.symlink_to(made)
    return f"{path.relative_to(run)} is {made}"


def _words(run: Path, outside: Path, draw: random.Random) -> str:
    """What a person reads, with HTML and escapes in it."""
    bad = draw.choice((damage.HTML, damage.ESCAPES))
    facts = json.loads((run / "run.json").read_text(encoding="utf-8"))
    where = draw.choice(("notes", "error", "key", "scenario", "metric", "file", "evaluation", "label"))
    if where == "notes":
        facts["notes"] = [bad, f"a note {bad}"]
    elif where == "error":
        facts |= {"error": bad, "status": "failed"}
    elif where in ("key", "scenario"):
        facts |= {bad: bad, "origins": {bad: bad}, "scenario": bad}
    (run / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    if where == "metric":
        with (run / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": 4, bad: 1.0, "health": {"code": bad, "level": bad, "text": bad}}) + "\n")
    elif where == "file":
        (run / "samples" / f"step-000004-{bad.replace('/', '')[:60]}.png").write_bytes(b"x")
    elif where == "evaluation":
        text = (run / "run.json").read_text(encoding="utf-8")
        (run / "evaluation.json").write_text(
            json.dumps({"step": 4, "rows": [{"value": bad, "metric": bad}], "n": text})
        )
    elif where == "label":
        for path in run.glob("checkpoints/*/state.json"):
            state = json.loads(path.read_text(encoding="utf-8"))
            for format in [*state["about"]["context"].values(), *state["about"]["items"].values()]:
                if format.get("classes"):
                    format["classes"][0] = bad
            path.write_text(json.dumps(state), encoding="utf-8")
    elif where == "scenario":
        config = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
        config["scenario"] = bad
        (run / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return f"{where} says {bad[:12]!r}"


def _digests(run: Path, outside: Path, draw: random.Random) -> str:
    """What ``state.json`` says of the files beside it is of another kind, or about other files."""
    checkpoint = draw.choice(sorted(path.parent for path in run.glob("checkpoints/*/state.json")))
    file = checkpoint / "state.json"
    state = json.loads(file.read_text(encoding="utf-8"))
    forged = draw.choice((
        {}, None, [], "x", 5, {"weights.safetensors": "0" * 64}, {"/dev/zero": "x"}, {"/dev/stdin": "x"},
        {**state["digests"], "/dev/zero": "0" * 64}, {**state["digests"], "../../run.json": "0" * 64},
        dict.fromkeys(state["digests"]), {name: [name] for name in state["digests"]},
        {name: digest.upper() for name, digest in state["digests"].items()},
    ))  # fmt: skip
    if draw.random() < 0.2:
        (checkpoint / "weights.safetensors").unlink()
        (checkpoint / "weights.safetensors").symlink_to("/dev/zero")
    else:
        state["digests"] = forged
        file.write_text(json.dumps(state), encoding="utf-8")
    return f"{checkpoint.name}: digests {str(forged)[:80]}"


CHANGES: dict[str, Change] = {
    "bytes of a run": _bytes,
    "values of a run": _values,
    "values of a checkpoint": _state,
    "tensors of a run": _tensors,
    "files of a run missing": _missing,
    "links in a run": _link,
    "what is no file in a run": _kind_of_file,
    "code in a run": _code,
    "words in a run": _words,
    "digests of a checkpoint": _digests,
}
