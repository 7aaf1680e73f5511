"""Conversions whose outcome is known: the source as it is, the target itself, something between."""

from dataclasses import replace

import pytest
import torch
from wganx_audio.judges.parallel import parallel

from wganx import Batch, DataError


def turned(waveforms, of="source"):
    """Every sound to be said by the next speaker; it is what it was, or what it should be."""
    real, speakers = waveforms.real, 3
    source = real.context["speaker"]
    target = (source + 1) % speakers
    words = real.context["word"]
    samples = real.real
    if of == "target":
        rows = [
            int(((words == word) & (source == wanted)).nonzero()[0])
            for word, wanted in zip(words.tolist(), target.tolist())
        ]
        samples = real.real[rows]
    return Batch(samples, {"speaker": target}, {"speaker": target}, {"source_speaker": source, "word": words})


@pytest.fixture(scope="module")
def bench(waveforms):
    """The metrics see the reference's speakers as those that were asked for."""
    return replace(waveforms, reference=Batch(waveforms.reference.real, dict(waveforms.reference.context)))


def test_the_source_as_it_is_reaches_nothing_and_keeps_all(bench):
    found = bench.numbers("conversion", turned(bench))
    assert found["target"] <= 0.1
    assert found["unchanged_speaker"] >= 0.9
    assert found["kept"] == found["kept_word"] >= 0.9
    assert found["target_and_kept"] <= 0.2


def test_the_target_saying_the_same_reaches_and_keeps(bench):
    found = bench.numbers("conversion", turned(bench, "target"))
    assert found["target"] == found["target_speaker"] >= 0.9
    assert found["target_and_kept"] >= 0.9


def test_recordings_of_the_targets_say_what_they_say(bench):
    side = turned(bench)
    known = {**side.known, "word": side.known["word"].roll(1), "real_word": bench.real.context["word"]}
    real = Batch(
        bench.real.real,
        {"speaker": bench.real.context["speaker"]},
        {},
        {**known, "source_speaker": side.context["speaker"]},
    )
    found = bench.numbers("conversion", real, real)
    assert found["target"] >= 0.9
    assert found["kept_word"] == found["kept"] >= 0.9
    assert not any("real" in name for name in found)


def test_the_harmonic_mean(bench):
    half = turned(bench)
    mixed = half.with_real(torch.cat([turned(bench, "target").real[:24], half.real[24:]]))
    found = bench.numbers("conversion", mixed)
    a, b = found["target"], found["kept"]
    assert a == pytest.approx(0.5, abs=0.1)
    assert found["target_and_kept"] == pytest.approx(2 * a * b / (a + b))


def test_rows_that_are_to_stay_do_not_count(bench):
    side = turned(bench)
    same = Batch(side.real, {"speaker": side.known["source_speaker"]}, {}, side.known)
    assert bench.numbers("conversion", same) == {}


def test_recordings_that_fit_are_found(bench, opened):
    rows, targets = parallel(turned(bench), bench.context)
    assert rows.tolist() == list(range(48))
    heldout = opened["heldout"].tensors
    for row, wave in zip(rows.tolist(), targets.real):
        (place,) = (heldout["sample"].float() / 32768 == wave).all(-1).all(-1).nonzero()[:1, 0].tolist()
        assert heldout["speaker"][place] == turned(bench).context["speaker"][row]
        assert heldout["word"][place] == turned(bench).known["word"][row]


def test_another_recording_is_another(bench):
    first, second = (parallel(turned(bench), bench.context, apart)[1].real for apart in (0, 1))
    assert not (first == second).all(-1).any()


def test_a_recording_is_not_compared_with_itself(bench, opened):
    heldout = opened["heldout"].tensors
    source = (heldout["speaker"] + 1) % 3
    words = {"word": heldout["word"], "real_word": heldout["word"], "source_speaker": source}
    side = Batch(heldout["sample"].float() / 32768, {"speaker": heldout["speaker"]}, {}, words)
    rows, targets = parallel(side, bench.context, real=True)
    assert len(rows) == 96
    assert not (side.real == targets.real).flatten(1).all(1).any()


def test_labels_that_nobody_has_leave_a_row_out(bench):
    side = turned(bench)
    nobody = Batch(side.real, side.context, {}, {**side.known, "word": torch.full_like(side.known["word"], 77)})
    rows, targets = parallel(nobody, bench.context)
    assert len(rows) == len(targets) == 0
    assert bench.numbers("mel-distortion", nobody) == {}


def test_what_is_not_finite_is_no_distance(bench):
    side = turned(bench)
    with pytest.raises(DataError, match="1 of 48 samples hold values that are not finite; the generator has diverged"):
        bench.numbers("mel-distortion", side.with_real(side.real.clone().index_fill_(0, torch.tensor([3]), torch.nan)))


def test_mel_distortion_is_least_for_the_target(bench):
    source, target = (bench.numbers("mel-distortion", turned(bench, of)) for of in ("source", "target"))
    noise = bench.numbers("mel-distortion", turned(bench).with_real(0.1 * torch.randn(48, 1, 4096)))
    assert target["mel_distortion"] < source["mel_distortion"] < noise["mel_distortion"]
    assert target["mel_distortion"] == pytest.approx(source["mel_distortion_real"], rel=0.5)
