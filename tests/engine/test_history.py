"""What a training remembers of its logging points stays bounded, and keeps its ends."""

from __future__ import annotations

import pytest

from wganx.engine import history as module
from wganx.engine.history import History
from wganx.health import Finding


@pytest.mark.parametrize("count", [1, 7, 8, 9, 10, 16, 17, 18, 100, 1000, 1001])
def test_few_are_kept_evenly_and_the_last(monkeypatch, count):
    monkeypatch.setattr(module, "MOST", 8)
    history = History()
    for step in range(count):
        history.add({"step": step})
        assert len(history.points) <= 9
        assert history.points[-1] == {"step": step}
    steps = [int(point["step"]) for point in history.points]
    assert steps[0] == 0
    if count <= 8:
        assert steps == list(range(count))
    else:
        apart = steps[1] - steps[0]
        assert steps[:-1] == list(range(0, steps[-2] + 1, apart))
        assert 0 < steps[-1] - steps[-2] <= apart
        assert len(steps) >= 5


def test_of_many_findings_the_latest_are_kept(monkeypatch):
    monkeypatch.setattr(module, "MOST", 8)
    history = History()
    for step in range(100):
        history.found([Finding(step=step, code="WX010", level="info", text="told", mend="none")])
        assert len(history.findings) <= 8
    assert [finding.step for finding in history.findings][-4:] == [96, 97, 98, 99]
