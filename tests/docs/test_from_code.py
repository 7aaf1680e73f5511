"""The pages made from the code show all of it: commands, configuration, hooks, parts, datasets, scenarios."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

import click
import pytest
import yaml
from annotated_types import Ge, Lt
from pydantic import BaseModel

from wganx.cli import main
from wganx.config import RunConfig
from wganx.engine import Optimizer
from wganx.parts import KINDS
from wganx.plugins import contracts, describe_all, hookspecs
from wganx.plugins.descriptors import Dataset, Scenario
from wganx.wasserstein import CONSTRAINTS
from wganx.wasserstein.objectives import OBJECTIVES

Extension = Callable[[str], ModuleType]
PAGES = Path(__file__).parents[2] / "docs" / "reference"
BUILT_IN = [plugin for plugin in describe_all() if plugin.distribution == "wganx"]


@pytest.fixture
def page(extension: Extension) -> Callable[[str], str]:
    """A page of the reference as it is when it is built."""
    fill: Callable[[str], str] = extension("from_code").fill
    return lambda name: fill((PAGES / f"{name}.md").read_text(encoding="utf-8"))


def section(page: str, title: str) -> str:
    """What stands under a heading, up to the next of its level or above."""
    found = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,2}} |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"no heading {title!r}"
    return re.split(rf"^{found[1]} ", found[2], flags=re.MULTILINE)[0]


def below(group: click.Group, path: str = "wganx") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from below(command, f"{path} {name}")


@pytest.mark.parametrize("name", ["commands", "configuration", "datasets", "hooks", "parts"])
def test_a_page_is_in_the_contents_and_leaves_nothing_unfilled(page: Callable[[str], str], name: str) -> None:
    assert re.search(rf"^{name}$", (PAGES / "index.md").read_text(encoding="utf-8"), re.MULTILINE)
    made = page(name)
    assert "{from-code}" not in made
    assert not re.search(r"Undefined|UNSET|<class|<function|object at 0x|typing\.", made)


def test_every_command_is_shown_with_its_options_and_its_example(page: Callable[[str], str]) -> None:
    made, checked = page("commands"), 0
    for path, command in below(main):
        shown = section(made, path)
        assert "Example:" in shown or path == "wganx lab"
        for option in command.params:
            if isinstance(option, click.Option):
                assert all(flag in shown for flag in option.opts), (path, option.opts)
                first = (option.help or "").split()[0]
                assert first in shown, (path, option.name)
        assert f"](#{path.replace(' ', '-')})" in made  # the table at the top leads there
        checked += 1
    assert checked > 10


def test_commands_of_built_in_plugins_are_shown(page: Callable[[str], str]) -> None:
    assert "wganx points lab [OPTIONS]" in section(page("commands"), "wganx points lab")


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from keys(inner, f"{prefix}{name}.")
        else:
            yield prefix + name


def test_every_key_of_every_section_is_shown(page: Callable[[str], str]) -> None:
    made = page("configuration")
    for key in [*keys(RunConfig), *(f"optimizer.{field.name}" for field in fields(Optimizer))]:
        rows = re.findall(rf"^\| `{re.escape(key)}` \|(.*)\|$", made, re.MULTILINE)
        assert len(rows) == 1, key
        kind_of, default, meaning = (cell.strip() for cell in re.split(r"(?<!\\)\|", rows[0]))
        assert kind_of, key
        assert default, key
        assert meaning, key


@pytest.mark.parametrize(("name", "offered"), [("objective", OBJECTIVES), ("constraint", CONSTRAINTS)])
def test_every_choice_is_shown_with_its_options(page: Callable[[str], str], name: str, offered: dict[str, Any]) -> None:
    made = page("configuration")
    for choice, declared in offered.items():
        shown = section(made, f"{name}.name={choice}")
        for field in fields(declared):
            assert f"| `{name}.{field.name}` |" in shown


def test_bounds_and_choices_are_in_words(page: Callable[[str], str]) -> None:
    made = page("configuration")
    assert "| `train.ema` | number ≥ 0 and < 1 | `0.999` |" in made
    assert "| `train.steps` | whole number ≥ 1 | required |" in made
    assert "| `train.precision` | `auto`, `fp32`, `tf32`, `bf16` | `auto` |" in made
    assert "| `optimizer.critic_lr` | number > 0 or `null` | `null` |" in made


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "whole number"),
        (int | None, "whole number or `null`"),
        (Annotated[int, Ge(2), Lt(9)], "whole number ≥ 2 and < 9"),
        (Literal["a", "b"] | bool, "`a`, `b` or `true`, `false`"),
        (tuple[float, float], "[number, number]"),
        (tuple[str, ...], "list of text"),
        (dict[str, float], "mapping of number"),
        (tuple[dict[str, Any], ...], "list of mapping"),
        (Path, "path"),
    ],
)
def test_types_in_words(extension: Extension, annotation: Any, words: str) -> None:
    assert extension("from_code.markdown").type_words(annotation) == words


def test_every_hook_is_shown_with_its_arguments_and_its_words(page: Callable[[str], str], extension: Extension) -> None:
    hooks, made, checked = extension("from_code.hooks"), page("hooks"), 0
    for group in (hookspecs.Registration, hookspecs.Observation):
        for name in [name for name in vars(group) if name.startswith("wganx_")]:
            hook, shown = getattr(group, name), section(made, name)
            for argument in hooks.arguments(hook):
                assert re.search(rf"\b{argument.name}: ", shown), (name, argument.name)
            assert "def " in shown
            assert hook.__doc__.strip().split("\n")[0].split("`")[0].strip()[:20] in shown
            checked += 1
    assert checked >= 13


def test_every_descriptor_is_shown_with_its_fields(page: Callable[[str], str]) -> None:
    made = page("hooks")
    for declared in (*KINDS.values(), contracts.RunInfo, contracts.Outcome, contracts.BuildContext):
        shown = section(made, declared.__name__)
        for field in fields(declared):
            assert f"| `{field.name}` |" in shown, (declared, field.name)


@pytest.mark.parametrize("plugin", BUILT_IN, ids=lambda plugin: plugin.name)
def test_every_part_of_a_built_in_plugin_is_shown_with_its_options(page: Callable[[str], str], plugin: Any) -> None:
    made = page("parts")
    whole = re.split(r"^## ", made, flags=re.MULTILINE)
    (own,) = [part for part in whole if part.startswith(f"{plugin.name}\n")]
    for offer in plugin.offers:
        assert f"| `{offer.name}` |" in own
        config = getattr(offer, "config", None)
        if isinstance(config, type):
            shown = own.partition(f"**{offer.kind} `{offer.name}`**")[2].partition("\n**")[0]
            assert all(re.search(rf"[.`]{key}` \|", shown) for key in config.model_fields), offer.name


class Documented:
    """What it is: `first` and ``a|b``.

    Call it as::

        Documented(2)

    Attributes:
        first: the one
            that comes before.
        second: with a_b, <c> and --flag.

    Raises:
        ValueError: never.
    """


def test_docstrings_become_markdown(extension: Extension) -> None:
    markdown = extension("from_code.markdown")
    made = markdown.docstring(Documented)
    assert made.startswith("What it is: `first` and ``a|b``.\n\nCall it as:\n\n```python\nDocumented(2)\n```\n\n")
    assert (
        "**Attributes**\n\n`first`\n: the one that comes before.\n\n`second`\n: with a\\_b, \\<c\\> and `--flag`."
        in made
    )
    assert made.endswith("**Raises**\n\n`ValueError`\n: never.")
    assert markdown.attributes(Documented)["first"] == "the one that comes before."
    assert markdown.table(("a",), [("x | y",)]).splitlines()[-2] == r"| x \| y |"


def test_every_dataset_is_shown_with_licence_and_layout(page: Callable[[str], str]) -> None:
    made, checked = page("datasets"), 0
    for plugin in BUILT_IN:
        for offer in plugin.offers:
            if not isinstance(offer, Dataset):
                continue
            shown = section(made, f"{plugin.name}: {offer.name}")
            assert f"Licence: {offer.card.licence}." in shown
            assert f"](#{plugin.name}-{offer.name})" in made  # the table at the top leads there
            for path, words in offer.layout.items():
                assert path.rpartition("/")[2] in shown
                assert words in shown
            checked += 1
    assert checked > 40


def test_a_layout_is_drawn_as_a_tree(extension: Extension) -> None:
    layout = {"a/b/1.wav": "one", "a/b/2.wav": "", "a/list.txt": "all", "c.csv": ""}
    drawn = extension("from_code.datasets").tree(layout)
    assert drawn == "a/\n  b/\n    1.wav   one\n    2.wav\n  list.txt  all\nc.csv"


def test_recipes_stand_with_the_dataset_that_they_learn_from(page: Callable[[str], str]) -> None:
    made = page("datasets")
    assert "wganx train --config configs/audio/fsdd.yaml --data DATA" in section(made, "audio: fsdd")
    for path in (PAGES.parents[1] / "configs").rglob("*.yaml"):
        assert path.name in made


def test_every_scenario_is_shown_with_what_it_sets(page: Callable[[str], str]) -> None:
    made, checked = page("scenarios"), 0
    for plugin in BUILT_IN:
        for offer in plugin.offers:
            if isinstance(offer, Scenario):
                own = made.partition(f"\n### {plugin.name}: {offer.name}\n")[2]
                shown = own.partition("```yaml\n")[2].partition("\n```")[0]
                assert isinstance(offer.config, Path)
                assert yaml.safe_load(shown) == yaml.safe_load(offer.config.read_text(encoding="utf-8"))
                checked += 1
    assert checked > 40


def test_a_scenario_that_is_no_file_is_written_as_one(extension: Extension) -> None:
    config = {"train": {"steps": 5}, "task": {"labels": ["a"]}}
    offer = Scenario(name="mine", summary="mine", modality="points", config=config)
    assert yaml.safe_load(extension("from_code.scenarios").written(offer)) == config
