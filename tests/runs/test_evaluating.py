"""Runs that are evaluated: every metric, other extractors, every checkpoint, and what is written down."""

import json

import pytest
import torch
from click.testing import CliRunner
from torch import nn

import wganx
from wganx import Batch
from wganx.cli import main
from wganx.errors import DataError, PluginError, UsageError
from wganx.evaluation import check_comparable
from wganx.evaluation.degraded import blurred
from wganx.evaluation.extractors.inception import WEIGHTS
from wganx.evaluation.metrics import exact_transport, frechet_distance, kernel_distance, precision_recall

PICTURES = {
    "train.steps": 2, "train.batch_size": 8, "train.critic_steps": 1, "generator.width": 4, "critic.width": 4,
    "generator.hidden": 8, "critic.hidden": 8, "checkpoint.every": 1, "checkpoint.keep": 2, "preview.every": 2,
    "preview.count": 4, "evaluate.extractors": {"own": {"updates": 60}},
}  # fmt: skip


def call(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    out = tmp_path_factory.mktemp("evaluated") / "digits"
    return wganx.train("image", "digits", overrides=PICTURES, out=out, device="cpu")


@pytest.fixture(scope="module")
def evaluated(digits):
    """The whole evaluation, read back from the folder."""
    found = digits.evaluate(n=40)
    return found, json.loads(digits.folder.evaluation.read_text(encoding="utf-8"))


def test_every_metric_has_a_row_or_a_reason(digits, evaluated):
    found, record = evaluated
    assert not found.failures
    measured = {row["metric"] for row in record["rows"]}
    everything = set(digits.resolved.every_metric())
    assert measured | record["skipped"].keys() == everything
    assert record["skipped"].keys() == {"fid", "kid", "inception-score"}
    assert all("no weights" in why for why in record["skipped"].values())
    assert {"class-score", "sliced-w1", "patches", "ms-ssim", "frechet", "classes", "memorising"} <= measured
    assert "bracket" not in everything


def test_floor_and_spoilt_copies_stand_on_either_side_of_the_numbers(evaluated):
    _, record = evaluated
    by_value = {row["value"]: row for row in record["rows"]}
    for value in ("frechet_distance", "kernel_distance", "feature_w1", "feature_sliced_w1", "sliced_w1", "patches"):
        row = by_value[value]
        assert {"noise", "mean", "blurred", "shuffled"} == set(row["baselines"])
        assert row["floor"] < min(row["baselines"].values()), value
        assert row["floor"] < row["generated"], value


def test_more_blur_is_worse_in_the_features_of_the_own_network(digits, evaluated):
    features = digits.assembly.evaluator.features
    items = digits.assembly.heldout_items
    x = torch.stack([items[i]["sample"] for i in range(360)]).float() / 127.5 - 1
    real, other = features("own", Batch(x[:180])), x[180:]
    levels = [
        features("own", Batch(other)),
        *(features("own", Batch(blurred(other, [2, 3], s))) for s in (0.7, 1.4, 2.8)),
    ]
    for distance in (frechet_distance, kernel_distance, exact_transport):
        found = [distance(level, real) for level in levels]
        assert found == sorted(found), distance.__name__
        assert found[-1] > found[0] + 0.1
    recalls = [precision_recall(level, real).recall for level in levels]
    assert recalls[0] > recalls[2] > recalls[3] - 1e-9


def test_the_record_says_by_what_protocol(digits, evaluated):
    found, record = evaluated
    protocol = record["protocol"]
    assert protocol["range"] == [-1, 1]
    assert protocol["resize"].keys() == {"data", "classes", "own"}
    assert "bicubic" in protocol["resize"]["data"]
    assert protocol["data"]["name"] == "digits"
    assert protocol["versions"].keys() >= {"wganx", "torch"}
    assert {row["extractor"] for row in record["rows"]} == {None, "classes", "own"}
    assert record["extractors"].keys() == {"classes", "own"}
    assert all(len(digest) == 16 for digest in record["extractors"].values())
    again = digits.evaluate(n=40)
    assert again == found
    check_comparable([record, again.to_json()])


def test_numbers_of_every_class(evaluated):
    _, record = evaluated
    assert record["per_class"].keys() == {"class_share", "class_agreement"}
    assert record["per_class"]["class_share"].keys() == {str(digit) for digit in range(10)}
    assert sum(record["per_class"]["class_share"].values()) == pytest.approx(1)


def test_nearest_neighbours_are_pictures_of_one_layout(digits, evaluated):
    from PIL import Image

    _, record = evaluated
    neighbours = record["neighbours"]
    assert neighbours["generated"] == "evaluations/nearest-generated.png"
    assert neighbours["training"] == "evaluations/nearest-training.png"
    sizes = []
    for side in ("generated", "training"):
        with Image.open(digits.folder.path / neighbours[side]) as picture:
            sizes.append(picture.size)
    assert sizes[0] == sizes[1]
    assert len(neighbours["distances"]) == 16
    assert neighbours["distances"] == sorted(neighbours["distances"])
    assert neighbours["of"] > 16
    assert neighbours["median"] >= neighbours["distances"][-1]
    assert neighbours["real_median"] > 0


def test_training_computes_no_more_than_its_plugins_metrics(digits):
    names = {row.metric for row in digits.measure(digits.sampler(), 2).rows}
    assert names == {"class-score", "sliced-w1"}
    assert set(digits.resolved.metrics) == names


def test_every_checkpoint_is_evaluated_alike(digits):
    shown = call("evaluate", digits.folder.path, "-n", 20, "--checkpoint", "all", "--metrics", "frechet, sliced-w1")
    assert "step 1" in shown.output
    assert "step 2" in shown.output
    records = [json.loads(digits.folder.evaluation_of(step).read_text(encoding="utf-8")) for step in (1, 2)]
    assert [record["step"] for record in records] == [1, 2]
    assert [{row["metric"] for row in record["rows"]} for record in records] == [{"frechet", "sliced-w1"}] * 2
    check_comparable(records)
    listed = call("evaluate", digits.folder.path, "-n", 20, "--checkpoint", "all", "--metric", "sliced-w1", "--json")
    assert [record["step"] for record in json.loads(listed.stdout)] == [1, 2]


def test_more_rows_than_there_are_is_said(digits):
    shown = call("evaluate", digits.folder.path, "-n", 4000, "--metrics", "sliced-w1", "--csv")
    assert "n is 180 and not 4,000: 360 held-out items make 2 such blocks" in shown.stderr


def test_the_table_as_comma_separated_values(digits):
    text = call("evaluate", digits.folder.path, "-n", 20, "--metrics", "sliced-w1,frechet", "--csv").stdout
    heading, *lines = text.splitlines()
    assert heading.startswith(
        "step,metric,value,better,generated,low,high,floor,n,repeats,seed,extractor,hash,baseline "
    )
    assert [line.split(",")[1] for line in lines] == ["sliced-w1", "frechet"]


class Corners(nn.Module):
    def forward(self, x):
        return x[:, 0, ::5, ::5].flatten(1)


@pytest.mark.filterwarnings("ignore")  # that TorchScript grows old
def test_a_module_or_a_file_of_the_user_s_own_is_the_extractor(digits, tmp_path):
    module = digits.evaluate(n=20, metrics=["frechet", "kernel"], extractor=Corners())
    assert {row.extractor for row in module.rows} == {"Corners"}
    file = tmp_path / "corners.pt"
    torch.jit.script(Corners()).save(file)
    by_file = digits.evaluate(n=20, metrics=["frechet", "kernel"], extractor=file)
    assert {row.extractor for row in by_file.rows} == {str(file)}
    for one, other in zip(module.rows, by_file.rows):
        assert one.generated == pytest.approx(other.generated)
        assert one.floor == pytest.approx(other.floor)
    values = digits.evaluate(n=20, metrics=["frechet"], extractor="values")
    assert list(values.extractors) == ["values"]
    with pytest.raises(UsageError, match="cannot stand side by side"):
        check_comparable([values.to_json(), digits.evaluate(n=30, metrics=["frechet"], extractor="values").to_json()])


@pytest.mark.filterwarnings("ignore")
def test_another_file_of_the_same_name_has_other_floors(digits, tmp_path):
    """Floors are kept on disk: by the file's content, not by its name alone."""
    file = tmp_path / "net.pt"
    floors = []
    for scale in (1.0, 3.0):
        torch.jit.trace(nn.Sequential(nn.Flatten(), Scaled(scale)), torch.zeros(2, 1, 16, 16)).save(file)
        found = wganx.load_run(digits.folder.path).evaluate(n=20, metrics=["frechet"], extractor=file)
        floors.append(found.rows[0].floor)
    assert floors[1] == pytest.approx(9 * floors[0], rel=1e-4)


class Scaled(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale), requires_grad=False)

    def forward(self, x):
        return x[:, :30] * self.scale


