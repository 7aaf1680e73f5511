"""Hostile and unlucky cases, by kind of fault: how many were refused cleanly, how many survived, what was lost.

Run: python benchmarks/reliability.py [PART ...] [--cases 1000] [--seed 0] [--json FILE]

The harnesses are those of tests/reliability, which the tests run with a few cases each. A part is a module there with
``cases(count, seed)``, which yields an outcome a case; every fault is printed with what it takes to do it again.
Ctrl-C, or SIGTERM, ends it with the table of what was tried until then.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from types import ModuleType

import torch
from timing import describe_machine, machine

tests = sys.modules["tests"] = ModuleType("tests")  # an installed package may bear that name too
tests.__path__ = [str(Path(__file__).parents[1] / "tests")]

from tests.reliability.outcome import Outcome  # noqa: E402

PARTS = ("configurations", "run_folders", "data_files", "kills", "writes", "processes", "records", "scale")
FAULTS = ("lost", "traceback", "hang", "memory", "outside", "executed", "differs", "escaped")


def table(outcomes: Sequence[Outcome]) -> str:
    """A line a kind of fault."""
    lines = [f"| kind of fault | cases | refused | survived | {' | '.join(FAULTS)} | slowest, s |", "|---" * 13 + "|"]
    for kind in dict.fromkeys(outcome.kind for outcome in outcomes):
        own = [outcome for outcome in outcomes if outcome.kind == kind]
        found: Counter[str] = Counter(outcome.result for outcome in own)
        counts = [found[result] for result in ("refused", "survived", *FAULTS)]
        cells = [kind, f"{len(own):,}", *(f"{count:,}" for count in counts), f"{max(o.seconds for o in own):.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table, and every fault before it; 1 where there is one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--cases", type=int, default=1000, help="of each part; some have fewer")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where every outcome is kept")
    given = parser.parse_args(argv)
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    torch.set_num_threads(1)
    print(describe_machine(machine(torch.device("cpu"))))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    outcomes: list[Outcome] = []
    with suppress(KeyboardInterrupt):  # what was tried until then is told
        for part in given.parts or PARTS:
            for outcome in import_module(f"tests.reliability.{part}").cases(given.cases, given.seed):
                outcomes.append(outcome)
                if not outcome.good:
                    print(f"\n{outcome.kind}: {outcome.result} after {outcome.seconds:.1f} s\n{outcome.case}")
                    print(outcome.said[-600:], flush=True)
    print(f"\n{table(outcomes)}")
    if given.json:
        given.json.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1), encoding="utf-8")
    return int(any(not outcome.good for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
