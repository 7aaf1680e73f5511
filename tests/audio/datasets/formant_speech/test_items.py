"""Items of formant speech: labels, splits, held-out pairs, parallel utterances, and that they cost little."""

from __future__ import annotations

import pickle
from collections import Counter

import pytest
import torch
from pydantic import ValidationError
from wganx_audio.configs.datasets import FormantSpeechConfig
from wganx_audio.datasets.formant_speech.items import open_formant_speech
from wganx_audio.datasets.formant_speech.phonology import EMOTIONS, HELD_OUT, LANGUAGES, SPEAKERS

from wganx import DataContext
from wganx.data import packed

SMALL = {"count": 64, "length": 2048}


def opened(split="train", seed=0, **options):
    return open_formant_speech(FormantSpeechConfig(**{**SMALL, **options}), split, DataContext(seed=seed))


def labels(items):
    """The labels of every item in words, without rendering it."""
    said = items.utterances(range(len(items)))
    names = {"speaker": list(SPEAKERS), "emotion": list(EMOTIONS), "language": list(LANGUAGES)}
    return {name: [values[number] for number in getattr(said, name).tolist()] for name, values in names.items()}


def test_items_have_a_label_for_each_factor_and_a_text():
    items = opened(text=True)
    item = items[3]
    assert list(item) == ["sample", "word", "speaker", "emotion", "language", "text"]
    assert item["sample"].shape == (1, 2048)
    assert item["sample"].dtype == torch.int16
    language, word = items.formats["language"].classes[item["language"]], int(item["word"])
    assert items.formats["text"].tokens(LANGUAGES[language].words[word]) == item["text"].tolist()
    assert len(items) == 64
    assert len(opened("heldout")) == 16


def test_a_factor_of_one_value_is_no_label():
    items = opened(languages=("tonal",), emotions=("neutral",), speakers=("clara", "anna"), words=("three", "one"))
    assert {name: items.formats[name].classes for name in items.formats if name != "sample"} == {
        "word": ("three", "one"),
        "speaker": ("clara", "anna"),
    }
    said = items.utterances([0])
    assert items.formats["word"].classes[items[0]["word"]] == ("zero", "one", "two", "three")[int(said.word)]


def test_pairs_are_held_out_of_training_alone():
    for kind, pairs in HELD_OUT.items():
        trained, tested = (labels(opened(split, count=6000)) for split in ("train", "heldout"))
        assert not pairs & set(zip(trained[kind[0]], trained[kind[1]]))
        assert pairs <= set(zip(tested[kind[0]], tested[kind[1]]))
        everything = labels(opened(count=2000, held_out_pairs=False))
        assert pairs <= set(zip(everything[kind[0]], everything[kind[1]]))
    assert "pairs that only held-out items have: anna closed" in opened().details[0]
    one = labels(opened(count=2000, languages=("closed",)))  # nothing to hold out for
    assert "anna" in one["speaker"]


def test_every_choice_leaves_something_to_learn():
    for (one, other), pairs in HELD_OUT.items():
        # With at least two values of each, no value has all its partners held out.
        assert max(Counter(first for first, _ in pairs).values()) == 1
        assert max(Counter(second for _, second in pairs).values()) == 1
        assert (one, other) in {("speaker", "language"), ("speaker", "emotion")}
    speakers = [{first for first, _ in pairs} for pairs in HELD_OUT.values()]
    assert not speakers[0] & speakers[1]
    few = labels(opened(speakers=("anna", "david"), languages=("closed", "tonal"), emotions=("happy",)))
    assert set(zip(few["speaker"], few["language"])) == {("anna", "tonal"), ("david", "closed")}


def test_labels_are_balanced():
    said = labels(opened(count=720, held_out_pairs=False))
    for values in said.values():
        assert len(set(Counter(values).values())) == 1


def test_an_item_is_the_same_however_many_there_are():
    few, many = opened(), opened(count=1000)
    assert all(torch.equal(few[index]["sample"], many[index]["sample"]) for index in (0, 31, 63))
    assert not torch.equal(few[0]["sample"], opened(seed=1)[0]["sample"])
    assert not torch.equal(few[0]["sample"], opened("heldout")[0]["sample"])


def test_parallel_utterances_differ_in_what_is_asked_alone():
    items = opened(count=200)
    rows = [0, 5, 9]
    assert torch.equal(items.parallel(rows)[1], items[5]["sample"])
    by_anna = items.parallel(rows, speaker="anna")
    assert torch.equal(by_anna, items.parallel(rows, speaker=torch.zeros(3, dtype=torch.long)))
    for row, sound in zip(rows, by_anna):
        same = items.formats["speaker"].classes[items[row]["speaker"]] == "anna"
        assert torch.equal(sound, items[row]["sample"]) == same
    back = items.utterances(rows).but(speaker="anna").but(speaker=items.utterances(rows).speaker)
    assert torch.equal(items.render(back), items.parallel(rows))
    with pytest.raises(ValueError, match="not in tuple"):
        items.parallel(rows, speaker="nobody")


def test_labels_of_chosen_values_are_theirs_in_parallel_utterances():
    items = opened(speakers=("clara", "anna"), count=20)
    assert torch.equal(items.parallel([2], speaker=torch.tensor([1])), items.parallel([2], speaker="anna"))


def test_items_travel_and_are_packed(tmp_path, monkeypatch):
    monkeypatch.setenv("WGANX_CACHE", str(tmp_path))
    items = opened()
    assert torch.equal(pickle.loads(pickle.dumps(items))[7]["sample"], items[7]["sample"])
    kept, where = packed(items, "always")
    assert "packed in" in where
    assert torch.equal(kept[7]["sample"], items[7]["sample"])
    again, _ = packed(opened(), "always")
    assert again.folder == kept.folder
    other, _ = packed(opened(seed=1), "always")
    assert other.folder != kept.folder


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"speakers": ("anna", "anna")}, "each is to be named once"),
        ({"words": ()}, "at least 1 item"),
        ({"languages": ("klingon",)}, "'open', 'closed' or 'tonal'"),
        ({"rate": 4000}, "greater than or equal to 8000"),
    ],
)
def test_what_there_is_not_is_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        opened(**options)