def test_what_is_not_there_is_said_before_anything_is_measured(digits, tmp_path):
    path = digits.folder.path
    with pytest.raises(PluginError, match="no extractor named 'ownn'"):
        digits.evaluate(n=20, extractor="ownn")
    with pytest.raises(DataError, match="there is no extractor file"):
        digits.evaluate(n=20, extractor=tmp_path / "none.onnx")
    with pytest.raises(UsageError, match="no metric among sliced-w1 takes an extractor; leave --extractor out"):
        digits.evaluate(n=20, metrics=["sliced-w1"], extractor="own")
    with pytest.raises(UsageError, match="--weights is for fid, kid, inception-score, and none of them is asked for"):
        digits.evaluate(n=20, metrics=["frechet"], weights=tmp_path / WEIGHTS)
    with pytest.raises(DataError, match="there is no weights file"):
        digits.evaluate(n=20, weights=tmp_path / WEIGHTS)
    assert "no metric named 'fidd'" in call("evaluate", path, "--metrics", "frechet,fidd", code=2).output
    assert "there is no weights file" in call("evaluate", path, "--weights", tmp_path / "w.pth", code=2).output


def test_fid_is_the_name_of_nothing_but_inception(digits):
    found = digits.evaluate(n=20, metrics=["fid"])
    assert found.rows == ()
    assert found.skipped["fid"].startswith("no weights: give them by --weights FILE")


