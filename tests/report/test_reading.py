from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from wganx.errors import DataError
from wganx.plain import number, printable
from wganx.report.reading import read_run

MakeRun = Callable[..., Path]


def test_a_whole_folder_has_no_problems(make_run: MakeRun) -> None:
    run = read_run(make_run())
    assert run.problems == ()
    assert run.facts["status"] == "finished"
    assert run.config["constraint"]["weight"] == 5.0
    assert run.curves["w1_raw"].steps.tolist() == list(range(10, 601, 10))
    assert run.curves["evaluate/high_quality"].steps.tolist() == [200, 400, 600]
    assert [step for step, _ in run.previews] == [100, 200, 300, 400, 500, 600]


def test_a_torn_last_line_is_left_out_and_named(make_run: MakeRun) -> None:
    run = read_run(make_run(metrics=['{"step": 1, "penalty": 0.5}', '{"step": 2, "pena']))
    assert run.curves["penalty"].steps.tolist() == [1]
    assert run.problems == ("The last line of metrics.jsonl is cut off, as when a run is killed; it is left out.",)


def test_damage_in_the_middle_is_counted_apart(make_run: MakeRun) -> None:
    run = read_run(make_run(metrics=['{"step": 1, "penalty": 0.5}', "{", "[1]", '{"step": 4, "penalty": 0.25}']))
    assert run.curves["penalty"].values.tolist() == [0.5, 0.25]
    assert run.problems == ("2 damaged lines of metrics.jsonl left out.",)


def test_the_later_reading_of_a_step_counts_after_a_roll_back(make_run: MakeRun) -> None:
    steps = [(10, 1.0), (20, 2.0), (30, 3.0), (20, 7.0), (30, 8.0)]
    run = read_run(make_run(metrics=[json.dumps({"step": step, "penalty": value}) for step, value in steps]))
    assert run.curves["penalty"].steps.tolist() == [10, 20, 30]
    assert run.curves["penalty"].values.tolist() == [1.0, 7.0, 8.0]


def test_what_is_not_finite_reads_as_nan_and_what_is_no_number_is_no_curve(make_run: MakeRun) -> None:
    values = ["NaN", "Infinity", "null", "1e300", "0.5"]
    lines = [f'{{"step": {step}, "loss": {value}, "name": "x", "on": true}}' for step, value in enumerate(values)]
    run = read_run(make_run(metrics=lines))
    assert set(run.curves) == {"loss"}
    np.testing.assert_array_equal(run.curves["loss"].values, [np.nan, np.nan, np.nan, np.nan, 0.5])


@pytest.mark.parametrize("text", ["{", "[1, 2]", "[" * 100_000, ""])
def test_a_damaged_document_is_named_and_not_fatal(make_run: MakeRun, text: str) -> None:
    run = read_run(make_run(facts=text))
    assert run.facts == {}
    assert len(run.problems) == 1
    assert run.problems[0].startswith("run.json ")


def test_missing_documents_are_named_but_no_evaluation_is_normal(make_run: MakeRun) -> None:
    run = read_run(make_run(facts=None, evaluation=None))
    assert run.evaluation is None
    assert run.problems == ("run.json is missing: the parts of this page that need it stay empty.",)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is no run folder: it holds neither config\.yaml nor run\.json; give the"):
        read_run(tmp_path)
    with pytest.raises(DataError, match=r"no run folder at .*absent: give the folder that `wganx train` wrote"):
        read_run(tmp_path / "absent")


def test_event_files_are_grouped_because_they_carry_the_host_name(make_run: MakeRun) -> None:
    folder = make_run()
    for name in ("events.out.tfevents.1.secret-host.1", "events.out.tfevents.2.secret-host.1"):
        (folder / name).write_bytes(b"123")
    groups = {group.path: group for group in read_run(folder).files}
    assert groups["events.out.tfevents.*"].count == 2
    assert groups["events.out.tfevents.*"].size == 6
    assert groups["samples/"].count == 6
    assert not any("secret-host" in path for path in groups)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("--data /home/alice/photos", "--data ~/photos"),
        (r"C:\Users\Alice\photos", r"~\photos"),
        ("/Users/bob", "~"),
        ("a\x00b\x1b[31m", "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}[31m"),
        ("lone \ud800 half", "lone ? half"),
        ("x" * 5_000, "x" * 1_000 + " …"),
        (3, "3"),
    ],
)
def test_strangers_text_is_made_fit_for_a_page(text: object, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("value", "read"), [(2, 2.0), (0.5, 0.5), (True, None), ("3", None), (None, None), (10**400, None)]
)
def test_a_number_is_a_finite_one(value: object, read: float | None) -> None:
    assert number(value) == read


