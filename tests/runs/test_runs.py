"""Runs: the folder, resuming, sampling, evaluating."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

import wganx
from wganx.engine import Observer, read_checkpoint
from wganx.errors import CheckpointError, ConfigError, DataError, UsageError
from wganx.wasserstein import CONSTRAINTS


def tensors(run, step):
    checkpoint = read_checkpoint(run.folder.checkpoints / f"step-{step:06d}")
    return {**checkpoint.weights, **checkpoint.training}


def assert_same_end(one, other, step=12):
    left, right = tensors(one, step), tensors(other, step)
    assert left.keys() == right.keys()
    assert [name for name in left if not torch.equal(left[name], right[name])] == []
    assert one.folder.metrics.read_bytes() == other.folder.metrics.read_bytes()


class StopAt(Observer):
    """Asks for an end, as Ctrl-C does, at a logging point."""

    def __init__(self, step):
        self.step = step

    def logged(self, step, scalars):
        if step == self.step:
            signal.raise_signal(signal.SIGINT)


def test_the_run_folder(train):
    run = train()
    names = {path.name for path in run.folder.path.iterdir()}
    assert {"config.yaml", "run.json", "metrics.jsonl", "timings.jsonl", "samples", "checkpoints",
            "report.html"} <= names  # fmt: skip
    assert any(name.startswith("events.out.tfevents") for name in names)
    facts = run.folder.facts()
    assert (facts["status"], facts["step"], facts["plugin"], facts["task"]) == ("finished", 12, "points", "generate")
    assert facts["data"]["train"] == facts["data"]["heldout"] == 200
    assert facts["data"]["feed"].startswith("resident: 200 items")
    lines = [json.loads(line) for line in run.folder.metrics.read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4, 6, 8, 10, 12]
    assert {"w1_raw", "w1_corrected", "penalty", "gradient_norm", "critic_loss", "generator_loss"} <= lines[0].keys()
    assert sorted(path.name for path in run.folder.samples.iterdir()) == [
        "real.png", "step-000006.png", "step-000012.png", *(f"walk-000012-{frame:02d}.png" for frame in range(9)),
    ]  # fmt: skip
    assert sorted(path.name for path in run.folder.checkpoints.iterdir()) == [
        "step-000004", "step-000008", "step-000012",
    ]  # fmt: skip


def test_the_critic_is_read_on_held_out_samples_and_its_slopes_are_logged(train):
    lines = [json.loads(line) for line in train().folder.metrics.read_text().splitlines()]
    assert {
        "w1_heldout",
        "gradient_norm_real",
        "gradient_norm_fake",
        "gradient_norm_interpolated",
        "lipschitz",
    } <= lines[0].keys()


def test_findings_are_recorded_in_every_place(train, capsys):
    settings = {"constraint.name": "none", "optimizer.critic_lr": 0.5, "optimizer.lr": 1e-4}
    run = train(**settings)
    lines = [json.loads(line) for line in run.folder.metrics.read_text().splitlines()]
    (found,) = [line for line in lines if "health" in line and line["health"]["code"] == "WX002"][:1]
    assert found["health"]["level"] == "bad"
    assert found["health"]["mend"].startswith("choose a constraint (constraint.name=gradient-penalty)")
    report = run.folder.report.read_text(encoding="utf-8")
    assert "WX002. From step" in report
    assert "nothing holds it back" in report


def test_the_stored_configuration_reproduces_the_run(train, tmp_path):
    first = train()
    again = wganx.train(config=first.folder.config, out=tmp_path / "again")
    assert_same_end(first, again)


def test_another_seed_is_another_run(train):
    assert not torch.equal(train("a").sample(4), train("b", seed=1).sample(4))


@pytest.mark.parametrize("stop", [2, 6, 10])
def test_a_run_interrupted_and_resumed_equals_one_never_stopped(train, tmp_path, small, stop):
    whole = train("whole")
    part = wganx.train("points", overrides=small, out=tmp_path / "part", observers=[StopAt(stop)])
    assert part.folder.facts()["status"] == "interrupted"
    resumed = wganx.resume(tmp_path / "part")
    assert resumed.folder.facts()["status"] == "finished"
    assert_same_end(whole, resumed)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_run_killed_at_random_moments_equals_one_never_killed(train, tmp_path, small):
    steps = {"train.steps": 120, "checkpoint.every": 7, "log.every": 3, "preview.every": 50}
    whole = train("whole", **{name.replace(".", "__"): value for name, value in steps.items()})
    settings = [f"--set={name}={value}" for name, value in {**small, **steps}.items()]
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "wganx.cli", "train", "--plugin=points", f"--out={out}", "--resume",
               "--device=cpu", *settings]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    kills = 0
    for wait in (0.02, 0.05, 0.11, 0.17, 0.05, 0.2):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        before = len(list((out / "checkpoints").glob("step-*"))) if out.exists() else 0
        while process.poll() is None and time.monotonic() < deadline:
            # Wait for the loop to run, then a little, so that the kill falls somewhere into it.
            if (out / "metrics.jsonl").exists() and len(list((out / "checkpoints").glob("step-*"))) > min(before, 1):
                time.sleep(wait)
                break
            time.sleep(0.005)
        process.kill()
        kills += process.wait() == -signal.SIGKILL
        process.stderr.close()
    assert kills >= 3
    assert subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, timeout=120).returncode == 0
    assert_same_end(whole, wganx.load_run(out), step=120)


def test_a_resume_before_the_first_checkpoint_starts_over(train, tmp_path):
    whole = train("whole")
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare/config.yaml").write_text(whole.folder.config.read_text())
    assert_same_end(whole, wganx.resume(tmp_path / "bare"))


def test_more_steps_may_be_asked_for_and_records_go_on(train):
    run = train()
    longer = wganx.resume(run.folder.path, settings=["train.steps=16", "log.every=4"])
    assert longer.folder.facts()["step"] == 16
    steps = [json.loads(line)["step"] for line in longer.folder.metrics.read_text().splitlines()]
    assert steps == [2, 4, 6, 8, 10, 12, 16]


def test_what_may_not_change_is_refused_by_name(train):
    run = train()
    with pytest.raises(ConfigError, match=r"optimizer.lr: .* -> 0.5\n(.|\n)*may change: train.steps, log"):
        wganx.resume(run.folder.path, settings=["optimizer.lr=0.5", "train.steps=99"])
    with pytest.raises(ConfigError, match=r"train.batch_size: 16 -> 32"):
        train(resume=True, train__batch_size=32)


def test_resuming_a_finished_run_changes_nothing(train):
    run = train()
    before = run.folder.metrics.read_bytes()
    assert wganx.resume(run.folder.path).folder.facts()["status"] == "finished"
    assert run.folder.metrics.read_bytes() == before


def test_train_resume_starts_where_there_is_nothing(train):
    assert_same_end(train("plain"), train("resumed", resume=True))


def test_folders_that_are_taken_are_refused(train, tmp_path):
    run = train()
    with pytest.raises(UsageError, match=r"holds a run already; continue it with wganx resume"):
        train()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/thesis.txt").write_text("all my work")
    with pytest.raises(UsageError, match=r"other is not empty; give another --out"):
        train("other")
    with pytest.raises(UsageError, match=r"cannot make the run folder"):
        wganx.train("points", out=run.folder.config / "below", overrides={"train.steps": 1})


def test_a_run_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"there is no run in .*nowhere: it has no config.yaml"):
        wganx.load_run(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"--resume needs --out"):
        wganx.train("points", resume=True)


def test_networks_that_cannot_be_trained_leave_no_folder(train, tmp_path):
    with pytest.raises((ConfigError, UsageError)):
        train("refused", task__labels=True, scenario="moons", dataset__name="gaussian")
    assert not (tmp_path / "refused").exists()


def test_a_failed_run_says_so(train, tmp_path):
    with pytest.raises(wganx.TrainingDiverged, match=r"there is no checkpoint|again after a roll-back"):
        train("wild", optimizer__lr=1e30)
    facts = json.loads((tmp_path / "wild/run.json").read_text())
    assert facts["status"] == "failed"
    assert "non-finite" in facts["error"]
    assert any("rolled back to the checkpoint of step" in note for note in facts["notes"])
    assert (tmp_path / "wild/report.html").exists()


def test_changed_data_is_refused(train, tmp_path):
    import numpy as np

    points = tmp_path / "points.npy"
    np.save(points, np.random.default_rng(0).normal(size=(60, 2)).astype("float32"))
    settings = {"train.steps": 4, "train.batch_size": 8, "checkpoint.every": 2}
    run = wganx.train("points", data=points.parent, out=tmp_path / "run", overrides=settings)
    np.save(points, np.random.default_rng(0).normal(size=(61, 2)).astype("float32"))
    with pytest.raises((UsageError, DataError), match="data changed since"):
        wganx.resume(run.folder.path, settings=["train.steps=8"])


def test_sampling(train):
    run = train()
    assert run.sample(5).shape == (5, 2)
    assert torch.equal(run.sample(5), wganx.load_run(run.folder.path).sample(5))
    assert not torch.equal(run.sample(5), run.sample(5, seed=7))
    assert not torch.equal(run.sample(5), run.sample(5, checkpoint="4"))
    with pytest.raises(CheckpointError, match=r"no checkpoint '5'; there are last, best and the steps 4, 8, 12"):
        run.sample(5, checkpoint="5")
    with pytest.raises(CheckpointError, match=r"has no best checkpoint; set checkpoint.best"):
        run.sample(5, checkpoint="best")
    with pytest.raises(UsageError, match="this generator takes no label"):
        run.sample(5, class_name="3")


def test_sampling_a_class(train):
    run = train(scenario="ring-labels")
    classes = run.assembly.game.context["label"].classes
    one, other = (run.sample(6, class_name=name) for name in classes[:2])
    assert not torch.equal(one, other)
    with pytest.raises(UsageError, match=r"no class '99'; classes: "):
        run.sample(6, class_name="99")


def test_evaluation_during_training_keeps_the_best(train):
    run = train(evaluate__every=4, checkpoint__best="w1", checkpoint__keep=1)
    best = run.store.best()
    assert best["metric"] == "w1"
    lines = [json.loads(line) for line in run.folder.metrics.read_text().splitlines()]
    by_step = {line["step"]: line["evaluate/exact-w1/w1"] for line in lines if "evaluate/exact-w1/w1" in line}
    assert list(by_step) == [4, 8, 12]
    assert best["value"] == min(by_step.values()) == by_step[best["step"]]
    assert run.store.steps() == sorted({best["step"], 12})
    assert run.sample(3, checkpoint="best").shape == (3, 2)


def test_evaluation_does_not_disturb_training(train):
    plain, measured = train("plain"), train("measured", evaluate__every=2)
    left, right = tensors(plain, 12), tensors(measured, 12)
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_evaluation(train):
    run = train()
    evaluation = run.evaluate()
    assert (evaluation.n, evaluation.seed, evaluation.step, evaluation.heldout) == (50, 0, 12, 200)
    w1 = next(row for row in evaluation.rows if row.value == "w1")
    assert w1.better == "lower"
    assert w1.floor < w1.generated
    assert set(w1.baselines) == set(run.assembly.game.baselines())
    assert run.evaluate() == evaluation
    assert json.loads(run.folder.evaluation.read_text())["rows"]


def test_a_damaged_checkpoint_is_passed_over_by_name(train, capsys):
    run = train()
    (run.folder.checkpoints / "step-000012/weights.safetensors").write_bytes(b"torn")
    resumed = wganx.resume(run.folder.path)
    assert "passing over a damaged checkpoint" in capsys.readouterr().err
    assert resumed.folder.facts()["step"] == 12


def test_translation_reports_its_transport_cost(train):
    run = train(scenario="moons-to-ring")
    lines = [json.loads(line) for line in run.folder.metrics.read_text().splitlines()]
    assert any(name.startswith("extra/") for name in lines[0])
    rows = {(row.metric, row.value) for row in run.evaluate().rows}
    assert any(metric == "transport-cost" for metric, _ in rows)


BROKEN_PREVIEW = """
import wganx_points as points
from wganx import Modality, hookimpl

