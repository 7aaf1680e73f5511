"""The checks of one plugin, for a loop, for pytest, and for the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from wganx.errors import PluginError, UsageError, did_you_mean
from wganx.plugins import Catalog
from wganx.plugins.discovery import find
from wganx.plugins.loading import LoadedPlugin, load_plugin, load_plugins
from wganx.testing.check import BOOK, ConformanceError, NotChecked, Rule, group_of

if TYPE_CHECKING:
    from wganx.testing.bench import Bench

LOADS = "plugin/loads"


@dataclass(frozen=True)
class Check:
    """One property of one part of a plugin.

    Attributes:
        group: the kind of part.
        name: the property.
        subject: the part's name.
        about: the property in one sentence.
        trains: whether it takes seconds, because it trains.
    """

    group: str
    name: str
    subject: str
    about: str
    trains: bool = False
    _part: Any = field(default=None, repr=False)
    _bench: Bench | None = field(default=None, repr=False)
    _rule: Rule | None = field(default=None, repr=False)
    _refusal: str | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        """``group/name/subject``."""
        return f"{self.group}/{self.name}/{self.subject}"

    def run(self) -> str | None:
        """Make the check; returns a remark where it passes with one.

        Raises:
            ConformanceError: the plugin does not keep the contract.
            NotChecked: there was nothing to look at; says why.
        """
        if self._refusal is not None:
            raise ConformanceError(
                LOADS, f"plugin {self.subject!r}", self._refusal, "mend that first; the rest cannot be looked at"
            )
        if self._rule is None or self._bench is None:
            return None
        return self._rule.function(self._part, self._bench)

    def result(self) -> Result:
        """Make the check, and say how it came out."""
        try:
            return Result(self.id, "ok", self.run() or "")
        except NotChecked as why:
            return Result(self.id, "skipped", str(why))
        except ConformanceError as error:
            return Result(self.id, "failed", str(error), error.mend)


@dataclass(frozen=True)
class Result:
    """How a check came out: ``ok`` (perhaps with a remark), ``failed``, or ``skipped``, with the reason."""

    id: str
    status: str
    text: str = ""
    mend: str = ""


def iter_checks(plugin: str | object, roots: Mapping[str, str | Path] | None = None) -> Iterator[Check]:
    """Every check of a plugin, in an order in which the first failures explain the later ones.

    Args:
        plugin: an installed plugin's name, ``distribution:name``, a path ending in ``.py``, or a module object.
        roots: a folder or file for datasets that read one, by dataset.

    Raises:
        PluginError: there is no such plugin.
        UsageError: `roots` names a dataset that is none of the plugin's or those it builds on.
    """
    found = find(plugin)
    try:
        own = load_plugin(found)
    except PluginError as error:
        text = str(error).removeprefix(str(found)).removeprefix(":").strip()
        yield Check("plugin", "loads", found.name, _ABOUT_LOADING, _refusal=text)
        return
    yield Check("plugin", "loads", found.name, _ABOUT_LOADING)
    import wganx.testing.checks  # noqa: F401 - fills the book, and imports torch

    bench = _bench(own, roots or {})
    for rule in BOOK:
        for subject, part in _parts(rule.group, own, bench):
            group = group_of(part) if rule.group == "part" else rule.group
            yield Check(group, rule.name, subject, rule.about, rule.trains, part, bench, rule)


_ABOUT_LOADING = "The plugin imports, declares its API, fits the hooks, and names its parts well."


def _bench(own: LoadedPlugin, roots: Mapping[str, str | Path]) -> Bench:
    from wganx.plugins.descriptors import Dataset
    from wganx.testing.bench import Bench

    bases: list[LoadedPlugin] = []
    for base in own.extends:
        try:
            bases += load_plugins([base], beside=[own, *bases])
        except PluginError:
            continue  # a check of its own says so
    catalog = Catalog((own, *bases))
    names = [dataset.name for dataset in catalog.offers(Dataset)]
    for name in roots:
        if name not in names:
            close = did_you_mean(name, names)
            raise UsageError(f"no dataset {name!r} to give a root to; datasets: {', '.join(names) or 'none'}{close}")
    return Bench(own, catalog, roots)


def _parts(group: str, own: LoadedPlugin, bench: Bench) -> list[tuple[str, Any]]:
    if group == "plugin":
        return [(own.name, own)]
    if group == "observer":
        return [(own.name, own)] if own.observes else []
    if group == "command":
        return [(str(command.name), command) for command in bench.commands()]
    return [(part.name, part) for part in own.offers if group in ("part", group_of(part))]


class PluginConformance:
    """The checks of a plugin as tests of pytest, one for every property and part.

    ::

        class TestSpectro(PluginConformance):
            plugin = "spectro"

    Attributes:
        plugin: what `iter_checks` takes.
        roots: a folder or file for datasets that read one, by dataset.
    """

    plugin: ClassVar[str | object]
    roots: ClassVar[Mapping[str, str | Path]] = {}

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """One test for every check."""
        if "check" in metafunc.fixturenames:
            import pytest

            checks = list(iter_checks(self.plugin, self.roots))
            metafunc.parametrize(
                "check",
                [
                    pytest.param(check, marks=[pytest.mark.filterwarnings("default")] if check.trains else [])
                    for check in checks
                ],
                ids=[check.id for check in checks],
            )

    def test_conforms(self, check: Check) -> None:
        """The check passes."""
        __tracebackhide__ = True
        import pytest

        try:
            check.run()
        except NotChecked as why:
            pytest.skip(str(why))
        except ConformanceError as error:
            pytest.fail(str(error), pytrace=False)


def groups() -> Sequence[str]:
    """The groups of checks, in the order in which they are made."""
    import wganx.testing.checks  # noqa: F401 - fills the book

    return list(dict.fromkeys(rule.group for rule in BOOK if rule.group != "part"))