def test_points_are_compared_by_their_values(train):
    run = train(scenario="ring-labels")
    found = run.evaluate()
    assert not found.failures
    by_value = {row.value: row for row in found.rows}
    assert by_value["frechet_distance"].extractor == "values"
    assert by_value["classes"].extractor == "own"
    assert found.protocol["range"] is None
    assert (run.folder.path / found.neighbours["training"]).is_file()
    assert not {"fid", "kid"} & found.skipped.keys()


def test_metrics_that_the_configuration_names_are_the_ones_computed(train):
    run = train(evaluate__metrics=["precision-recall", {"name": "frechet", "extractor": "values"}], evaluate__every=4)
    lines = [json.loads(line) for line in run.folder.metrics.read_text(encoding="utf-8").splitlines()]
    assert any("evaluate/frechet/frechet_distance" in line for line in lines)
    assert {row.metric for row in run.evaluate().rows} == {"precision-recall", "frechet"}


def test_rows_are_planned_where_nobody_says_how_many(train, tmp_path):
    run = wganx.train(
        "points", "ring", out=tmp_path / "plain", device="cpu",
        overrides={"train.steps": 2, "dataset.count": 400, "generator.width": 8, "critic.width": 8},
    )  # fmt: skip
    found = run.evaluate(metrics=["frechet"])
    assert (found.n, found.repeats) == (50, 4)
    assert found.rows[0].interval is not None
