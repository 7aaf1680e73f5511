"""Sliders of pictures: sheets as files and in the report, and what is said along them."""

from __future__ import annotations

import json

import pytest
import torch
from click.testing import CliRunner
from wganx_image import extractors
from wganx_image.captions import draw_sheet

import wganx
from wganx import SampleFormat
from wganx.cli import main
from wganx.report import renew_report
from wganx.runs import Run

SHORT = {"train.steps": 4, "checkpoint.every": 4, "log.every": 2, "preview.every": 4, "preview.walk": 2}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    out = tmp_path_factory.mktemp("faces") / "run"
    told = {**SHORT, "task.labels": ["smile"], "preview.sliders": 3}
    return wganx.train("image", "faces-tiny", overrides=told, out=out, device="cpu")


def sample(run: Run, *options: object):
    return CliRunner().invoke(main, ["sample", str(run.folder.path), *map(str, options)])


def test_the_report_shows_the_ways_of_a_finished_run(run):
    assert (run.folder.samples / "sliders-000004.png").is_file()
    assert "Sliders" in run.folder.report.read_text(encoding="utf-8")


def test_sliders_are_drawn_anew_where_they_are_missing_and_left_out_where_they_are_not_wanted(run, tmp_path):
    for path in (*run.folder.samples.glob("sliders-*"), *run.folder.samples.glob("walk-*")):
        path.unlink()
    renew_report(run.folder.path, warn=pytest.fail)
    assert (run.folder.samples / "sliders-000004.png").is_file()
    none = wganx.train(
        "image", "faces-tiny", overrides={**SHORT, "preview.sliders": 0}, out=tmp_path / "none", device="cpu"
    )
    assert not list(none.folder.samples.glob("sliders-*"))
    assert "Sliders" not in none.folder.report.read_text(encoding="utf-8")


def test_sliders_that_are_asked_for_are_files_a_sheet_and_part_of_the_report(run, tmp_path, monkeypatch):
    monkeypatch.setattr(extractors, "_UPDATES", 20)
    drawn = sample(run, "--slide", "glasses=dark", "--slide", 2, "-n", 2, "--out", tmp_path / "out")
    assert drawn.exit_code == 0, drawn.output
    assert len(list((tmp_path / "out").glob("sample-*.png"))) == 2 * 2 * 7
    assert (tmp_path / "out" / "grid.png").is_file()
    assert "glasses=dark is seen with probability" in drawn.output
    assert "(by chance" in drawn.output
    assert not list(run.folder.samples.glob("sliders-*-chosen.png"))
    assert sample(run, "--slide", "glasses=dark", "-n", 1).exit_code == 0
    (kept,) = run.folder.samples.glob("sliders-*-chosen.json")
    (line,) = json.loads(kept.read_text(encoding="utf-8"))
    renew_report(run.folder.path, warn=pytest.fail)
    assert line.partition(";")[0] in run.folder.report.read_text(encoding="utf-8")
    again = sample(run, "--slide", 1, "--out", tmp_path / "out")
    assert again.exit_code == 2
    assert "holds grid.png already" in again.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--slide", "smile=laughing"], "smile is told to this generator, so its noise says nothing of it: choose it"),
        (["--slide", "1", "--truncation", 0.5], "--slide goes through all of the noise; leave --truncation out"),
        (["--slide", "1", "--source", "x.png"], "--slide is for samples that are made of noise; leave it out with"),
        (["--slide", "9"], "the noise has 8 ways, from 1 to 8, and --slide 9 is none"),
    ],
)
def test_what_cannot_be_slid_is_one_line(run, options, message):
    told = sample(run, *options)
    assert told.exit_code == 2
    assert told.output.count("\n") == 1
    assert told.output.startswith(f"wganx: {message}")


def test_a_damaged_sheet_costs_no_report(run, tmp_path):
    path = run.folder.samples / "sliders-000004.png"
    path.write_bytes(b"no picture")
    renew_report(run.folder.path, warn=pytest.fail)
    page = run.folder.report.read_text(encoding="utf-8")
    assert "sliders-000004.png is left out" in page
    path.unlink()


def test_a_sheet_has_its_words_before_and_above_and_its_samples_in_order():
    format = SampleFormat(axes=("channel", "height", "width"), shape=(1, 8, 8))
    level = torch.linspace(-1, 1, 6)[:, None, None, None].expand(6, 1, 8, 8)
    side = 8 * 22 + 2  # enlarged 22 times to reach 512 px
    named, bare = (draw_sheet(level, format, rows, ["-1", "0", "+1"]) for rows in (["smile", ""], ["", ""]))
    grid = named[0, -2 * side - 2 :, -3 * side - 2 :]
    assert grid[side // 2 :: side, side // 2 :: side].tolist() == [[0, 51, 102], [153, 204, 255]]
    beside = named[0, 16:, : -3 * side - 2]
    assert (beside[:side] < 128).any()
    assert (beside[side + 2 :] == 255).all()
    assert named.shape[1] == bare.shape[1] == 16 + 2 * side + 2
    assert bare.shape[2] == 3 * side + 2
