"""Every command that people copy is read by the real command line, and its settings by the real configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

import wganx
from tests.pages import DOCS, PAGES, ROOT, Command, calls, commands, without_blocks
from wganx.cli import main
from wganx.comparison.variants import parse_variants
from wganx.config import Resolved, RunConfig, resolve
from wganx.plugins import describe_all
from wganx.plugins.descriptors import Architecture, Dataset, Task
from wganx.tuning.space import parse_axes
from wganx.wasserstein import CONSTRAINTS
from wganx.wasserstein.objectives import OBJECTIVES

YOURS = {"mine", "./mine.py", "rules", "spectro"}
"""Plugins in the text that readers are to think of as their own."""

OFFERS = [(plugin.name, offer) for plugin in describe_all() for offer in plugin.offers]

FLAGS = {
    f"--{name.replace('_', '-')}"
    for _, offer in OFFERS
    if isinstance(offer, Task)
    for name in offer.config.model_fields
}
"""What ``wganx sample --source`` takes beside its own options: those of the task."""


def read(words: tuple[str, ...]) -> dict[str, Any]:
    """The parameters of the command that `words` call, as click reads them.

    Raises:
        click.ClickException: there is no such command or option, or a value is none.
    """
    with ExitStack() as contexts:
        command: click.Command = main
        context = contexts.enter_context(command.make_context("wganx", list(words)))
        while isinstance(command, click.Group) and (left := [*context._protected_args, *context.args]):
            if command.get_command(context, left[0]) is None:
                context.fail(f"no command {left[0]!r}")
            name, command, left = command.resolve_command(context, left)
            if (
                name == "lab"
                and not isinstance(command, click.Group)
                and "arguments" in {p.name for p in command.params}
            ):
                return read(("points", "lab", *left))  # which it forwards to, unread
            context = contexts.enter_context(command.make_context(name, left, parent=context))
        return context.params


def every_command() -> Iterator[Command]:
    """Those of all pages, and of what every command shows as its example."""
    for page in PAGES:
        yield from commands(page)
    waiting: list[tuple[str, click.Command]] = [("wganx", main)]
    while waiting:
        path, command = waiting.pop()
        if isinstance(command, click.Group):
            waiting += [(f"{path} {name}", below) for name, below in command.commands.items()]
        lines = iter((command.help or "").splitlines())
        for line in lines:
            while line.endswith("\\"):
                line = line[:-1] + next(lines)
            yield from calls(line.strip(), f"{path} --help", told=False)


COMMANDS = list(dict.fromkeys(every_command()))


def plugin_of(run: str | None, command: Command) -> dict[str, Any]:
    """What the run is of that a command goes on with: of the page's training into that folder, or of its latest."""
    page, _, line = command.place.rpartition(":")
    found: dict[str, Any] = {"plugin": "image"}
    for other in COMMANDS:
        there, _, at = other.place.rpartition(":")
        if there == page and line.isdigit() and int(at) < int(line) and other.words[:1] == ("train",):
            params = read(other.words)
            found = {key: params[key] for key in ("plugin", "scenario", "config", "data")}
            if run is not None and str(params["out"]) == run:
                break
    return found


def settled(command: Command, params: dict[str, Any]) -> list[Resolved]:
    """The configurations that a command names: one, and for a comparison one a variant."""
    choice = {key: params.get(key) for key in ("plugin", "scenario", "config", "data", "settings", "extensions")}
    if command.words[0] in ("resume", "evaluate", "sample"):
        choice.update({key: value for key, value in plugin_of(str(params["run"]), command).items() if key != "data"})
        if params.get("dataset"):
            offering = [
                plugin for plugin, offer in OFFERS if isinstance(offer, Dataset) and offer.name == params["dataset"]
            ]
            if choice["plugin"] not in offering:  # a page of several plugins' commands
                choice.update(plugin=offering[0], scenario=None)
            choice["settings"] = (f"dataset.name={params['dataset']}", *(choice["settings"] or ()))
    elif command.words[:2] == ("data", "scan") and params.get("dataset"):
        choice.update(settings=(f"dataset.name={params['dataset']}", *(choice["settings"] or ())), data=None)
    elif command.words[0] == "distance" and params["plugin"]:
        choice["data"] = str(params["a"])
    named = {choice["plugin"], *(choice["extensions"] or ())}
    if named & YOURS or not (choice["plugin"] or choice["config"]):
        return []
    if choice["config"] is not None:
        choice["config"] = ROOT / choice["config"]
        if not choice["config"].is_file():  # one that the reader's own search has written
            assert not str(choice["config"]).startswith(str(ROOT / "configs")), f"{choice['config']} is not there"
            return []
    settings = {key: value for key, value in choice.items() if value is not None}
    variants = (
        parse_variants(params["vary"], params["variants"]) if params.get("vary") or params.get("variants") else ()
    )
    return [resolve(**settings, overrides=one.settings, environ={}) for one in variants] or [
        resolve(**settings, environ={})
    ]


