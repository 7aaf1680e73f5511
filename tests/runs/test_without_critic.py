"""Runs whose objective compares batches: what becomes of a critic's settings, and the whole chain behind."""

import json

import pytest
import torch

import wganx
from wganx.config import resolve as resolve_run
from wganx.errors import ConfigError, UsageError
from wganx.export import export
from wganx.report import write_report

SMALL = {
    "train.steps": 8, "train.batch_size": 16, "dataset.count": 200, "generator.width": 8, "log.every": 2,
    "preview.every": 8, "preview.count": 16, "preview.walk": 0, "preview.sliders": 0, "checkpoint.every": 4,
    "evaluate.n": 50,
}  # fmt: skip


def train(folder, objective="energy", **changes):
    overrides = {**SMALL, "objective.name": objective, **{key.replace("__", "."): changes[key] for key in changes}}
    return wganx.train("points", "ring", overrides=overrides, out=folder, device="cpu")


def resolve(*settings, **given):
    return resolve_run(plugin="points", settings=settings, environ={}, **given)


def weights(run):
    return run.assembly.trainer.checkpoint().weights


def test_a_run_without_a_critic(tmp_path, capsys):
    run = train(tmp_path / "run", evaluate__every=8)
    told = " ".join(run.folder.facts()["notes"])
    assert "critic, constraint, train.critic_steps (from scenario 'ring' of plugin 'points' (ring.yaml:5)) were" in told
    assert "dropped: override objective.name chooses objective 'energy', which trains none" in told
    assert run.folder.facts()["parameters"]["critic"] == 0
    lines = [json.loads(line) for line in run.folder.metrics.read_text().splitlines()]
    assert any("distance" in line and "distance_heldout" in line for line in lines)
    assert not any("w1_raw" in line or "generator_loss" in line for line in lines)
    assert {name.split("/")[0] for name in weights(run)} == {"generator", "average"}
    assert run.sample(5).shape == (5, 2)
    assert wganx.load_generator(run.folder.path).draw(3).shape == (3, 2)
    page = write_report(run.folder.path).read_text()
    assert "Distance to the data, by the objective" in page
    assert "distance" in wganx.load_run(run.folder.path)._repr_html_()


def test_a_run_that_went_on_is_the_one_that_was_never_stopped(tmp_path):
    objective = "sliced"  # which draws in every update
    # The schedule of the scenario depends on where training ends.
    whole = train(tmp_path / "whole", objective, optimizer__schedule="constant")
    half = train(tmp_path / "half", objective, optimizer__schedule="constant", train__steps=4)
    assert (half.resolved.run.critic.name, half.resolved.run.train.critic_steps) == ("none", 0)
    more = wganx.resume(half.folder.path, settings=["train.steps=8"], device="cpu")
    assert more.folder.facts()["step"] == 8
    assert weights(more).keys() == weights(whole).keys()
    assert all(torch.equal(weights(whole)[name], value) for name, value in weights(more).items())


def test_features_of_the_scenarios_critic(tmp_path):
    run = train(tmp_path / "run", objective__features="critic", critic__width=8, train__critic_steps=1)
    assert run.resolved.run.critic.name == "mlp"
    assert run.folder.facts().get("notes", []) == []
    lines = [json.loads(line) for line in run.folder.metrics.read_text().splitlines()]
    assert any({"distance", "critic_loss", "penalty"} <= set(line) for line in lines)


def test_labels_are_seen_beside_the_sample(tmp_path):
    run = train(tmp_path / "run", task__labels=True)
    assert run.assembly.trainer.critic(torch.zeros(1, 2), label=torch.tensor([3])).shape == (1, 2 + 8)
    with pytest.raises(wganx.PreflightError, match=r"features are compared by themselves, and this task also shows it"):
        train(tmp_path / "other", task__labels=True, objective__features="critic", critic__width=8)


class TestSettings:
    def test_what_the_naming_layer_says_of_a_critic_is_refused(self):
        with pytest.raises(ConfigError) as caught:
            resolve(
                "objective.name=energy", "critic.width=8", "constraint.name=clip", "constraint.drift=0.1",
                "train.critic_steps=2", "optimizer.critic_lr=0.1",
            )  # fmt: skip
        said = str(caught.value)
        assert said.startswith("5 problems in the configuration")
        for name in (
            "critic.width",
            "constraint.name",
            "constraint.drift",
            "train.critic_steps",
            "optimizer.critic_lr",
        ):
            assert (
                f"  {name}: has no effect: objective 'energy' compares samples and trains no critic; leave it out, or "
                "set objective.features=critic\n"
            ) in said

    def test_what_is_said_above_it_too(self, tmp_path):
        (tmp_path / "own.yaml").write_text("objective: {name: sinkhorn, epsilon: 0.1}\n")
        with pytest.raises(ConfigError, match=r"critic.depth: has no effect: objective 'sinkhorn'"):
            resolve("critic.depth=2", config=tmp_path / "own.yaml")
        resolved = resolve("objective.features=critic", "critic.depth=2", config=tmp_path / "own.yaml")
        assert (resolved.run.critic.depth, resolved.objective) == (2, wganx.Sinkhorn(epsilon=0.1, features="critic"))

    def test_neutral_values_may_stand(self):
        resolved = resolve("objective.name=energy", "critic.name=none", "constraint.name=none", "train.critic_steps=0")
        assert resolved.constraint == wganx.NoConstraint()

    def test_a_stored_configuration_is_a_valid_one(self, tmp_path):
        resolved = resolve("objective.name=sliced", "objective.projections=8")
        (tmp_path / "config.yaml").write_text(resolved.to_yaml())
        again = resolve_run(config=tmp_path / "config.yaml", environ={})
        assert again.dump() == resolved.dump()
        assert again.notes == ()

    def test_an_objective_that_trains_one_names_one(self, tmp_path):
        with pytest.raises(ConfigError) as caught:
            resolve("critic.name=none", "train.critic_steps=0")
        assert "critic.name: objective 'wasserstein' trains a critic; name one\n" in str(caught.value)
        assert "train.critic_steps: Input should be greater than or equal to 1 (got 0)\n" in str(caught.value)

    def test_options_of_objectives_are_checked(self):
        for setting, said in (
            ("objective.projections=0", "Input should be greater than or equal to 1"),
            ("objective.epsilon=0.1", "no such option"),
            ("objective.features=pixels", "Input should be 'samples' or 'critic'"),
        ):
            with pytest.raises(ConfigError, match=said):
                resolve("objective.name=sliced", setting)


def test_a_critic_that_is_not_there_is_not_exported(tmp_path):
    run = train(tmp_path / "run", train__steps=2)
    with pytest.raises(UsageError, match=r"was trained by objective 'energy', without a critic; leave --what out"):
        export(run.folder.path, tmp_path / "out", format="safetensors", what="critic")
    export(run.folder.path, tmp_path / "out", format="safetensors")
