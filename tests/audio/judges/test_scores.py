"""Known orderings of what the evaluator hears, and its sums against those of scipy."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.linalg
import scipy.spatial
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wganx_audio.judges.scores import asked_and_kept, bin_numbers

from wganx import Batch

from .conftest import glides


def spoilt(batch, strength, seed=0):
    noise = torch.randn(batch.real.shape, generator=torch.Generator().manual_seed(seed))
    return batch.with_real((batch.real + strength * noise).clamp(-1, 1))


class TestLabels:
    def test_real_sounds_are_heard_as_what_they_are(self, waveforms):
        found = waveforms.numbers("labels", waveforms.real)
        assert found["word_accuracy"] >= 0.95
        assert found["speaker_accuracy"] >= 0.95
        assert found["word_classes"] == 4
        assert 3 < found["word_score"] <= 4
        assert set(found["word_accuracies"]) == {"rise", "fall", "arch", "steady"}

    def test_noise_in_a_sound_costs_its_labels(self, waveforms):
        found = [waveforms.numbers("labels", spoilt(waveforms.real, s))["word_accuracy"] for s in (0.0, 0.2, 1.0)]
        assert found[0] >= found[1] >= found[2]
        assert found[2] < 0.6

    def test_backwards_words_are_lost_and_voices_stay(self, waveforms):
        found = waveforms.numbers("labels", waveforms.real.with_real(waveforms.real.real.flip(-1)))
        assert found["word_accuracy"] <= 0.6  # what rises falls; two of four words are the same backwards
        assert found["speaker_accuracy"] >= 0.9

    def test_a_class_that_is_left_out_is_missed(self, waveforms):
        rows = waveforms.real.context["word"] < 3
        found = waveforms.numbers("labels", waveforms.real.each(lambda tensor: tensor[rows]))
        assert found["word_classes"] == 3
        assert found["word_score"] == pytest.approx(3, abs=0.4)

    def test_without_chosen_labels_nothing_was_asked_for(self, waveforms):
        found = waveforms.numbers("labels", Batch(waveforms.real.real))
        assert "word_accuracy" not in found
        assert found["word_classes"] == 4

    def test_wrong_labels_are_heard(self, waveforms):
        real = waveforms.real
        given = {name: rows.roll(1) for name, rows in real.context.items()}
        assert waveforms.numbers("labels", Batch(real.real, given))["word_accuracy"] <= 0.1


class TestFrechetRatio:
    def test_other_real_sounds_are_one(self, waveforms):
        assert waveforms.numbers("frechet-ratio", waveforms.real)["frechet_ratio"] == pytest.approx(1)

    def test_noisier_sounds_lie_further(self, waveforms):
        found = [
            waveforms.numbers("frechet-ratio", spoilt(waveforms.real, strength))["frechet_ratio"]
            for strength in (0.02, 0.2, 1.0)
        ]
        assert found == sorted(found)
        assert found[-1] > 2 * found[0]

    def test_it_is_the_ratio_of_the_textbook_formula(self, waveforms):
        def distance(x, y):
            a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
            root = scipy.linalg.sqrtm(a @ b + 1e-9 * np.eye(len(a))).real
            return ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(a + b - 2 * root)

        made = spoilt(waveforms.real, 0.5)
        x, truth, reference = (
            waveforms.context.features("labels", side).double().numpy()
            for side in (made, waveforms.real, waveforms.reference)
        )
        expected = distance(x, reference) / distance(truth, reference)
        assert waveforms.numbers("frechet-ratio", made)["frechet_ratio"] == pytest.approx(expected, rel=0.02)


class TestBins:
    @given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 90)), min_size=2, max_size=12))
    @settings(deadline=None)
    def test_they_are_those_of_scipy(self, counts):
        made, real = (torch.tensor([pair[side] for pair in counts]) for side in (0, 1))
        if made.sum() == 0 or real.sum() == 0:
            return
        n, m = int(made.sum()), int(real.sum())
        different = 0
        for a, b in counts:
            if 0 < a + b < n + m:
                table = [[a, n - a], [b, m - b]]
                different += scipy.stats.chi2_contingency(table, correction=False).statistic > 1.96**2
        found = bin_numbers(made, real)
        assert found["different_bins"] == pytest.approx(different / len(counts))
        expected = scipy.spatial.distance.jensenshannon(made.double() / n, real.double() / m) ** 2
        assert found["bins_divergence"] == pytest.approx(expected, abs=1e-9)

    def test_a_class_that_is_left_out_leaves_bins_empty(self, waveforms):
        whole, other, few = (
            waveforms.game.batch(glides(192, seed, words), torch.Generator(), training=False)
            for seed, words in ((5, (0, 1, 2, 3)), (6, (0, 1, 2, 3)), (7, (0, 1)))
        )
        larger = replace(waveforms, real=whole, reference=other)
        real, found = (larger.numbers("bins", side) for side in (whole, few))
        assert real["different_bins"] <= 0.3
        assert found["different_bins"] > real["different_bins"]
        assert found["bins_divergence"] > 2 * real["bins_divergence"]


def test_copies_of_the_training_data_are_found_by_the_core(waveforms, opened):
    from wganx.evaluation.metrics import memorising

    training = waveforms.context.training("labels")
    made = waveforms.game.batch({k: v[:48] for k, v in opened["train"].tensors.items()}, torch.Generator(), training=0)
    fresh = waveforms.game.batch(glides(48, 9), torch.Generator(), training=False)
    real = waveforms.context.features("labels", waveforms.reference)
    copied, honest = (memorising(waveforms.context.features("labels", side), training, real) for side in (made, fresh))
    assert copied["copies"] > 0.95
    assert copied["closer_to_training"] > 0.95
    assert honest["copies"] < 0.3


def test_what_was_to_change_and_what_was_to_stay():
    side = Batch(
        torch.zeros(3, 1, 8),
        context={"source": torch.zeros(3, 1, 8), "speaker": torch.tensor([0, 1, 2]), "intensity": torch.rand(3)},
        known={"source_speaker": torch.tensor([0, 0, 0]), "word": torch.tensor([3, 2, 1])},
    )
    asked, kept, changed = asked_and_kept(side)
    assert (list(asked), list(kept), changed.tolist()) == (["speaker"], ["word"], [False, True, True])
