"""Runs that are evaluated on another dataset than their own: what it is brought to, what is refused, what is kept."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import wganx
from wganx.cli import main
from wganx.errors import ConfigError, PluginError, UsageError
from wganx.evaluation import check_comparable

PICTURES = {
    "train.steps": 2, "train.batch_size": 8, "train.critic_steps": 1, "generator.width": 4, "critic.width": 4,
    "generator.hidden": 8, "critic.hidden": 8, "checkpoint.every": 1, "checkpoint.keep": 2, "preview.every": 2,
    "preview.count": 4, "evaluate.extractors": {"own": {"updates": 60}}, "task.labels": False,
}  # fmt: skip

POINTS = {"train.steps": 2, "train.batch_size": 16, "generator.width": 8, "critic.width": 8, "preview.every": 2}


def call(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    out = tmp_path_factory.mktemp("elsewhere") / "digits"
    return wganx.train("image", "digits", overrides=PICTURES, out=out, device="cpu")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Forty coloured pictures of 24 px, half of them held out."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for split in ("train", "heldout"):
        (folder / split).mkdir()
        for number in range(20):
            Image.fromarray(rng.integers(0, 255, (24, 24, 3), np.uint8)).save(folder / split / f"{number}.png")
    return folder


def test_points_of_another_cloud(train):
    run = train(scenario="ring")
    own = run.evaluate(metrics=["frechet", "exact-w1"])
    before = run.folder.evaluation.read_text(encoding="utf-8")
    other = run.evaluate(metrics=["frechet", "exact-w1"], dataset="grid")
    assert run.folder.evaluation.read_text(encoding="utf-8") == before, "the run's own numbers stay"
    record = json.loads((run.folder.evaluations / "grid.json").read_text(encoding="utf-8"))
    assert record["protocol"]["data"]["name"] == "grid"
    assert record["protocol"]["data"]["count"] == run.resolved.run.dataset.count, "as the run has it"
    assert "task" not in record["protocol"]
    assert record["fingerprint"] not in ("", own.fingerprint)
    for here, there in zip(other.rows, own.rows):
        assert here.baselines.keys() == there.baselines.keys()
        assert here.generated != there.generated
        assert here.baselines != there.baselines, "found for this data"
        assert here.floor < here.baselines["gaussian"]
    with pytest.raises(UsageError, match="side by side: the dataset is ring in a and grid in b; evaluate both alike"):
        check_comparable({"a": own.to_json(), "b": other.to_json()})
    assert run.evaluate(metrics=["frechet", "exact-w1"], dataset="grid") == other
    check_comparable([other.to_json(), record])


def test_of_the_same_dataset_with_other_options_the_data_is_other_data(train):
    run = train(scenario="ring")
    own = run.evaluate(metrics=["exact-w1"])
    same, other = (
        run.evaluate(metrics=["exact-w1"], dataset="ring", settings=settings)
        for settings in ((), ["dataset.count=400"])
    )
    assert (same.fingerprint, same.rows) == (own.fingerprint, own.rows)
    with pytest.raises(UsageError, match="the held-out data is"):
        check_comparable([own.to_json(), other.to_json()])


def test_every_checkpoint_on_other_data(train):
    run = train(scenario="ring")
    found = run.evaluate_all(n=20, metrics=["exact-w1"], dataset="grid")
    assert len(found) > 1
    paths = sorted(path.name for path in run.folder.evaluations.glob("*.json"))
    assert paths == [f"grid-step-{each.step:06d}.json" for each in found]


def test_pictures_of_a_folder_come_in_the_size_that_the_generator_makes(digits, pictures):
    said = ["--set", "dataset.channels=1"]
    told = call(
        "evaluate", digits.folder.path, "--dataset", "folder", "--data", pictures, *said, "--metrics",
        "sliced-w1,frechet,memorising", "--json",
    )  # fmt: skip
    record = json.loads(told.stdout)
    assert record == json.loads((digits.folder.evaluations / "folder.json").read_text(encoding="utf-8"))
    assert record["protocol"]["data"]["size"] == digits.resolved.run.dataset.size == 16
    assert record["heldout"] == 20
    assert not record["skipped"], record["skipped"]
    assert {row["metric"] for row in record["rows"]} == {"sliced-w1", "frechet", "memorising"}
    assert record["neighbours"]["generated"] == "evaluations/folder-nearest-generated.png"
    assert (digits.folder.path / record["neighbours"]["training"]).is_file()


def test_what_does_not_fit_is_refused_with_both_forms(digits, pictures):
    elsewhere = ("evaluate", digits.folder.path, "--dataset", "folder", "--data", pictures)
    told = call(*elsewhere, code=2).output
    assert "dataset 'folder' does not fit this run: its sample is" in told
    assert "channel 3 x height 16 x width 16, and the generator was trained on" in told
    assert "bring it to that by its options (--set dataset.key=value), or name another" in told
    told = call(*elsewhere, "--set", "dataset.size=24", "--set", "dataset.channels=1", code=2).output
    assert (
        "its sample is channel 1 x height 24 x width 24, and the generator was trained on channel 1 x height 16" in told
    )
    assert "dataset.sizee" in call(*elsewhere, "--set", "dataset.sizee=24", code=2).output


def test_metrics_that_look_at_the_training_are_left_out_where_its_data_is_gone(train, tmp_path):
    rng = np.random.default_rng(0)
    for name in ("own", "other"):
        np.save(tmp_path / f"{name}.npy", rng.normal(size=(400, 2)).astype(np.float32))
    run = wganx.train("points", data=tmp_path / "own.npy", overrides=POINTS, out=tmp_path / "run", device="cpu")
    (tmp_path / "own.npy").unlink()
    moved = wganx.load_run(run.folder.path)
    found = moved.evaluate(dataset="folder", data=tmp_path / "other.npy", metrics=["exact-w1", "memorising"])
    assert not found.failures
    assert [row.metric for row in found.rows] == ["exact-w1"] * len(found.rows)
    assert found.skipped["memorising"].startswith("it looks at the training's data too, and that is not there (")


def test_what_is_asked_for_wrongly_is_said_before_anything_is_measured(train, tmp_path):
    run = train(scenario="ring")
    for options, kind, message in (
        ({"dataset": "gridd"}, PluginError, "no dataset named 'gridd' .* did you mean 'grid'"),
        ({"data": tmp_path}, UsageError, "data is where the files of another dataset lie, and none is named"),
        ({"settings": ["dataset.count=9"]}, UsageError, "settings are for another dataset, and none is named"),
        (
            {"dataset": "grid", "settings": ["train.steps=1"]},
            UsageError,
            "--set train.steps=1: what was trained stays as it is",
        ),
        ({"dataset": "grid", "settings": ["dataset.count=no"]}, ConfigError, "dataset.count"),
        ({"dataset": "grid", "data": tmp_path}, ConfigError, "dataset 'grid' takes no folder or file of yours"),
        ({"dataset": "folder"}, ConfigError, "dataset.root"),
    ):
        with pytest.raises(kind, match=message):
            run.evaluate(**options)
    assert not run.folder.evaluations.exists()


def test_a_task_that_is_played_otherwise_is_in_the_record_and_compared_with_nothing_else(train):
    run = train(scenario="ring")
    plain = run.evaluate(metrics=["exact-w1"], dataset="grid").to_json()
    other = {**plain, "protocol": {**plain["protocol"], "task": {"labels": False}}}
    with pytest.raises(UsageError, match=r"what was changed of the task is not told in record 1 and .* in record 2"):
        check_comparable([plain, other])
