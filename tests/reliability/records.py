"""Records of very long trainings: their report, opened for the first time and again, and what the loop itself keeps.

A case may use `ROOM` beyond what is loaded already: a million logging points of eighteen quantities must fit into it.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tests.reliability.outcome import SECONDS, Outcome, _command, homes_in, judge
from wganx.records import ReadAlong

ROOM = 256 << 20
"""Bytes: of addresses, of which some are never touched."""
QUANTITIES = (
    "w1_raw", "w1_corrected", "critic_loss", "penalty", "gradient_norm", "generator_loss", "gradient_norm_real",
    "gradient_norm_fake", "gradient_norm_interpolated", "lipschitz", "vital/gap", "vital/score_offset",
    "vital/score_spread", "vital/spread_real", "vital/spread_fake", "vital/heldout_error", "w1_heldout", "lr",
)  # fmt: skip

PARTS = ("data", "critic", "generator", "constraint", "other")


def cases(count: int, seed: int) -> Iterator[Outcome]:
    """Four cases of each of 10, 100 and 1,000 times `count` logging points: a million where `count` is 1,000."""
    for points in (10 * count, 100 * count, 1000 * count):
        with tempfile.TemporaryDirectory(prefix="records-") as name:
            yield from of_a_run(Path(name), points, seed)


def of_a_run(folder: Path, points: int, seed: int) -> Iterator[Outcome]:
    """The report of a run with so many logging points: where it trained, and somewhere else, twice.

    And as many points in the loop's memory.
    """
    run = folder / "run"
    with homes_in(folder / "here"):
        write_run(run, points, seed, [ReadAlong(run / name) for name in ("metrics.jsonl", "timings.jsonl")])
    main = _command()

    def opened(kind: str, seconds: float, home: str) -> Outcome:
        def report() -> int:
            main(args=["report", str(run)], prog_name="wganx")
            return 0

        with homes_in(folder / home):
            return judge(kind, f"{points:,} logging points", report, writable=[folder], seconds=seconds, memory=ROOM)

    found, pages = [], []
    for kind, seconds, home in (
        ("report, trained here", SECONDS, "here"), ("report, from elsewhere", 120, "elsewhere"),
        ("report, again", SECONDS, "elsewhere"),
    ):  # fmt: skip
        found.append(opened(kind, seconds, home))
        pages.append((run / "report.html").read_bytes() if found[-1].good else b"")
    for outcome, page in zip(found, pages):
        differs = outcome.good and page != pages[0]
        yield replace(outcome, result="differs", said="another page from the same records") if differs else outcome
    yield judge("history", f"{points:,} logging points", remembering(points), writable=[folder], memory=ROOM)


def write_run(run: Path, points: int, seed: int, readers: Sequence[ReadAlong]) -> None:
    """A run folder with records alone, which `readers` look at whenever a checkpoint would have been written."""
    run.mkdir(parents=True)
    (run / "config.yaml").write_text("plugin: points\nscenario: ring\n", encoding="utf-8")
    facts = {"status": "interrupted", "step": points, "steps": points, "plugin": "points", "scenario": "ring"}
    (run / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    draws = random.Random(seed)
    with (
        (run / "metrics.jsonl").open("w", encoding="utf-8") as file,
        (run / "timings.jsonl").open("w", encoding="utf-8") as clock,
    ):
        for step in range(1, points + 1):
            file.write(json.dumps({"step": step, **{name: draws.random() for name in QUANTITIES}}) + "\n")
            times = {f"time/{part}": 0.2 for part in PARTS}
            clock.write(json.dumps({"step": step, "seconds": step / 50, "steps_per_second": 50.0, **times}) + "\n")
            if step % (points // 5) == 0:
                health = {"code": "WX012", "level": "info", "text": f"told at {step}", "mend": "nothing"}
                file.write(json.dumps({"step": step, "health": health}) + "\n")
            if step % 1_000 == 0:
                for record, reader in zip((file, clock), readers):
                    record.flush()
                    reader.look()


def remembering(points: int) -> Callable[[], int]:
    """What the loop keeps of so many logging points."""

    def work() -> int:
        from wganx.engine.history import History

        history = History()
        for step in range(points):
            history.add({"step": step, **dict.fromkeys(QUANTITIES, step / 7)})
        return int(history.points[-1]["step"] != points - 1)

    return work