def test_a_long_log_reads_as_a_short_one_does(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        json.dumps({"step": step, "penalty": step / 2, **({"evaluate/q": 1.0} if step % 7 == 0 else {})})
        for step in range(50)
    ]
    lines[10] = "torn"
    lines[20] = ""
    lines += [json.dumps({"step": step, "penalty": -step}) for step in range(40, 45)]  # rolled back
    lines += [json.dumps({"step": 60, "health": {"code": "WX011", "text": "x"}}), '{"step": 70, "pen']
    folder = make_run(metrics=lines)
    whole = read_run(folder)
    monkeypatch.setattr("wganx.records.logged.BLOCK", 3)
    parted = read_run(folder)
    assert whole.problems == parted.problems
    assert whole.findings == parted.findings != ()
    assert list(whole.curves) == list(parted.curves) == ["penalty", "evaluate/q"]
    for name, curve in whole.curves.items():
        np.testing.assert_array_equal(curve.steps, parted.curves[name].steps)
        np.testing.assert_array_equal(curve.values, parted.curves[name].values)
    penalty = dict(zip(whole.curves["penalty"].steps.tolist(), whole.curves["penalty"].values.tolist()))
    assert (penalty[39], penalty[40], penalty[45]) == (19.5, -40.0, 22.5)
    assert 10 not in penalty
    assert 20 not in penalty


def test_evaluations_of_checkpoints_are_read_by_step(make_run: MakeRun) -> None:
    folder = make_run()
    (folder / "evaluations").mkdir()
    for name, text in (("step-000200.json", '{"step": 200}'), ("step-000100.json", "{}"), ("step-000300.json", "{"),
                       ("nearest.json", "{}")):  # fmt: skip
        (folder / "evaluations" / name).write_text(text, encoding="utf-8")
    run = read_run(folder)
    assert [step for step, _ in run.evaluations] == [100, 200]
    assert any("step-000300.json cannot be read" in problem for problem in run.problems)


def test_the_latest_walk_counts(make_run: MakeRun) -> None:
    folder = make_run()
    names = ("walk-000100-00.png", "walk-000200-00.png", "walk-000200-02.png", "walk-000200-02-0001.wav",
             "walk-000200-02-0000.wav", "walk-000200-1.png", "walk-x-00.png")  # fmt: skip
    for name in names:
        (folder / "samples" / name).write_bytes(b"x")
    walk = read_run(folder).walk
    assert walk is not None
    assert (walk.step, walk.frames) == (200, 3)
    assert [(frame, path.name) for frame, path in walk.previews] == [
        (0, "walk-000200-00.png"), (2, "walk-000200-02.png"),
    ]  # fmt: skip
    assert [path.name for path in walk.media[2]] == ["walk-000200-02-0000.wav", "walk-000200-02-0001.wav"]
    assert len(read_run(folder).previews) == 6


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")
@pytest.mark.parametrize("made", ["pipe", "device"])
@pytest.mark.parametrize("name", ["metrics.jsonl", "timings.jsonl"])
def test_a_record_that_has_no_end_is_not_waited_for(make_run: MakeRun, name: str, made: str) -> None:
    folder = make_run(metrics=['{"step": 1, "penalty": 2.0}'])
    (folder / name).unlink(missing_ok=True)
    if made == "pipe":
        os.mkfifo(folder / name)
    else:
        (folder / name).symlink_to("/dev/zero")
    run = read_run(folder)
    assert run.problems == (f"{name} cannot be read (it is no ordinary file but a folder, a pipe or a device).",)
