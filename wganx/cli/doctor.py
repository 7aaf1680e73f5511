"""``wganx doctor``"""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from wganx.cli.completing import run_folders
from wganx.cli.paths import PATH

_PACKAGES = ("torch", "torchvision", "torchaudio", "numpy", "POT", "scikit-learn", "safetensors", "pluggy", "pydantic")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--security", type=PATH, metavar="RUN", shell_complete=run_folders,
    help="Say what opening a run would execute, and execute nothing.",
)  # fmt: skip
def doctor(as_json: bool, security: Path | None) -> None:
    """Versions, devices, plugins, and a self-test of the penalty; exits with 1 when something is broken.

    With --security, what a run folder would execute: exits with 1 when it names code that was not agreed to.

    \b
    Example:
      wganx doctor
      wganx doctor --security runs/from-a-stranger
    """
    if security is not None:
        _tell_security(security, as_json)
        return
    import torch

    import wganx
    from wganx.commit import commit
    from wganx.devices import APPLE
    from wganx.engine.device import unfit
    from wganx.plugins import describe_all

    penalty = _penalty_self_test()
    broken = [row for row in describe_all() if row.status != "ok"]
    findings: dict[str, Any] = {
        "wganx": wganx.__version__,
        "commit": commit() or "unknown",
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        **{package: _version(package) for package in _PACKAGES},
        "cpu threads": torch.get_num_threads(),
        "cuda": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] or "none",
        "apple gpu": (unfit(torch.device(APPLE)) or "ok") if torch.backends.mps.is_available() else "none",
        "penalty self-test": penalty,
        "broken plugins": {row.name: row.provides for row in broken} or "none",
    }
    if as_json:
        click.echo(json.dumps(findings, indent=2))
    else:
        for name, value in findings.items():
            click.echo(f"{name:18} {value}")
    if broken or not penalty.startswith("ok"):
        raise SystemExit(1)


def _tell_security(run: Path, as_json: bool) -> None:
    from wganx.runs.code import code_of, links_in
    from wganx.runs.folder import RunFolder
    from wganx.storage import json_text

    folder = RunFolder(run)
    folder.check_run()
    code, links = code_of(folder), links_in(folder)
    if as_json:
        named = [
            {
                "file": str(each.path), "named_by": each.named_by, "agreed": each.agreed,
                "imports": [str(path) for path in each.imports],
            }
            for each in code
        ]  # fmt: skip
        click.echo(json_text({"executes": named, "links": [str(path) for path in links]}, indent=2))
    else:
        for each in code:
            told = "you agreed to it" if each.agreed else "you have not agreed to it; read it, then say --trust"
            if not each.path.is_file():
                told = "it is not there"
            beside = f", which imports {', '.join(map(str, each.imports))}" if each.imports else ""
            click.echo(f"{each.named_by} names {each.path}, a file of code{beside}: {told}")
        for path in links:
            click.echo(f"{path} is a link to {path.readlink()}; a run makes none, and nothing is written through it")
        if not code:
            click.echo(f"opening {run} executes nothing of its own: its plugins are installed, the rest is data")
    if any(not each.agreed for each in code):
        raise SystemExit(1)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _penalty_self_test() -> str:
    """The penalty of a linear critic of slope k is ``weight (k - 1)²``, at every rank and batch size."""
    import torch

    from wganx import GradientPenalty

    worst = 0.0
    for shape in ((5,), (2, 8), (3, 4, 4), (2, 3, 4, 4)):
        direction = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        direction /= direction.norm()
        for slope in (0.0, 1.0, 3.0):
            for batch in (1, 4, 64):
                real = torch.zeros(batch, *shape, dtype=torch.float64)
                found = GradientPenalty(10.0).penalty(
                    lambda x, slope=slope, direction=direction: slope * (x * direction).flatten(1).sum(1),
                    real,
                    real + 1,
                )
                worst = max(worst, abs(found.item() - 10.0 * (slope - 1) ** 2))
    return f"ok, largest error {worst:.0e}" if worst < 1e-9 else f"WRONG by {worst:.3g}: this torch miscalculates it"
