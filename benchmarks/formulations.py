"""Seven formulations on two sets of data, 3 seeds each, at equal updates and at equal seconds, by `wganx compare`.

    wgan-clip       Wasserstein, weights clipped (Arjovsky et al., 2017)
    wgan-gp         Wasserstein, two-sided gradient penalty (Gulrajani et al., 2017)
    wgan-lp         Wasserstein, one-sided penalty (Petzka et al., 2018)
    spectral-norm   Wasserstein, spectral norm (Miyato et al., 2018)
    non-saturating  the original game with the generator's other loss (Goodfellow et al., 2014), no constraint
    hinge           hinge losses with spectral norm (Miyato et al., 2018; Lim and Ye, 2017)
    relativistic    relativistic losses with R1 and R2 (Huang et al., 2024)

Every formulation has its own defaults over the scenario's networks, optimizer and batch: none is tuned. The folders are
gone on with when the script is run again; what was found is in docs/guides/comparing.md.

Run: python benchmarks/formulations.py [points digits] [--budget updates seconds] [--parallel N] [--out DIR]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FORMULATIONS = {
    "wgan-clip": "constraint.name=clip",
    "wgan-gp": "constraint.name=gradient-penalty",
    "wgan-lp": "constraint.name=lipschitz-penalty",
    "spectral-norm": "constraint.name=spectral-norm",
    "non-saturating": "objective.name=non-saturating,constraint.name=none",
    "hinge": "objective.name=hinge,constraint.name=spectral-norm",
    "relativistic": "objective.name=relativistic,constraint.name=r1+r2",
}


@dataclass(frozen=True)
class Setting:
    """Data and networks, both budgets, the values that are shown, and the formulation that others are told beside."""

    settings: tuple[str, ...]
    updates: int
    seconds: float
    metrics: tuple[str, ...]
    baseline: str


SETTINGS = {
    ("points", "grid"): Setting(
        settings=(
            "train.batch_size=64", "generator.width=64", "critic.width=64", "dataset.count=4000", "evaluate.n=500",
            "preview.count=500",
        ),
        updates=1500,
        seconds=12,
        metrics=("exact-w1/w1", "modes/high_quality", "modes/modes"),
        baseline="wgan-lp",
    ),
    ("image", "digits"): Setting(
        settings=(
            "train.batch_size=32", "generator.width=16", "critic.width=8", "generator.hidden=128",
            "critic.hidden=128", "evaluate.n=300", "evaluate.every=125", "preview.every=125", "preview.count=36",
        ),
        updates=250,
        seconds=10,
        metrics=("class-score/class_score", "sliced-w1/sliced_w1", "class-score/label_match"),
        baseline="wgan-gp",
    ),
}  # fmt: skip


def arguments(data: tuple[str, str], budget: str, out: Path) -> list[str]:
    """What is typed after ``wganx`` for one comparison."""
    plugin, scenario = data
    setting = SETTINGS[data]
    found = ["compare", "--plugin", plugin, "--scenario", scenario, "--device", "cpu", "--seeds", "3"]
    for text in setting.settings:
        found += ["--set", text]
    for name, text in FORMULATIONS.items():
        found += ["--variant", f"{name}:{text}"]
    for name in setting.metrics:
        found += ["--metric", name]
    found += ["--baseline", setting.baseline, "--out", str(out / f"{scenario}-{budget}")]
    if budget == "seconds":
        return [*found, "--seconds", f"{setting.seconds:g}"]
    return [*found, "--set", f"train.steps={setting.updates}"]


def main(argv: Sequence[str] | None = None) -> int:
    """Make the comparisons one after the other; 0 if all came to their end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", metavar="{points,digits}", help="both by default")
    parser.add_argument("--budget", nargs="+", choices=["updates", "seconds"], default=["updates", "seconds"])
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/formulations"))
    chosen = parser.parse_args(argv)
    if unknown := set(chosen.data) - {"points", "digits"}:  # with choices, argparse refuses that nothing is said
        parser.error(f"no data {', '.join(sorted(unknown))}; choose from points, digits")
    worst = 0
    for data in SETTINGS:
        if not chosen.data or {"grid": "points", "digits": "digits"}[data[1]] in chosen.data:
            for budget in chosen.budget:
                call = [*arguments(data, budget, chosen.out), "--parallel", str(chosen.parallel)]
                worst = max(worst, subprocess.run([sys.executable, "-m", "wganx.cli", *call], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
