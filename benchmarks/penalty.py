"""The penalty against closed forms: a linear critic of slope k costs weight (k - 1)², at every rank and batch size.

Run: python benchmarks/penalty.py
"""

from __future__ import annotations

import torch

from wganx import GradientPenalty, LipschitzPenalty

WEIGHT = 10.0
SHAPES = {
    "points (7,)": (7,),
    "audio (2, 50)": (2, 50),
    "image (3, 8, 8)": (3, 8, 8),
    "video (4, 3, 5, 5)": (4, 3, 5, 5),
}


def main() -> None:
    print(f"torch {torch.__version__}, float64, weight {WEIGHT:g}; largest error over batches of 1, 4 and 64\n")
    print("| sample | slope | two-sided: expected | found | error | one-sided: expected | found | error |")
    print("|---|---|---|---|---|---|---|---|")
    for name, shape in SHAPES.items():
        direction = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        direction /= direction.norm()
        for slope in (0.0, 0.5, 1.0, 2.0, 8.0):
            cells = [name, f"{slope:g}"]
            for constraint, excess in (
                (GradientPenalty(WEIGHT), slope - 1),
                (LipschitzPenalty(WEIGHT), max(0.0, slope - 1)),
            ):
                expected = WEIGHT * excess**2
                found = [
                    constraint.penalty(
                        lambda x, slope=slope, direction=direction: slope * (x * direction).flatten(1).sum(1),
                        torch.zeros(batch, *shape, dtype=torch.float64),
                        torch.ones(batch, *shape, dtype=torch.float64),
                    ).item()
                    for batch in (1, 4, 64)
                ]
                error = max(abs(value - expected) for value in found)
                cells += [f"{expected:g}", f"{found[-1]:.6g}", f"{error:.0e}"]
            print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
