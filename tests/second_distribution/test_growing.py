"""Networks that grow and losses with a ramp: the stage is part of what is saved, resumed and drawn."""

from __future__ import annotations

import pytest
import torch

import wganx
from wganx.engine import read_checkpoint


def test_it_is_resumed_in_the_middle_of_a_fade(tones, journey):
    """Stages of 4 + 4 steps, so that step 10 is in the fade of the second, and a checkpoint is taken there."""
    found = journey("tones-growing", half=10)
    checkpoint = read_checkpoint(found.whole.folder.checkpoints / "step-000010")
    assert checkpoint.facts["stage"].startswith("(1, 1")
    assert 0 < float(checkpoint.weights["generator/share"]) < 1


def test_checkpoints_of_different_stages_draw_what_was_drawn_then(tones):
    run = wganx.train(
        "tones-growing", out="run", device="cpu", overrides={"train.steps": 20, "train.ema": 0.0},
    )  # fmt: skip
    coarse = run.sample(4, checkpoint=4)
    assert torch.equal(coarse[..., 0::4], coarse[..., 1::4])  # the first stage: each value four times
    fine = run.sample(4, checkpoint=20)
    assert not torch.equal(fine[..., 0::2], fine[..., 1::2])
    short = wganx.train("tones-growing", out="short", device="cpu", overrides={"train.steps": 4, "train.ema": 0.0})
    assert torch.equal(coarse, short.sample(4))
    with torch.no_grad():
        sampler = wganx.load_generator("run", checkpoint=12)
        assert (sampler.module.stage, float(sampler.module.share)) == (1, 1.0)


def test_a_buffer_that_is_replaced_is_refused(tones, monkeypatch):
    from wganx_tones import growing_networks

    def at(self, step):
        self.share = torch.ones(())
        return 0

    monkeypatch.setattr(growing_networks.Growing, "at", at)
    with pytest.raises(wganx.UsageError, match=r"at\(0\) replaced a buffer that recorded steps read; change it"):
        wganx.train("tones-growing", out="run", device="cpu")
