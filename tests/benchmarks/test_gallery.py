"""The gallery's driver: runs are made once, go on where they were stopped, and are written down with what they took."""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

STANDS_IN = """
import json, pathlib, sys, time
words = sys.argv[1:]
folder = pathlib.Path(words[words.index("--out") + 1] if words[0] == "train" else words[1])
folder.mkdir(exist_ok=True)
with (folder / "calls").open("a") as calls:
    print(*words, file=calls)
if words[0] == "evaluate":
    (folder / "evaluation.json").write_text("{}")
    sys.exit()
while time.process_time() < 0.2:
    pass
if "train.steps=1000000" in words:
    time.sleep(60)
status = "finished" if (folder / "run.json").exists() else "stopped"
(folder / "run.json").write_text(json.dumps({"status": status}))
"""
"""In place of wganx: a training that ends in its second call, or not within a minute; and an evaluation."""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import gallery_runs

    script = tmp_path / "wganx.py"
    script.write_text(STANDS_IN, encoding="utf-8")
    monkeypatch.setattr(gallery_runs, "COMMAND", (sys.executable, str(script)))
    return lambda: gallery_runs.find(tmp_path / "runs", gallery_runs.Entry("image", "mnist", ("dataset.root={data}",)))


def test_a_run_that_is_stopped_goes_on_and_its_seconds_add_up(made):
    from gallery_runs import make

    assert not make(made(), ["train.steps=5"], Path("there"), 60)
    stopped = made()
    assert stopped.read("run.json")["status"] == "stopped"
    assert list(stopped.took) == ["train"]
    before = made().took["train"]
    assert 0.1 < before.cpu < before.wall + 1
    assert make(stopped, ["train.steps=5"], Path("there"), 60)
    done = made()
    assert done.took["train"].cpu > before.cpu + 0.1
    assert "evaluate" in done.took
    again = (done.folder / "calls").read_text().splitlines()
    training = f"train --plugin image --scenario mnist --set dataset.root=there --set train.steps=5 --out {done.folder}"
    assert again == [f"{training} --resume"] * 2 + [f"evaluate {done.folder}"]
    assert make(done, [], Path("there"), 60)
    assert (done.folder / "calls").read_text().splitlines() == again, "what is there is not made again"


def test_a_run_whose_time_is_over_is_asked_to_stop(made):
    from gallery_runs import make

    began = time.monotonic()
    assert not make(made(), ["train.steps=1000000"], Path("there"), 0)
    assert time.monotonic() - began < 30
    assert not made().trained


def test_what_is_shown_is_small_and_whole(tmp_path: Path):
    from gallery_media import media
    from gallery_runs import Entry, Made

    samples = tmp_path / "run" / "samples"
    samples.mkdir(parents=True)
    (tmp_path / "run" / "run.json").write_text(json.dumps({"step": 20}))
    Image.new("RGB", (1500, 300), "red").save(samples / "step-000020.png")
    tone = (10_000 * np.sin(np.arange(4000) / 5)).astype(np.int16)
    for row in range(5):
        for kind, level in (("converted", 2), ("real", 3), ("source", 1)):
            soundfile.write(samples / f"step-000020-{row:04d}-{kind}.wav", tone // level, 8000)
    page = tmp_path / "page"
    page.mkdir()
    picture, sound = media(Made(Entry("audio", "emotion"), tmp_path / "run"), page)
    with Image.open(page / picture.file) as shown:
        assert shown.size == (960, 300)
    wave, rate = soundfile.read(page / sound.file, dtype="int16")
    assert rate == 8000
    assert len(wave) == 6 * 4000 + 5 * 2000
    np.testing.assert_array_equal(wave[:4000], tone)
    np.testing.assert_array_equal(wave[6000:10_000], tone // 2)
    assert "source" in sound.shows


def test_a_tall_sheet_ends_between_two_rows():
    from gallery_media import _between_rows

    sheet = Image.effect_noise((64, 900), 80).convert("RGB")
    assert _between_rows(sheet) == 720  # nothing parts it
    sheet.paste("gray", (0, 600, 64, 602))
    assert _between_rows(sheet) == 602
    assert _between_rows(sheet.crop((0, 0, 64, 500))) == 500


def test_rows_are_kept_where_a_direction_is_better():
    from gallery import numbers

    row = {"metric": "w1", "value": "w1", "better": "lower", "extractor": None, "generated": 0.123456, "interval": None,
           "floor": 0.1, "baselines": {"noise": 1.98765}, "excess": None, "n": 3}  # fmt: skip
    (kept,) = numbers([row, {**row, "better": None}])
    assert kept["generated"] == 0.1235
    assert kept["baselines"] == {"noise": 1.988}
