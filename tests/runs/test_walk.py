"""The walk through the noise that the report shows."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import wganx
from wganx.errors import UsageError
from wganx.report import renew_report
from wganx.runs import Run, keep_walk
from wganx.runs.walk import draw_walk

SMALL = {"train.steps": 4, "train.batch_size": 16, "preview.every": 4, "preview.count": 8, "preview.walk": 3}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return wganx.train("points", out=tmp_path_factory.mktemp("runs") / "ring", overrides=SMALL, progress=False)


def walk_of(run: Run) -> list[str]:
    return sorted(path.name for path in run.folder.samples.glob("walk-*"))


def test_a_finished_run_has_a_walk_and_the_report_shows_it(run: Run) -> None:
    assert walk_of(run) == [f"walk-000004-{frame:02d}.png" for frame in range(3)]
    assert "A walk through the noise" in run.folder.report.read_text(encoding="utf-8")


def test_the_walk_is_fixed_and_its_noise_stays_normal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    draw = wganx.Sampler.draw

    def watched(self: wganx.Sampler, count: int, **options: torch.Tensor) -> torch.Tensor:
        seen.append(options["noise"])
        return draw(self, count, **options)

    monkeypatch.setattr(wganx.Sampler, "draw", watched)
    before = [path.read_bytes() for path in sorted(run.folder.samples.glob("walk-*"))]
    draw_walk(run, 3)
    assert [path.read_bytes() for path in sorted(run.folder.samples.glob("walk-*"))] == before
    start, middle, end = seen
    torch.testing.assert_close(middle, (start + end) / 2**0.5)
    assert not torch.equal(start, end)
    assert seen[0].shape == (8, *run.sampler().noise)


def test_noise_of_ones_own_gives_what_it_gave(run: Run) -> None:
    sampler = run.sampler()
    noise = torch.randn(5, *sampler.noise)
    torch.testing.assert_close(sampler.draw(5, noise=noise, chunk=2), sampler.module(noise))
    with pytest.raises(UsageError, match=r"takes noise \(4, \d+\) for 4 samples, not \(5, \d+\)"):
        sampler.draw(4, noise=noise)


def test_a_walk_of_an_earlier_step_makes_room_and_other_files_stay(run: Run) -> None:
    samples = run.folder.samples
    (samples / "walk-000002-00.png").write_bytes(b"old")
    (samples / "walk-000002-00-0000.wav").write_bytes(b"old")
    (samples / "walk-notes.txt").write_text("mine")
    draw_walk(run, 3)
    assert walk_of(run) == [*(f"walk-000004-{frame:02d}.png" for frame in range(3)), "walk-notes.txt"]
    (samples / "walk-notes.txt").unlink()


def test_a_missing_walk_is_drawn_when_the_report_is_written_anew(run: Run) -> None:
    told: list[str] = []
    for path in run.folder.samples.glob("walk-*"):
        path.unlink()
    page = renew_report(run.folder.path, told.append)
    assert len(walk_of(run)) == 3
    assert "A walk through the noise" in page.read_text(encoding="utf-8")
    assert told == []


def test_a_walk_that_fails_costs_nothing_else(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    for path in run.folder.samples.glob("walk-*"):
        path.unlink()

    def fails(*_: object) -> None:
        raise SystemExit("no paper")

    monkeypatch.setattr(Run, "write_preview", fails)
    keep_walk(run, told.append)
    assert len(told) == 1
    assert told[0].startswith("no walk through the noise: ")
    assert "no paper" in told[0]


def test_a_run_whose_plugin_is_gone_still_has_its_report(run: Run, tmp_path: Path) -> None:
    told: list[str] = []
    folder = tmp_path / "moved"
    (folder / "checkpoints" / "step-000004").mkdir(parents=True)
    (folder / "config.yaml").write_text("plugin: gone\nscenario: x\n", encoding="utf-8")
    assert renew_report(folder, told.append).is_file()
    assert len(told) == 1
    assert "no walk through the noise: " in told[0]
    assert "gone" in told[0]


def test_no_walk_where_none_is_wanted(tmp_path: Path) -> None:
    run = wganx.train("points", out=tmp_path / "ring", overrides={**SMALL, "preview.walk": 0}, progress=False)
    assert walk_of(run) == []
    assert "A walk through the noise" not in run.folder.report.read_text(encoding="utf-8")


def test_a_generator_without_noise_has_no_walk(tmp_path: Path) -> None:
    run = wganx.train("points", "moons-to-ring", out=tmp_path / "map", overrides=SMALL, progress=False)
    assert run.sampler().noise is None
    assert walk_of(run) == []
    assert not run.folder.facts()["notes"]
