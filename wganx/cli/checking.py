"""What ``wganx plugins check`` makes and shows."""

from __future__ import annotations

from collections.abc import Iterable

from wganx.errors import UsageError, did_you_mean
from wganx.testing import Result, iter_checks
from wganx.testing.suite import groups


def checked(name: str, group: str | None, roots: Iterable[str]) -> list[Result]:
    """The results of a plugin's checks, of one group if one is named.

    Raises:
        UsageError: there is no such group, or a root is not written ``dataset=path``.
    """
    if group is not None and group not in groups():
        raise UsageError(f"no group {group!r}; groups: {', '.join(groups())}{did_you_mean(group, groups())}")
    given = {}
    for root in roots:
        dataset, equals, path = root.partition("=")
        if not equals or not path:
            raise UsageError(f"--root wants DATASET=PATH, got {root!r}")
        given[dataset] = path
    checks = [check for check in iter_checks(name, given) if group in (None, check.group) or check.name == "loads"]
    return [check.result() for check in checks]


def print_results(results: list[Result]) -> None:
    """A row for everything that failed or was skipped, and a row a part for what passed."""
    from rich.markup import escape
    from rich.table import Table

    from wganx.cli.console import make_console

    table = Table("part", "status", "", box=None)
    for part, own in _by_part(results).items():
        passed = [result for result in own if result.status == "ok"]
        if passed:
            table.add_row(part, "[green]ok", f"{len(passed)} check{'s' * (len(passed) > 1)}")
        skipped: dict[str, int] = {}
        for result in own:
            if result.status == "skipped":
                skipped[result.text] = skipped.get(result.text, 0) + 1
            elif result.status == "failed":
                table.add_row(part, "[red]failed", escape(result.text))
        for reason, count in skipped.items():
            table.add_row(part, "[yellow]skipped", escape(f"{count} check{'s' * (count > 1)}: {reason}"))
    console = make_console()
    console.print(table)
    counts = [(status, sum(result.status == status for result in results)) for status in ("ok", "failed", "skipped")]
    console.print(", ".join(f"{count} {status}" for status, count in counts if count), highlight=False)


def _by_part(results: list[Result]) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = {}
    for result in results:
        group, _, subject = result.id.split("/", 2)
        found.setdefault(f"{group} {subject}", []).append(result)
    return found
