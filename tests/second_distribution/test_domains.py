"""Helper networks: a classifier learns with the critic, and one generator carries tones between all pitches."""

from __future__ import annotations

import pytest
import torch

import wganx
from wganx.engine import read_checkpoint


def test_the_classifier_is_saved_and_resumed_with_the_players(tones, journey):
    found = journey("tones-domains", draw=False)
    weights = read_checkpoint(found.whole.folder.checkpoints / "step-000010").weights
    assert {name for name in weights if name.startswith("helper/classifier/")}


def test_the_classifier_learns_the_pitches_and_the_generator_meets_them(tones):
    """Whole chance is a third: the classifier knows held-out tones, and takes what was made for what was wanted."""
    run = wganx.train("tones-domains", out="run", device="cpu", overrides={"train.steps": 300, "checkpoint.every": 300})
    trainer = run.assembly.trainer
    helper = trainer.training.helpers["classifier"].eval()
    assert all(parameter.requires_grad for parameter in helper.parameters())
    batch = run.assembly.heldout_sample
    with torch.no_grad():
        told = helper(batch.real).argmax(dim=1)
    assert float((told == batch.context["pitch"]).float().mean()) > 0.9
    made, asked = run.draw(60, given={"pitch": "1500 Hz"})
    assert set(asked.context["pitch"].tolist()) == {2}
    with torch.no_grad():
        assert float((helper(made).argmax(dim=1) == 2).float().mean()) > 0.8


def test_labels_that_belong_to_the_source_stay_with_it(tones):
    """Where the context comes from data, the labels of its rows do too, unless they are asked for."""
    run = wganx.train("tones-domains", out="run", device="cpu", overrides={"train.steps": 1})
    _, batch = run.draw(12, given={"pitch": "500 Hz"})
    items = run.assembly.heldout_items
    own = {items[i]["sample"].float().div(32768).numpy().tobytes(): int(items[i]["pitch"]) for i in range(len(items))}
    sources = [own[row.numpy().tobytes()] for row in batch.context["source"]]
    assert batch.context["origin"].tolist() == sources
    assert batch.context["pitch"].tolist() == [0] * 12


@pytest.mark.parametrize("learns_with", ["nobody", "generator"])
def test_helpers_that_cannot_be(tones, monkeypatch, learns_with):
    from wganx_tones import domains

    real = domains.Domains.__init__

    def shared(self, config, formats):
        real(self, config, formats)
        self.helpers = {"classifier": wganx.Helper(self.helpers["classifier"].module, learns_with)}

    monkeypatch.setattr(domains.Domains, "__init__", shared)
    if learns_with == "generator":  # nobody's losses are refused: it then learns from the generator's
        wganx.train("tones-domains", out="run", device="cpu", overrides={"train.steps": 1})
    else:
        with pytest.raises(wganx.UsageError, match="learns with 'nobody'; it must be 'generator', 'critic' or None"):
            wganx.train("tones-domains", out="run", device="cpu")
