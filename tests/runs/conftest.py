"""Small runs of the points plugin."""

import pytest

import wganx

SMALL = {
    "train.steps": 12,
    "train.batch_size": 16,
    "train.critic_steps": 2,
    "dataset.count": 200,
    "generator.width": 8,
    "critic.width": 8,
    "log.every": 2,
    "preview.every": 6,
    "preview.count": 16,
    "checkpoint.every": 4,
    "evaluate.n": 50,
}


@pytest.fixture
def small():
    return dict(SMALL)


@pytest.fixture
def train(tmp_path):
    def train(out="run", scenario="ring", plugin="points", **changes):
        resume = changes.pop("resume", False)
        overrides = {**SMALL, **{name.replace("__", "."): value for name, value in changes.items()}}
        return wganx.train(plugin, scenario, overrides=overrides, out=tmp_path / out, device="cpu", resume=resume)

    return train