def test_there_is_something_to_read() -> None:
    assert len(COMMANDS) > 120
    assert len({command.words[0] for command in COMMANDS}) > 12
    assert {"README.md", "docs/guides/comparing.md"} <= {command.place.rpartition(":")[0] for command in COMMANDS}


@pytest.mark.parametrize("place", sorted({command.place.rpartition(":")[0] or command.place for command in COMMANDS}))
def test_commands_and_their_settings_are_what_wganx_takes(place: str, files_of_page: Callable[[str], None]) -> None:
    files_of_page(f"{place}:")
    for command in COMMANDS:
        if (command.place.rpartition(":")[0] or command.place) != place or command.words == ():
            continue
        try:
            params = read(command.words)
            assert set(params.get("applied", {})) <= FLAGS, "no task has that option"
            settled(command, params)
            if params.get("searched"):
                parse_axes(params["searched"])
        except (click.ClickException, click.exceptions.Exit, wganx.WganxError, AssertionError) as error:
            told = error.format_message() if isinstance(error, click.ClickException) else error
            pytest.fail(f"{command.place}: wganx {' '.join(command.words)}\n{type(error).__name__}: {told}")


INLINE = [
    (f"{page.relative_to(ROOT)}", " ".join(found[1].split()))
    for page in PAGES
    for found in re.finditer(r"(?<!`)`(wganx [^`]+)`(?!`)", without_blocks(page.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize(("place", "line"), sorted(set(INLINE)))
def test_commands_in_sentences_have_the_options_they_name(place: str, line: str) -> None:
    command: click.Command = main
    words = line.removesuffix("...").split()[1:]
    while words and isinstance(command, click.Group):
        below = command.get_command(click.Context(command), words[0].strip("[]"))
        if below is None:
            break
        command, words = below, words[1:]
    assert command is not main or not words or words[0].startswith("-") or words[0] in YOURS | {"PLUGIN"}
    known = {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)} | {"--help", "-h"}
    if command.name == "sample":
        known |= FLAGS
    if command.name != "lab":
        flags = {word.partition("=")[0].strip("[]") for word in words if re.match(r"\[?--?[a-z]", word)}
        assert flags <= known, f"{place}: {line}: no {sorted(flags - known)}"


def known_keys() -> set[str]:
    """Every ``section.key`` that a configuration may have, whatever parts it names."""
    core = {name: field.annotation for name, field in RunConfig.model_fields.items()}
    keys = {
        f"{section}.{key}"
        for section, model in core.items()
        if isinstance(model, type) and issubclass(model, BaseModel)
        for key in model.model_fields
    }
    declared = {"objective": OBJECTIVES.values(), "constraint": CONSTRAINTS.values(), "optimizer": [wganx.Optimizer]}
    keys |= {f"{name}.{field.name}" for name, kinds in declared.items() for kind in kinds for field in fields(kind)}
    for _, offer in OFFERS:
        if isinstance(offer, Dataset | Task | Architecture):
            section = offer.role if isinstance(offer, Architecture) else type(offer).__name__.lower()
            keys |= {f"{section}.{key}" for key in offer.config.model_fields}
    return keys


def test_settings_in_sentences_exist() -> None:
    known = known_keys()
    sections = "|".join({key.partition(".")[0] for key in known})
    wrong = [
        f"{page.relative_to(ROOT)}: {found[1]}"
        for page in PAGES
        for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", without_blocks(page.read_text(encoding="utf-8")))
        for found in re.finditer(rf"(?<![\w./])((?:{sections})\.[a-z_]+)\b(?![/(])", code)
        if found[1] not in known and not found[1].endswith((".onnx", ".safetensors"))  # files of an export
    ]
    assert wrong == []


def cheap() -> list[tuple[str, ...]]:
    """Commands that show something and train nothing."""
    shows = ("config", "doctor")
    return sorted(
        {
            command.words
            for command in COMMANDS
            if (command.words[:1] in {(name,) for name in shows} and "--security" not in command.words)  # wants a run
            or command.words in (("lab",), ("pretrained", "list"), ("plugins",), ("plugins", "list"))
            or command.words[:2] == ("plugins", "show")
        }
    )


@pytest.mark.parametrize("words", cheap(), ids=" ".join)
def test_commands_that_show_something_show_it(words: tuple[str, ...], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) > 2


def test_every_command_is_in_a_guide(extension: Callable[[str], ModuleType]) -> None:
    told = "\n".join(page.read_text(encoding="utf-8") for page in sorted((DOCS / "guides").glob("*.md")))
    for path, _ in extension("from_code.commands").walk():
        assert re.search(rf"\b{' '.join(path)}\b", told) or path[:2] == ("wganx", "points"), " ".join(path)


def test_every_hook_is_in_a_guide(extension: Callable[[str], ModuleType]) -> None:
    hooks = extension("from_code.hooks")
    told = "\n".join(page.read_text(encoding="utf-8") for page in sorted((DOCS / "guides").glob("*.md")))
    for group in hooks.groups():
        for name in hooks.names(group):
            assert name in told, name
