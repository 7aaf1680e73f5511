"""Run folders from a stranger: a few of each kind; ``benchmarks/reliability.py run_folders`` tries thousands."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.reliability.damage import STRANGE, places, put
from tests.reliability.outcome import Outcome
from tests.reliability.run_folders import CHANGES, cases

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="children are forked and limited as Linux does it")


def test_no_command_is_harmed_by_a_folder() -> None:
    found = list(cases(2 * len(CHANGES), seed=7))
    assert [outcome for outcome in found if not outcome.good] == []
    assert {outcome.kind for outcome in found} == set(CHANGES)


def test_cases_follow_from_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a change is made for every one of them: a harness that changes nothing finds nothing."""
    told: list[str] = []

    def only_tell(kind: str, case: str, *others: object, **more: object) -> Outcome:
        if kind in CHANGES:
            told.append(case)
        else:
            _a_run(Path(str(others[0][-1])))  # type: ignore[index]
        return Outcome(kind, "survived", 0.0, case)

    monkeypatch.setattr("tests.reliability.run_folders.carry_out", only_tell)
    for _ in range(2):
        list(cases(40, seed=3))
    assert told[:40] == told[40:]
    assert len(set(told)) == 40


def test_every_place_of_plain_data_is_changed() -> None:
    data = {"a": [1, {"b": None}]}
    assert list(places(data)) == [(), ("a",), ("a", 0), ("a", 1), ("a", 1, "b")]
    assert put({"a": [1, {"b": None}]}, ("a", 1, "b"), 2) == {"a": [1, {"b": 2}]}
    assert len({repr(value) for value in STRANGE}) == len(STRANGE)


def _a_run(folder: Path) -> None:
    """What the changes of a run look at, as small as it gets."""
    for name in ("samples", "checkpoints/step-000004"):
        (folder / name).mkdir(parents=True)
    state = {
        "digests": {"weights.safetensors": "", "training.safetensors": ""},
        "about": {"plugins": [], "items": {}, "context": {"label": {"classes": ["a"]}}},
    }
    for name, value in {
        "run.json": {"notes": []}, "evaluation.json": {"rows": []}, "checkpoints/step-000004/state.json": state,
        "metrics.jsonl": {"step": 1}, "config.yaml": {"extensions": [], "evaluate": {}, "dataset": {}},
    }.items():  # fmt: skip
        (folder / name).write_text(json.dumps(value) + "\n", encoding="utf-8")
    for name in ("weights", "training"):
        save_file({"x": torch.ones(2)}, folder / "checkpoints/step-000004" / f"{name}.safetensors")
