"""Configurations that nobody means, through the commands that read one: files, settings, options, extreme values.

A case is made of its seed and number alone, so that ``one(number, seed)`` does it again. A training that is asked for
more than it can do in the time is told to stop, as with Ctrl-C, and must.
"""

from __future__ import annotations

import io
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from tests.reliability.hostile_yaml import document, hostile, hostile_key
from tests.reliability.outcome import Outcome, _command, judge

PLUGINS = ("points", "image", "audio", "video")
EXTREMES = (
    "0", "-1", "1", "1000000000", "1" + "0" * 30, ".nan", ".inf", "-.inf", '""', "null", "true", "[]", "[1, 2]",
    "{}", "{a: 1}", "text", "0.5", "-1" + "0" * 30, "1.0e-30", "65536",
)  # fmt: skip
SIZES = (
    "0", "-1", "1", "2", "3", "17", "1000", "65536", "1000000", "1000000000", "1000000000000", "9223372036854775807",
    "0.5", "0.0", "1.0e-30", "1.0e+30", "1.0e+308", "-1.0", "[1, 1]", "[1000000000, 1]", "[0, 0]",
)  # fmt: skip
STOPPED_AFTER = (1.0, 2.0, 5.0)
"""Seconds of the processor, after one of which a training is told to stop; again two seconds later, which ends it at
once."""


def cases(count: int, seed: int) -> Iterator[Outcome]:
    """Two fifths files, one fifth settings and options, two fifths extreme values."""
    with tempfile.TemporaryDirectory(prefix="wganx-configurations-") as work:
        for number in range(count):
            yield one(number, seed, Path(work))


def one(number: int, seed: int, work: Path) -> Outcome:
    """The case of that number, in a folder of its own below `work`."""
    rng = Random(f"{seed}/{number}")
    folder = work / "case"
    folder.mkdir()
    make = (_file, _file, _options, _extreme, _extreme)[number % 5]
    try:
        kind, arguments, environ, told = make(rng, folder)
        case = f"seed {seed}, case {number}: {environ or ''} wganx {' '.join(map(_short, arguments))}{told}"
        # Caches are the case's own: nothing of one may help or harm another.
        return _carried_out(kind, case, arguments, {"WGANX_CACHE": str(folder / "cache"), **environ}, folder, rng)
    finally:
        shutil.rmtree(folder)


Case = tuple[str, list[str], dict[str, str], str]


def _file(rng: Random, folder: Path) -> Case:
    plugin, scenario, sections = rng.choice(scenarios())
    content = document({"plugin": plugin, "scenario": scenario, **sections}, rng)
    (folder / "run.yaml").write_bytes(content)
    return "configuration files", _any_command(rng, "--config", "run.yaml"), {}, f"\n{_short(repr(content), 3000)}"


def _options(rng: Random, folder: Path) -> Case:
    plugin, scenario, sections = rng.choice(scenarios())
    arguments, environ = ["--plugin", plugin, "--scenario", scenario], {}
    sectioned = _keys(sections)
    # Of some hundred options those of the run itself are a handful, and much hangs on each.
    plain = ["plugin", "scenario", *(name for name in sectioned if "." not in name)]
    for _ in range(rng.choice((1, 1, 2))):
        chance = rng.random()
        if chance < 0.2:
            key = rng.choice(plain)
        else:
            key = rng.choice(list(sectioned)) if chance < 0.8 else ".".join(hostile_key(rng) for _ in range(2))
        match rng.choice(("set", "set", "environment", "option")):
            case "set":
                arguments += ["--set", f"{key}={hostile(rng)}" if rng.random() < 0.95 else hostile(rng)]
            case "environment":
                name = f"WGANX__{key.upper().replace('.', '__')}"
                text = hostile(rng).replace("\0", "")
                if "=" not in name and "\0" not in name and len(text) < 100_000:
                    environ[name.encode("utf-8", "replace").decode()] = text.encode("utf-8", "replace").decode()
            case "option":
                option = rng.choice(("--device", "--seed", "--data", "--init", "--extension", "--plugin", "--scenario",
                                     "--config"))  # fmt: skip
                value = hostile(rng) if rng.random() < 0.6 else _unquoted(rng)
                arguments += [option, value]
    return "settings and options", _any_command(rng, *arguments), environ, ""


