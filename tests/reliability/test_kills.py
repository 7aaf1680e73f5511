"""Kills of one small run, at a few of its points; the rest, and the other plugins, are benchmarks/reliability.py's."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability.kills import cases_of, kill, two_at_once
from tests.reliability.small_runs import Album, cheap, end_of, photograph, smallest
from tests.reliability.writes import FAULTS
from tests.reliability.writes import cases_of as faulty_disks
from wganx import storage
from wganx.runs import RunFolder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="children are forked and limited as Linux does it")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("small")


@pytest.fixture(scope="module")
def album(scratch: Path) -> Iterator[Album]:
    with cheap():
        yield photograph(smallest("points"), scratch)


def test_killed_at_any_point_a_run_ends_as_one_that_was_not(album: Album, scratch: Path) -> None:
    outcomes = list(cases_of(album, 6, 0, scratch))
    assert [(outcome.case, outcome.said) for outcome in outcomes if not outcome.good] == []
    assert len(outcomes) == 6


def test_disks_that_fail_are_said_and_cost_nothing_that_was_whole(album: Album, scratch: Path) -> None:
    """Full, beyond quota, read-only, broken, gone; a slow one is the benchmark's."""
    outcomes = list(faulty_disks(album, 5, 1, scratch))
    assert [(outcome.case, outcome.said) for outcome in outcomes if not outcome.good] == []
    assert [outcome.kind for outcome in outcomes] == [f"disk {name}" for name in list(FAULTS)[:5]]


def test_what_a_real_kill_leaves_is_what_is_photographed(album: Album, tmp_path: Path) -> None:
    """Or all that is shown by the photographs would be of no worth."""
    assert len(album.places) > 400
    torn = [place for place in album.places if place[0].torn]
    for point, place in (album.places[4], torn[len(torn) // 2]):
        out = tmp_path / "killed"
        shutil.rmtree(out, ignore_errors=True)
        assert kill(album.small, out, point) == -9
        assert _names(out) == _names(place), point
        for part in ("checkpoints", "metrics.jsonl", "config.yaml"):
            assert _content(out / part) == _content(place / part), (point, part)


def _names(folder: Path) -> list[str]:
    """Those of events hold a time and a process, those of what is being written a token."""
    names = (str(path.relative_to(folder)) for path in folder.rglob("*"))
    return sorted(storage._LEFT.sub(r".\g<name>.\g<3>", name).partition("tfevents.")[0] for name in names)


def _content(path: Path) -> list[bytes]:
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    return [file.read_bytes() for file in files if file.is_file()]


def test_nothing_gets_its_name_before_all_of_it_is_on_the_disk(album: Album) -> None:
    """Or a machine that goes down leaves checkpoints of no bytes."""
    unsynced: set[str] = set()
    renamed = 0
    for event in [point.event for point, _ in album.places if not point.torn]:
        if event.what == "write":
            unsynced.add(event.path)
        elif event.what == "fsync":
            unsynced.discard(event.path)
        elif event.what in ("rename", "replace", "exchange"):
            renamed += 1
            assert not [path for path in unsynced if Path(path).is_relative_to(event.path)], event
    assert renamed > 30


def test_a_run_killed_after_its_last_checkpoint_comes_to_its_end(album: Album, scratch: Path, tmp_path: Path) -> None:
    shutil.copytree(scratch / "whole", tmp_path / "killed")
    run = RunFolder(tmp_path / "killed")
    (run.checkpoints / "best.json").unlink()
    run.record(status="running")
    (run.path / ".run.json.0123abcd.writing").write_bytes(b"{")
    album.small.train(run.path)
    assert end_of(run.path) == album.end


def test_two_processes_do_not_train_one_run(album: Album, tmp_path: Path) -> None:
    outcomes = two_at_once(album.small, tmp_path / "run", album.places[len(album.places) // 2][0])
    assert [(outcome.result, outcome.case, outcome.said) for outcome in outcomes if outcome.result != "refused"] == []
    assert [outcome.said.count("is in use by process") for outcome in outcomes] == [0, 1, 1, 1]
