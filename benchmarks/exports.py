"""How nearly exported networks give what the module gives, and how fast they run: every task of every plugin.

Each case is a training of a few steps of the smallest networks, whose generator and critic are exported in every
format, read back, and compared with the module on several numbers of rows and, where they are free, sizes. `ms` is the
median CPU time of a call on 16 rows (2 of films), in turns with the module; weights that are built anew are the
module, and are not timed.

Run: OMP_NUM_THREADS=1 python benchmarks/exports.py --all [--json exports.json], or --case NAME, repeated
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from timing import take_turns

import wganx
from wganx.errors import WganxError
from wganx.export import FORMATS, export
from wganx.export.ports import draw_inputs
from wganx.export.subject import ROLES, Role, call_positional, open_subject

ROWS, ROWS_OF_FILMS = 16, 2
ROUNDS = 15
WITH_A_WHOLE = ("voice-conversion-tiny", "emotion-tiny")

_SMALL: dict[str, Any] = {
    "train.steps": 4,
    "train.batch_size": 8,
    "train.critic_steps": 1,
    "checkpoint.every": 4,
    "preview.every": 4,
    "preview.count": 4,
    "log.every": 4,
    "optimizer.lr": 1e-2,  # so that a few steps lead away from what layers that start at zero make
}
_NARROW = {"generator.width": 8, "critic.width": 8}
_RES32 = {"dataset.size": 32, "generator.width": 8, "critic.width": 8}


@dataclass(frozen=True)
class Case:
    """One training: a scenario of a plugin, and what is changed of it."""

    plugin: str
    scenario: str
    settings: Mapping[str, Any] = field(default_factory=dict)


CASES: dict[str, Case] = {
    "points": Case("points", "ring", _NARROW),
    "points-labels": Case("points", "ring-labels", _NARROW),
    "points-translate": Case("points", "moons-to-ring", _NARROW),
    "points-spectral-norm": Case("points", "ring", {**_NARROW, "constraint.name": "spectral-norm"}),
    "points-orthogonal": Case("points", "ring", {**_NARROW, "constraint.name": "orthogonal"}),
    "points-gradient-normalization": Case("points", "ring", {**_NARROW, "constraint.name": "gradient-normalization"}),
    "points-lipschitz": Case(
        "points", "ring", {**_NARROW, "critic.name": "lipschitz-mlp", "constraint.name": "by-construction"}
    ),
    "dcgan": Case("image", "faces-tiny", {"task.labels": False}),
    "dcgan-labels": Case("image", "faces-tiny"),
    "dcgan-classifier": Case("image", "faces-tiny", {"task.conditioning": "classifier", "task.classifier": 4}),
    "dcgan-attention": Case(
        "image", "faces-tiny", {"generator.attention": "dot", "generator.attention_size": 8, "critic.attention": "l2",
                                "critic.attention_size": 8},
    ),
    "resnet": Case("image", "faces-tiny", {**_RES32, "generator.name": "resnet", "critic.name": "resnet"}),
    "resnet-spectral-norm": Case(
        "image", "scenes-tiny", {**_RES32, "generator.name": "resnet", "critic.name": "resnet",
                                 "constraint.name": "spectral-norm"},
    ),
    "r3": Case("image", "faces-tiny", {**_NARROW, "generator.name": "r3", "critic.name": "r3"}),
    "growing": Case(
        "image", "growing", {**_NARROW, "generator.noise": 8, "critic.name": "growing", "task.first_steps": 1,
                             "task.stage_steps": 1, "task.fade_steps": 1},
    ),
    "growing-fading-packs": Case(
        "image", "growing", {**_NARROW, "generator.noise": 8, "task.first_steps": 1, "task.stage_steps": 10,
                             "task.fade_steps": 9},
    ),
    "gan-zoo": Case("image", "faces-tiny", {"task.labels": False, "generator.name": "gan-zoo"}),
    "mimicry": Case(
        "image", "faces-tiny", {**_RES32, "task.labels": False, "generator.name": "mimicry", "critic.name": "resnet"},
    ),
    "translator": Case("image", "style-transfer-tiny"),
    "wavegan": Case("audio", "wavegan-tiny"),
    "wavegan-nearest": Case(
        "audio", "wavegan-tiny",
        {"task.labels": [], "generator.upsample": "nearest", "generator.norm": "batch", "generator.post_filter": 16},
    ),
    "specgan": Case("audio", "digits-tiny"),
    "specgan-labels": Case("audio", "emotion-generation-tiny", {"generator.block": "residual"}),
    "specgan-text": Case("audio", "multilingual-tiny"),
    "converter": Case("audio", "voice-conversion-tiny"),
    "converter-intensity": Case("audio", "emotion-tiny"),
    "predict": Case("video", "prediction-tiny"),
    "predict-mixer": Case(
        "video", "prediction-tiny",
        {"generator.block": "mixer", "generator.start": "last-frame", "critic.name": "spacetime"},
    ),
    "predict-noise": Case("video", "prediction-tiny", {"generator.noise": 4}),
    "interpolate": Case("video", "interpolation-tiny"),
    "interpolate-any-time": Case(
        "video", "interpolation-tiny", {"task.kept": [0, 4], "task.time": "any", "generator.motion": True},
    ),
    "upscale": Case("video", "super-resolution-tiny"),
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """What was measured of one network in one format.

    Attributes:
        difference: the largest absolute one to the module, of values up to `largest`.
        free: the sizes that are free beside the rows.
        ms: median of a call of what was written; None where it is the module.
        module_ms: of the module.
    """

    case: str
    plugin: str
    scenario: str
    task: str
    network: str
    what: str
    format: str
    difference: float
    largest: float
    free: str
    ms: float | None
    module_ms: float


def measure(name: str, folder: Path) -> Iterator[Row]:
    """Train one case in `folder`, and export its networks in every format."""
    case = CASES[name]
    run = wganx.train(
        case.plugin, case.scenario, overrides={**_SMALL, **case.settings}, out=folder / name, device="cpu",
        progress=False,
    )  # fmt: skip
    for role in ROLES:
        if role == "whole" and case.scenario not in WITH_A_WHOLE:
            continue
        for format in FORMATS:
            if (role, format) == ("whole", "safetensors"):
                continue  # it is more than weights
            yield _row(name, case, run.resolved.run.task.name, folder, role, format)


def _row(name: str, case: Case, task: str, folder: Path, role: Role, format: str) -> Row:
    out = folder / f"{name}-{role}-{format}"
    done = export(folder / name, out, format=format, what=role)
    card = json.loads((out / "card.json").read_text(encoding="utf-8"))
    subject = open_subject(folder / name, role, "last")
    rows = ROWS_OF_FILMS if case.plugin == "video" else ROWS
    inputs = draw_inputs(subject.inputs, rows, {})
    called = FORMATS[format].read(subject, out)
    contestants: dict[str, Callable[[int], object]] = {"module": lambda _: call_positional(subject, inputs)}
    if format != "safetensors":
        contestants[format] = lambda _: called(*inputs)
    with torch.no_grad():
        for call in contestants.values():
            call(1)  # what is done once, such as choosing a kernel
        times = take_turns(contestants, dict.fromkeys(contestants, 1), ROUNDS, torch.device("cpu"))
    ms = {contestant: 1000 * statistics.median(found.cpu) for contestant, found in times.items()}
    return Row(
        name, case.plugin, case.scenario, task, card["architecture"], role, format, done.agreement.difference,
        done.agreement.largest, " ".join(card["free_sizes"]), ms.get(format), ms["module"],
    )  # fmt: skip


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown, those of one network in one line."""
    lines = [
        "| case | plugin | task | network | what | free | weights | torch-export | ms | onnx | ms | module, ms |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    networks: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        networks.setdefault((row.case, row.what), {})[row.format] = row
    for formats in networks.values():
        row = next(iter(formats.values()))
        module_ms = statistics.median(each.module_ms for each in formats.values())
        found = [_cell(formats.get(format), timed=format != "safetensors") for format in FORMATS]
        lines.append(
            f"| {row.case} | {row.plugin} | {row.task} | {row.network} | {row.what} | {row.free or '-'} | "
            f"{' | '.join(found)} | {module_ms:.2g} |"
        )
    return "\n".join(lines)


def _cell(row: Row | None, *, timed: bool) -> str:
    """The difference in one format and, where it is `timed`, how long a call takes."""
    difference = "-" if row is None else f"{row.difference:.0e}" if row.difference else "0"
    if not timed:
        return difference
    return f"{difference} | {'-' if row is None or row.ms is None else f'{row.ms:.2g}'}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for and print the table; 1 where something could not be exported."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--all", action="store_true", help="every case")
    which.add_argument("--case", action="append", choices=CASES, help="this one; repeat for more")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rows: list[Row] = []
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for name in CASES if chosen.all else chosen.case:
            try:
                for row in measure(name, Path(folder)):
                    rows.append(row)
                    print(f"{name} {row.what} {row.format}: {row.difference:.1e}", file=sys.stderr, flush=True)
            except WganxError as error:
                failed = True
                print(f"{name}: {error}", file=sys.stderr, flush=True)
    print(table(rows))
    if chosen.json is not None:
        chosen.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
