"""What is offered follows from the run: its generator, its task, its modality, and whether the data is there."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import wganx
from wganx.batch import SampleFormat
from wganx.demo.offers import offer_of
from wganx.engine import Sampler
from wganx.errors import UsageError

SAMPLE = SampleFormat(axes=("x",), shape=(2,))


def test_points_of_a_label_are_drawn_walked_and_slid(ring):
    offer = offer_of(ring, ring.sampler())
    assert offer.ways == ("draw", "walk", "slide")
    assert [(choice.name, choice.kind) for choice in offer.choices] == [("label", "label")]
    assert offer.truncates
    assert offer.slides == ("1", "2"), "the noise has two numbers, and the label is told to the generator"
    assert (offer.from_data, offer.has_noise, offer.options) == (False, True, ())


def test_files_are_sent_where_the_task_makes_something_of_them(ribbons):
    offer = offer_of(ribbons, ribbons.sampler())
    assert offer.ways == ("draw", "walk", "send")
    assert [(option.name, option.own) for option in offer.options] == [("repeat", "1"), ("by_piece", "none")]
    assert offer.from_data
    assert not offer.truncates


def test_numbers_and_texts_are_said_too(ring):
    class Said(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, noise, much, words):
            return self.layer(noise)

    context = {"much": SampleFormat.number(0.0, 1.5, usual=1.0), "words": SampleFormat.text(tuple("ab"), 3)}
    sampler = Sampler(Said(), noise=(3,), device="cpu", sample=SAMPLE, context=context)
    offer = offer_of(ring, sampler)
    much, words = offer.choices
    assert (much.kind, much.range, words.kind) == ("number", (0.0, 1.5, 1.0), "text")
    assert words.symbols == "ab"
    assert offer.ways == ("draw", "walk"), "a direction hangs on a text that nobody has said yet"
    assert offer.truncates


def test_without_noise_nothing_is_walked_or_truncated(ring):
    class Plain(nn.Module):
        def forward(self, label):
            return torch.zeros(len(label), 2)

    sampler = Sampler(Plain(), noise=None, device="cpu", sample=SAMPLE, context=dict(ring.sampler().context))
    offer = offer_of(ring, sampler)
    assert (offer.ways, offer.truncates, offer.has_noise) == (("draw",), False, False)


def test_without_its_data_a_run_offers_what_it_can_do(trained):
    run = trained("points", "moons-to-ring", **{"generator__width": 8, "critic__width": 8})
    sampler = run.sampler()
    assert offer_of(run, sampler).ways[0] == "draw"
    gone = wganx.load_run(run.folder.path)
    gone.assembly.__dict__["heldout_items"] = ()
    with pytest.raises(UsageError, match=r"there is nothing to try of .*; say where the data lies now with --data"):
        offer_of(gone, sampler)
