"""``wganx lab``: demonstrations of the theory, each with what it predicts, what was found, and a figure.

A demonstration is one module with a function ``demonstrate(seed) -> Shown``. This module imports neither torch nor
matplotlib, so that listing the demonstrations costs nothing.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wganx import UsageError, WganxError

if TYPE_CHECKING:
    from wganx_points.lab.findings import Finding, Shown

DEMONSTRATIONS = {
    "parallel-lines": "two parallel segments: W1 is their distance, the divergences see only whether they touch",
    "dirac": "the smallest GAN there is: which constraints let it converge, and which make it circle",
    "clipping": "what clipping does to a critic's weights, gradients and reading, beside the gradient penalty",
    "collapse": "the classic objective drops modes of the ring that the Wasserstein objective keeps",
}


@click.command()
@click.argument("name", required=False)
@click.option("--out", type=click.Path(path_type=Path), default=Path("lab"), show_default=True, help="For the figure.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of every random draw.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def lab(name: str | None, out: Path, seed: int, as_json: bool) -> None:
    """Show a piece of the theory at work: what it predicts, what is found, a figure.

    Without NAME the demonstrations are listed. The exit code is 1 when something that was predicted is not found.

    \b
    Example:
      wganx lab
      wganx lab parallel-lines
      wganx lab dirac --out ./figures --seed 1
    """
    if name is None:
        _list(as_json)
        return
    _known(name)
    from wganx_points.lab.figure import require_matplotlib, save

    require_matplotlib()
    shown: Shown = import_module(f"wganx_points.lab.{name.replace('-', '_')}").demonstrate(seed)
    paths = save(shown.draw(), out, name)
    if as_json:
        result = {
            "name": name,
            "seed": seed,
            "setting": shown.setting,
            "findings": [finding.to_json() for finding in shown.findings],
            "figures": [str(path) for path in paths],
        }
        click.echo(json.dumps(result, indent=2))
    else:
        _print(name, shown, paths)
    failed = [finding.what for finding in shown.findings if not finding.holds]
    if failed:
        raise WganxError(f"not as predicted: {'; '.join(failed)}")


def _known(name: str) -> None:
    if name not in DEMONSTRATIONS:
        from difflib import get_close_matches

        close = get_close_matches(name, DEMONSTRATIONS, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise UsageError(f"no demonstration named {name!r}; there are {', '.join(DEMONSTRATIONS)}{hint}")


def _list(as_json: bool) -> None:
    if as_json:
        click.echo(
            json.dumps([{"name": name, "summary": summary} for name, summary in DEMONSTRATIONS.items()], indent=2)
        )
        return
    width = max(map(len, DEMONSTRATIONS))
    for name, summary in DEMONSTRATIONS.items():
        click.echo(f"{name:<{width}}  {summary}")
    click.echo("\nwganx lab NAME runs one.")


def _print(name: str, shown: Shown, paths: list[Path]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    def row(finding: Finding) -> tuple[str, ...]:
        holds = "[green]yes" if finding.holds else "[red]no"
        return escape(finding.what), escape(finding.expected), f"{finding.found:.4g}", holds

    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    console.print(f"{name}: {DEMONSTRATIONS[name]}", highlight=False, markup=False)
    console.print(shown.setting, highlight=False, markup=False)
    table = Table("what", "expected", "found", "holds", box=None)
    for finding in shown.findings:
        table.add_row(*row(finding))
    console.print(table)
    for path in paths:
        click.echo(str(path))
