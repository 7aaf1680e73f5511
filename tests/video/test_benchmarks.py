"""Runs that are evaluated on what is published to be tried on: Vid4 for larger frames, Middlebury for those between."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import wganx
from wganx.cli import main
from wganx.errors import ConfigError, UsageError

SMALL = {
    "train.steps": 1, "train.batch_size": 2, "optimizer.lr": 1e-9, "generator.width": 4, "generator.blocks": 1,
    "critic.width": 4, "preview.every": 1000, "dataset.name": "sprites", "dataset.count": 16, "dataset.frames": 3,
    "dataset.height": 24, "dataset.width": 32,
}  # fmt: skip


def picture(rng, size):
    return Image.fromarray(rng.integers(0, 255, (9, 12, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)


def write(path, film, at, size):
    path.parent.mkdir(parents=True, exist_ok=True)
    moved = film.crop((2 * at, at, 2 * at + size[0], at + size[1]))
    moved.save(path)
    return moved


@pytest.fixture(scope="module")
def vid4(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "Vid4"
    rng = np.random.default_rng(0)
    for name, width in (("calendar", 64), ("city", 56), ("foliage", 64), ("walk", 56)):
        film = picture(rng, (96, 72))
        for at in range(6):
            large = write(root / "GT" / name / f"{at:08d}.png", film, at, (width, 48))
            small = large.resize((width // 4, 12), Image.Resampling.BICUBIC)
            (root / "BIx4" / name).mkdir(parents=True, exist_ok=True)
            small.save(root / "BIx4" / name / f"{at:08d}.png")
    return root


@pytest.fixture(scope="module")
def middlebury(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "Middlebury"
    rng = np.random.default_rng(1)
    for scene in ("Beanbags", "DogDance", "Dumptruck", "Hydrangea", "RubberWhale", "Walking"):
        film = picture(rng, (80, 60))
        for at, place in enumerate(("other-data/{}/frame10", "other-gt-interp/{}/frame10i11", "other-data/{}/frame11")):
            write(root / f"{place.format(scene)}.png", film, 2 * at, (64, 48))
    return root


@pytest.fixture(scope="module")
def upscaling(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "upscale"
    changes = {**SMALL, "task.scale": 4, "task.frames": 3, "generator.norm": "pixel"}
    return wganx.train("video", "super-resolution", overrides=changes, out=out, device="cpu", progress=False)


def values(evaluation):
    return {row.value: row for row in evaluation.rows}


def test_vid4_with_its_own_small_frames_at_full_size(upscaling, vid4):
    found = upscaling.evaluate(metrics=["psnr", "ssim"], dataset="vid4", data=vid4)
    record = json.loads((upscaling.folder.evaluations / "vid4.json").read_text(encoding="utf-8"))
    assert (record["protocol"]["data"]["name"], record["heldout"]) == ("vid4", 8)
    assert record["fingerprint"] == found.fingerprint != ""
    row = values(found)["psnr"]
    assert row.baselines.keys() >= {"bicubic-0.75", "bicubic-0.5", "bilinear", "nearest"}
    # An untrained generator is exactly the first of them, on these frames too.
    assert row.generated == pytest.approx(row.baselines["bicubic-0.75"], abs=0.01)
    assert row.baselines["nearest"] < row.generated < row.floor
    assert not found.failures
    assert not upscaling.folder.evaluation.exists()


def test_the_options_of_metrics_and_task_reach_another_dataset(upscaling, vid4):
    own = upscaling.evaluate(metrics=["psnr"], dataset="vid4", data=vid4)
    made = upscaling.evaluate(metrics=["psnr"], dataset="vid4", data=vid4, settings=["task.low=made"])
    assert made.protocol["task"] == {"low": "made"}
    assert "task" not in own.protocol
    with pytest.raises(UsageError, match=r"what was changed of the task is not told in a and \{'low': 'made'\} in b"):
        wganx.evaluation.check_comparable({"a": own.to_json(), "b": made.to_json()})


def test_middlebury_from_the_command_line(middlebury, tmp_path):
    run = wganx.train(
        "video", "interpolation", overrides={**SMALL, "task.kept": [0, 2]}, out=tmp_path / "run", device="cpu",
        progress=False,
    )  # fmt: skip
    told = CliRunner().invoke(
        main, ["evaluate", str(run.folder.path), "--dataset", "middlebury", "--data", str(middlebury), "--json"]
    )
    assert told.exit_code == 0, told.output
    record = json.loads(told.stdout)
    assert record == json.loads((run.folder.evaluations / "middlebury.json").read_text(encoding="utf-8"))
    assert (record["heldout"], record["n"]) == (6, 3)
    (row,) = [row for row in record["rows"] if row["value"] == "psnr"]
    assert row["generated"] == pytest.approx(row["baselines"]["linear-blend"], abs=0.01)
    assert row["baselines"]["copy-previous"] < row["generated"] < row["floor"]
    shown = CliRunner().invoke(
        main,
        ["evaluate", str(run.folder.path), "--dataset", "middlebury", "--data", str(middlebury), "--metrics", "psnr"],
    )
    assert "linear-blend" in shown.output


def test_what_the_generator_cannot_be_given_is_refused(upscaling, vid4, middlebury):
    with pytest.raises(
        UsageError, match=r"its low is frame 3 x channel 1 .* was trained on frame 3 x channel 3 .*; bring it to that"
    ):
        upscaling.evaluate(dataset="vid4", data=vid4, settings=["dataset.channels=1"])
    with pytest.raises(ConfigError, match="takes 3 frames of each clip, and this dataset's clips have 2"):
        upscaling.evaluate(dataset="vid4", data=vid4, settings=["dataset.frames=2"])
    with pytest.raises(wganx.DataError, match="no Vid4 in"):
        upscaling.evaluate(dataset="vid4", data=middlebury)
