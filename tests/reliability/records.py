"""Records of very long trainings: their report, opened for the first time and again, and what the loop itself keeps.

A case may use `ROOM` beyond what is loaded already: a million logging points of eighteen quantities must fit into it.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.reliability.outcome import Outcome, _command, judge

ROOM = 256 << 20
"""Bytes: of addresses, of which some are never touched."""
QUANTITIES = (
    "w1_raw", "w1_corrected", "critic_loss", "penalty", "gradient_norm", "generator_loss", "gradient_norm_real",
    "gradient_norm_fake", "gradient_norm_interpolated", "lipschitz", "vital/gap", "vital/score_offset",
    "vital/score_spread", "vital/spread_real", "vital/spread_fake", "vital/heldout_error", "w1_heldout", "lr",
)  # fmt: skip


def cases(count: int, seed: int) -> Iterator[Outcome]:
    """Three cases of each of 10, 100 and 1,000 times `count` logging points: a million where `count` is 1,000."""
    for points in (10 * count, 100 * count, 1000 * count):
        with tempfile.TemporaryDirectory(prefix="records-") as name:
            yield from of_a_run(Path(name), points, seed)


def of_a_run(folder: Path, points: int, seed: int) -> Iterator[Outcome]:
    """The report of a run with so many logging points, twice; and as many points in the loop's memory."""
    run = folder / "run"
    write_run(run, points, seed)
    main = _command()

    def report() -> int:
        os.environ["WGANX_CACHE"] = str(folder / "cache")
        main(args=["report", str(run)], prog_name="wganx")
        return 0

    first = judge("report, first", f"{points:,} logging points", report, writable=[folder], seconds=120, memory=ROOM)
    yield first
    page = (run / "report.html").read_bytes() if first.good else b""
    again = judge("report, again", f"{points:,} logging points", report, writable=[folder], seconds=20, memory=ROOM)
    if again.good and (run / "report.html").read_bytes() != page:
        again = Outcome(again.kind, "differs", again.seconds, again.case, "another page from the same records")
    yield again
    yield judge("history", f"{points:,} logging points", remembering(points), writable=[folder], memory=ROOM)


def write_run(run: Path, points: int, seed: int) -> None:
    """A run folder with records alone."""
    run.mkdir(parents=True)
    (run / "config.yaml").write_text("plugin: points\nscenario: ring\n", encoding="utf-8")
    facts = {"status": "interrupted", "step": points, "steps": points, "plugin": "points", "scenario": "ring"}
    (run / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    draws = random.Random(seed)
    with (run / "metrics.jsonl").open("w", encoding="utf-8") as file:
        for step in range(1, points + 1):
            file.write(json.dumps({"step": step, **{name: draws.random() for name in QUANTITIES}}) + "\n")
            if step % (points // 5) == 0:
                health = {"code": "WX012", "level": "info", "text": f"told at {step}", "mend": "nothing"}
                file.write(json.dumps({"step": step, "health": health}) + "\n")


def remembering(points: int) -> Callable[[], int]:
    """What the loop keeps of so many logging points."""

    def work() -> int:
        from wganx.engine.history import History

        history = History()
        for step in range(points):
            history.add({"step": step, **dict.fromkeys(QUANTITIES, step / 7)})
        return int(history.points[-1]["step"] != points - 1)

    return work