WGANX_API = 1
for hook in ("datasets", "tasks", "architectures", "scenarios", "metrics"):
    globals()[f"wganx_{hook}"] = getattr(points, f"wganx_{hook}")

def broken(*anything):
    raise ZeroDivisionError("no ink")

@hookimpl
def wganx_modalities():
    return [Modality(name="points", summary="points", axes=("coordinate",), write=broken, preview=broken)]

@hookimpl
def wganx_progress(run, step, scalars):
    raise LookupError("not my day")
"""


def test_a_broken_writer_and_observer_are_named_and_cost_nothing_else(train, tmp_path, capsys):
    (tmp_path / "broken.py").write_text(BROKEN_PREVIEW)
    run = train(plugin=str(tmp_path / "broken.py"))
    assert run.folder.facts()["status"] == "finished"
    notes = "\n".join(run.folder.facts()["notes"])
    assert "modality 'points' failed in preview: ZeroDivisionError: no ink" in notes
    assert notes.count("no preview: plugin 'broken'") == 1
    assert "failed in wganx_progress: LookupError: not my day; its observers are switched off" in notes
    assert capsys.readouterr().err.count("not my day") == 1


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_every_constraint_trains_by_its_name(train, name):
    critic = {"consistency": {"critic.dropout": 0.5}, "by-construction": {"critic.name": "lipschitz-mlp"}}
    run = train(**{"constraint.name": name, "train.steps": 2, **critic.get(name, {})})
    first = json.loads(run.folder.metrics.read_text().splitlines()[0])
    assert ("w1_raw" in first) == CONSTRAINTS[name].reads_w1
    assert ("w1_heldout" in first) == CONSTRAINTS[name].reads_w1
    assert ("penalty" in first) == CONSTRAINTS[name].penalises
