"""The evaluator learns what can be heard, says so, and does not speak of the rest."""

import pytest
import torch
from wganx_audio.configs.judges import LabelsConfig
from wganx_audio.judges import evaluator
from wganx_audio.judges.listener import Listener, LogMel, augmented
from wganx_audio.judges.scores import heard_labels

from wganx import Unavailable
from wganx.data import ArrayItems

from .conftest import FORMATS, RATE, Sounds, bench, extractor_context, glides


def test_it_learns_every_label(waveforms):
    found = heard_labels(waveforms.context, waveforms.real)
    assert set(found) == {"word", "speaker"}
    for name, logits in found.items():
        assert (logits.argmax(1) == waveforms.real.context[name]).double().mean() >= 0.95


def test_what_it_knows_of_its_accuracy_is_right(waveforms, opened):
    network = waveforms.context.features.network("labels")
    heldout = waveforms.game.batch(opened["heldout"].tensors, torch.Generator(), training=False)
    word, speaker = network.tell(network.mel(heldout.real[:, 0]))
    right = [(word.argmax(1) == heldout.context["word"]), (speaker.argmax(1) == heldout.context["speaker"])]
    assert network.accuracy.tolist() == pytest.approx([float(each.double().mean()) for each in right], abs=0.011)


def test_its_features_are_standardised_on_the_training_items(waveforms):
    features = waveforms.context.training("labels")
    assert features.shape == (240, 64)
    assert features.mean(0).abs().max() < 0.05
    assert features.std(0).max() == pytest.approx(1, abs=0.05)


def test_a_louder_copy_is_heard_alike(waveforms):
    network = waveforms.context.features.network("labels")
    with torch.no_grad():
        torch.testing.assert_close(network(waveforms.real.real), network(waveforms.real.real / 8), atol=1e-3, rtol=1e-3)


def test_spectrograms_are_heard_as_the_sounds_they_stand_for(waveforms, opened):
    game = Sounds(opened["train"], iterations=16)
    network = Listener(game.sample, {"word": 4, "speaker": 3}).eval()
    network.load_state_dict(waveforms.context.features.network("labels").state_dict())
    seen = game.batch(opened["heldout"].tensors, torch.Generator(), training=False)
    with torch.no_grad():
        word = network.logits(seen.real)[:, :4]
    assert (word.argmax(1) == seen.context["word"]).double().mean() >= 0.9


def test_a_label_that_cannot_be_heard_is_not_spoken_of(opened):
    rng = torch.Generator().manual_seed(5)

    def with_dice(items):
        rows = {**items.tensors, "dice": torch.randint(2, (len(items),), generator=rng)}
        return ArrayItems(rows, {**FORMATS, "dice": type(FORMATS["word"]).label(("odd", "even"))})

    found = bench({split: with_dice(items) for split, items in opened.items()}, 40, representation="waveform")
    assert set(heard_labels(found.context, found.real)) == {"word", "speaker"}
    assert not {name for name in found.numbers("labels", found.real) if name.startswith("dice")}


def test_labels_that_are_told_too_badly_are_refused(opened):
    game = Sounds(opened["train"], representation="waveform")
    with pytest.raises(
        Unavailable,
        match=r"too few held-out labels right to be trusted \(word \d+%, speaker \d+%\); let it learn",
    ):
        evaluator.labels(LabelsConfig(updates=1), extractor_context(game, opened))


def test_items_without_labels_are_refused():
    plain = ArrayItems({"sample": glides(4, 0)["sample"]}, {"sample": FORMATS["sample"]})
    game = Sounds(plain, representation="waveform")
    with pytest.raises(Unavailable, match="learns the labels of the items, and these have none; use 'own' instead"):
        evaluator.labels(LabelsConfig(), extractor_context(game, {"train": plain, "heldout": plain}))


def test_it_is_the_same_whatever_was_drawn_before_and_leaves_the_streams_alone(opened):
    game = Sounds(opened["train"], representation="waveform")
    found = []
    for start in (0, 1):
        torch.manual_seed(start)
        before = torch.get_rng_state()
        kept = []

        def keep(learn, kept=kept):
            kept.append(dict(learn()))
            return kept[-1]

        context = extractor_context(game, opened)
        object.__setattr__(context, "keep", keep)
        with pytest.raises(Unavailable):
            evaluator.labels(LabelsConfig(updates=2), context)
        assert torch.equal(torch.get_rng_state(), before)
        found.append(kept[0])
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_no_mel_band_is_empty():
    for rate in (8000, 16000, 22050, 44100):
        assert (LogMel(rate).bands_MF.sum(1) > 0).all()


def test_silence_is_a_number():
    assert LogMel(RATE)(torch.zeros(2, 4096)).isfinite().all()


def test_what_is_augmented_stays_in_range():
    mel = torch.rand(8, 40, 33) * 2 - 1
    found = augmented(mel, torch.Generator().manual_seed(0))
    assert found.shape == mel.shape
    assert found.min() >= -1
    assert found.max() <= 1.2
    assert not torch.equal(found, mel)
