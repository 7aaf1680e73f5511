"""Noise with a shape, samples of any length, critics of pairs."""

from __future__ import annotations

import pytest
import torch

import wganx


def test_noise_has_a_shape(tones, journey):
    found = journey("tones", "tiny", generator__noise=[4, 8], given={"pitch": "500 Hz", "loudness": "loud"})
    assert wganx.load_generator(found.whole.folder.path).noise == (4, 8)


def test_a_fully_convolutional_generator_makes_sound_of_any_length(tones, journey):
    settings = {"task.name": "any-length", "critic.name": "patches"}
    found = journey("tones", "denoise", draw=False, extensions=("tones-free",), **_flat(settings))
    sampler = wganx.load_generator(found.whole.folder.path)
    assert sampler.sample.shape == (1, None)
    for length in (512, 700, 64):
        assert sampler.draw(2, context={"noisy": torch.randn(2, 1, length)}).shape == (2, 1, length)


def test_a_critic_judges_pairs(tones, journey):
    journey("tones", "tiny", extensions=("tones-free",), critic__name="pairs", task__labels=False)


def test_pairs_need_an_even_batch(tones):
    settings = {"critic.name": "pairs", "train.batch_size": 15, "task.labels": False}
    with pytest.raises(wganx.UsageError, match="not made of whole packs of 2; make the batch size a multiple of 2"):
        wganx.train("tones", overrides=settings, extensions=["tones-free"], out="run", device="cpu")


def _flat(settings):
    return {name.replace(".", "__"): value for name, value in settings.items()}
