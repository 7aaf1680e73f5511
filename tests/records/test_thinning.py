"""A million readings are thinned as they come; ends, extremes, gaps and findings are exact."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wganx.records import logged, thinning
from wganx.records.logged import blocks_of, curves_of
from wganx.records.thinning import Thinned


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(thinning, "MOST", 16)
    monkeypatch.setattr(thinning, "BUFFER", 40)


def thinned(values, parts=7, steps=None):
    found = Thinned(0)
    steps = np.arange(len(values)) * 10 if steps is None else np.asarray(steps)
    for own_steps, own in zip(np.array_split(steps, parts), np.array_split(np.asarray(values, dtype=float), parts)):
        found.add(own_steps, own)
    return found.curve()


@pytest.mark.usefixtures("small")
class TestThinned:
    def test_few_are_all_kept(self):
        values = np.random.default_rng(0).normal(size=16)
        curve = thinned(values)
        assert curve.values.tolist() == values.tolist()
        assert curve.steps.tolist() == list(range(0, 160, 10))
        assert curve.missing == 0

    @pytest.mark.parametrize("count", [17, 100, 1000, 4097])
    @pytest.mark.parametrize("parts", [1, 3, 50])
    def test_ends_and_extremes_are_exact_and_it_stays_small(self, count, parts):
        values = np.random.default_rng(count).normal(size=count)
        curve = thinned(values, parts)
        assert len(curve.steps) <= 4 * 17
        assert (np.diff(curve.steps) > 0).all()
        assert (curve.steps[0] // 10) < count / 8
        assert (curve.steps[-1], curve.values[-1]) == (10 * (count - 1), values[-1])
        for extreme in (np.argmin, np.argmax):
            at = int(extreme(values))
            assert values[at] in curve.values
            assert 10 * at in curve.steps
        assert all(values[step // 10] == value for step, value in zip(curve.steps, curve.values))

    @given(st.lists(st.one_of(st.just(float("nan")), st.floats(-1e3, 1e3)), min_size=1, max_size=300))
    def test_what_was_not_finite_is_counted_and_the_first_is_there(self, values):
        thinning.MOST, thinning.BUFFER = 16, 40
        curve = thinned(values)
        missing = np.isnan(values)
        assert curve.missing == missing.sum()
        if missing.any():
            gaps = curve.steps[~np.isfinite(curve.values)]
            assert gaps[0] == 10 * int(np.flatnonzero(missing)[0])
        if not missing.all():
            assert curve.finite.min() == np.nanmin(values)
            assert curve.finite.max() == np.nanmax(values)

    @pytest.mark.parametrize("turns_at", [3, 60, 600])
    def test_after_a_roll_back_the_later_course_counts(self, turns_at):
        """Of the earlier one nothing is left beyond its turning point, an explosion least of all."""
        before = [*np.zeros(turns_at), 1e9, 1e9]
        after = np.full(400, 2.0)
        steps = [*range(turns_at + 2), *range(turns_at, turns_at + 400)]
        curve = thinned([*before, *after], steps=steps)
        assert (np.diff(curve.steps) > 0).all()
        assert set(curve.values[curve.steps < turns_at]) <= {0.0}
        assert set(curve.values[curve.steps >= turns_at]) == {2.0}
        assert curve.steps[-1] == turns_at + 399


def test_lines_of_other_keys_between_do_not_turn_it_back(monkeypatch, tmp_path):
    monkeypatch.setattr(thinning, "MOST", 16)
    lines = [{"step": step, "a": float(step), **({"b": 1.0} if step % 3 else {})} for step in range(200)]
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    curve = curves_of(blocks_of(path, []), [])["a"]
    assert (curve.steps[-1], curve.finite.max(), curve.finite.min()) == (199, 199.0, 0.0)
    assert (curve.steps == curve.values).all()
    assert len(curve.steps) > 16


def test_memory_does_not_grow_with_the_file(monkeypatch, tmp_path):
    """Four times the lines, and findings among them, which are all there."""
    monkeypatch.setattr(thinning, "MOST", 64)
    monkeypatch.setattr(thinning, "BUFFER", 256)
    monkeypatch.setattr(logged, "BLOCK", 1 << 14)
    peaks = []
    for count in (4_000, 16_000):
        path = tmp_path / f"{count}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for step in range(count):
                file.write(json.dumps({"step": step, **dict.fromkeys("abcdefgh", step / 7)}) + "\n")
                if step % (count // 5) == 0:
                    file.write(json.dumps({"step": step, "health": {"code": "WX012", "text": None}}) + "\n")
            file.write('{"step": 1')
        tracemalloc.start()
        problems, findings = [], []
        curves = curves_of(blocks_of(path, problems), findings)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(findings) == 5
        assert problems == [f"The last line of {path.name} is cut off, as when a run is killed; it is left out."]
        assert curves["h"].values[-1] == (count - 1) / 7
    assert peaks[1] < 1.3 * peaks[0]