def _unquoted(rng: Random) -> str:
    """What a shell may hand over as it is."""
    return rng.choice(
        ("\x1b[31mred\x1b[0m", "a\0b", "\udcff", "\u202egnp", "", "~nobody/", "~nobody", "~", "/dev/zero", "x" * 5000,
         "/proc/self/mem", "/" + "x/" * 3000, "-1", "1" + "0" * 30, "meta", "meta:0", "cpu:7", "a\nb", "[bold]x",
         "http://x/y")
    )  # fmt: skip


def _extreme(rng: Random, folder: Path) -> Case:
    small = [each for each in scenarios() if each[0] == "points" or each[1].endswith("-tiny")]
    plugin, scenario, sections = rng.choice(small if rng.random() < 0.9 else scenarios())
    numbers = [key for key, value in _keys(sections).items() if _is_number(value)]
    # What its type refuses is refused by one and the same code; most must get further.
    key = rng.choice(numbers if rng.random() < 0.85 else list(_keys(sections)))
    value = rng.choice(SIZES if key in numbers and rng.random() < 0.85 else EXTREMES)
    chosen = ["--plugin", plugin, "--scenario", scenario, "--set", f"{key}={value}"]
    return "extreme values", _any_command(rng, *chosen, key=key, shown=0.1), {}, ""


def _is_number(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(map(_is_number, value))
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _any_command(rng: Random, *chosen: str, key: str = "", shown: float = 0.4) -> list[str]:
    """What reads a configuration: to show it, to plan with it, or to train a little."""
    chance = rng.random()
    if chance < shown:
        return ["config", "show", *chosen, *(["--origins"] if rng.random() < 0.3 else [])]
    if chance < shown + 0.2:
        return ["train", "--dry-run", *chosen]
    few = {"train.steps": "2", "log.every": "1", "preview.every": "2", "evaluate.every": "2", "evaluate.n": "16"}
    short = [part for name, value in few.items() if name != key for part in ("--set", f"{name}={value}")]
    return ["train", "--out", "run", *chosen, *(short if key or rng.random() < 0.9 else [])]


@cache
def scenarios() -> Sequence[tuple[str, str, dict[str, Any]]]:
    """Plugin, name and complete sections of every scenario, those that come later included."""
    from wganx.config import resolve
    from wganx.plugins import load
    from wganx.plugins.descriptors import Scenario

    found = []
    for plugin in PLUGINS:
        for scenario in load([plugin]).offers(Scenario):
            root = {"dataset.root": "data"} if scenario.name == "photos" else {}
            resolved = resolve(plugin=plugin, scenario=scenario.name, overrides=root, environ={})
            sections = {name: value for name, value in resolved.dump().items() if name not in ("plugin", "scenario")}
            found.append((plugin, scenario.name, sections))
    return found


@cache
def warm_up() -> None:
    """Import what commands import when they first need it, once for all children: a training does."""
    scenarios()
    with tempfile.TemporaryDirectory() as work, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        few = [
            part
            for name in ("train.steps", "log.every", "preview.every", "evaluate.every")
            for part in ("--set", f"{name}=1")
        ]
        _command()(["train", "--plugin", "points", "--out", f"{work}/run", *few], standalone_mode=False)


def _keys(sections: dict[str, Any]) -> dict[str, Any]:
    """Every option by its dotted name."""
    keys: dict[str, Any] = {}
    for name, value in sections.items():
        inside = {f"{name}.{option}": inner for option, inner in value.items()} if isinstance(value, dict) else {}
        keys |= inside or {name: value}
    return keys


def _carried_out(
    kind: str, case: str, arguments: Sequence[str], environ: dict[str, str], folder: Path, rng: Random
) -> Outcome:
    main = _command()
    warm_up()

    def work() -> int:
        os.chdir(folder)
        os.environ.update(environ)
        main(args=list(arguments), prog_name="wganx")
        return 0

    after = rng.choice(STOPPED_AFTER) if arguments[0] == "train" else math.inf
    return judge(kind, case, work, writable=[folder], stopped_after=after)


def _short(text: str, most: int = 400) -> str:
    return text if len(text) <= most else f"{text[: most // 2]}...({len(text)})...{text[-most // 2 :]}"
