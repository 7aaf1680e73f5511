"""What is rendered is what the tracks say: pitch, formants, levels, durations, told from the sound alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from wganx_audio.datasets.formant_speech.phonology import EMOTIONS, LANGUAGES, SPEAKERS, VOWELS, WORDS, melody, phones
from wganx_audio.datasets.formant_speech.synthesis import pulses, render
from wganx_audio.datasets.formant_speech.tracks import track
from wganx_audio.datasets.formant_speech.utterances import CHANCES, FACTORS, Utterances, draw

RATE, LENGTH = 8000, 8192


def utterances(rows, length=LENGTH, chance=0.0):
    """Utterances of labels in words; without chance, each is in the middle of what it may be."""
    labels = torch.tensor([[FACTORS[name].index(value) for name, value in zip(FACTORS, row)] for row in rows])
    noise = torch.randn(len(rows), length, generator=torch.Generator().manual_seed(0))
    return Utterances(
        **dict(zip(FACTORS, labels.unbind(1))),
        chance_NK=torch.full((len(rows), len(CHANCES)), chance, dtype=torch.float64),
        noise_NL=noise,
    )


def heard(rows, **how):
    return render(utterances(rows, **how), rate_hz=RATE, length=LENGTH)[:, 0].double() / 32768


def pitch_of(wave, begin, width=512):
    """The pitch of a stretch in Hz, by the highest peak of its autocorrelation."""
    piece = wave[begin : begin + width] - wave[begin : begin + width].mean()
    spectrum = torch.fft.rfft(piece * torch.hann_window(width, dtype=torch.float64), 4 * width)
    window = torch.fft.irfft(torch.fft.rfft(torch.hann_window(width, dtype=torch.float64), 4 * width).abs().square())
    found = torch.fft.irfft(spectrum.abs().square())[: width // 2] / window[: width // 2]
    shortest, longest = RATE // 500, RATE // 70
    lag = shortest + int(found[shortest:longest].argmax())
    below, at, above = (float(found[lag + step]) for step in (-1, 0, 1))
    return RATE / (lag + 0.5 * (below - above) / (below - 2 * at + above))


@given(st.floats(70, 500))
def test_pulses_are_harmonics_of_equal_strength_below_half_the_rate(hertz):
    wave = pulses(torch.full((1, RATE), hertz), RATE)[0]
    time = torch.arange(1, RATE + 1, dtype=torch.float64) / RATE
    highest = math.floor(0.49 * RATE / float(torch.tensor(hertz)))
    direct = sum(torch.cos(2 * math.pi * k * float(torch.tensor(hertz)) * time) for k in range(1, highest + 1))
    fading = 0.49 * RATE / float(torch.tensor(hertz)) - highest
    direct = direct + fading * torch.cos(2 * math.pi * (highest + 1) * float(torch.tensor(hertz)) * time)
    assert (wave - direct).abs().max() < 1e-4 * highest


def test_no_harmonic_jumps_where_the_pitch_glides():
    gliding = torch.linspace(100, 300, RATE, dtype=torch.float64)[None]
    wave = pulses(gliding, RATE)[0]
    steps = pulses(gliding + 1e-4, RATE)[0] - wave
    assert steps[:200].abs().max() < 1  # a little more pitch is a little more of the highest harmonic


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_the_pitch_is_the_speakers(speaker):
    said = utterances([("zero", speaker, "neutral", "tonal")])  # level all through
    tracks = track(said, rate_hz=RATE, length=LENGTH, hop=64)
    wave = render(said, rate_hz=RATE, length=LENGTH)[0, 0].double()
    voiced = (tracks.voice_NL[0] > 0.99).nonzero()[:, 0]
    middle = int(voiced[len(voiced) // 2])
    assert float(tracks.pitch_NL[0, middle]) == pytest.approx(SPEAKERS[speaker].pitch, rel=0.02)
    assert pitch_of(wave, middle - 256) == pytest.approx(SPEAKERS[speaker].pitch, rel=0.03)


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_an_emotion_changes_pitch_rate_and_level(emotion):
    rows = [("zero", "farid", mood, "tonal") for mood in ("neutral", emotion)]
    said = utterances(rows)
    tracks = track(said, rate_hz=RATE, length=LENGTH, hop=64)
    waves = render(said, rate_hz=RATE, length=LENGTH)[:, 0].double()
    pitches, lasting = [], []
    for wave, voice in zip(waves, tracks.voice_NL):
        voiced = (voice > 0.99).nonzero()[:, 0]
        pitches.append(pitch_of(wave, int(voiced[len(voiced) // 2]) - 256))
        loud = (wave.abs() > 100).nonzero()[:, 0]
        lasting.append(float(loud[-1] - loud[0]))
    mood = EMOTIONS[emotion]
    assert pitches[1] / pitches[0] == pytest.approx(mood.pitch, rel=0.04)
    assert lasting[0] / lasting[1] == pytest.approx(mood.rate, rel=0.06)
    power = [float((wave.square() * spoken).sum() / spoken.sum()) for wave, spoken in zip(waves, tracks.spoken_NL)]
    assert 10 * math.log10(power[1] / power[0]) == pytest.approx(mood.level_db, abs=0.2)


@pytest.mark.parametrize("tone", ["1", "2", "3", "4"])
def test_tones_are_melodies(tone):
    word = next(index for index, word in enumerate(LANGUAGES["tonal"].words) if word.endswith(tone))
    said = utterances([(WORDS[word], "farid", "neutral", "tonal")])
    tracks = track(said, rate_hz=RATE, length=LENGTH, hop=64)
    spoken = tracks.spoken_NL[0].nonzero()[:, 0]
    semitones = 12 * torch.log2(tracks.pitch_NL[0, spoken] / SPEAKERS["farid"].pitch)
    quarters = [float(semitones[round(part * (len(semitones) - 1))]) for part in (0, 0.25, 0.5, 0.75, 1)]
    assert quarters == pytest.approx(melody(LANGUAGES["tonal"], f"xx{tone}"), abs=0.35)


@pytest.mark.parametrize(("vowel", "word"), [("a", "five"), ("e", "two"), ("o", "eight"), ("i", "one"), ("u", "three")])
@pytest.mark.parametrize("speaker", ["boris", "farid"])
def test_the_first_formants_are_the_vowels(vowel, word, speaker):
    language = LANGUAGES["open"]
    spelled = language.words[WORDS.index(word)]
    assert spelled[1] == vowel
    wave = heard([(word, speaker, "sad", "open")])[0]  # the lowest pitch shows most of the mouth
    sounds = phones(language, spelled)
    place = next(index for index, phone in enumerate(sounds) if phone.voice == 1.0)
    before = sum(phone.seconds for phone in sounds[:place]) / EMOTIONS["sad"].rate
    middle = round((0.04 + before + sounds[place].seconds / EMOTIONS["sad"].rate / 2) * RATE)
    wanted = VOWELS[vowel].formants[0] * SPEAKERS[speaker].tract
    assert resonances(wave[middle - 300 : middle + 300]) == pytest.approx(wanted, rel=0.2)


def resonances(piece):
    """The lowest resonance in Hz, by linear prediction of order 10."""
    emphasised = (piece[1:] - 0.9 * piece[:-1]) * torch.hann_window(len(piece) - 1, dtype=torch.float64)
    lags = np.correlate(emphasised.numpy(), emphasised.numpy(), "full")[len(emphasised) - 1 :][:11]
    from scipy.linalg import solve_toeplitz

    poles = np.roots([1, *-solve_toeplitz(lags[:10], lags[1:])])
    hertz = np.angle(poles) * RATE / (2 * np.pi)
    breadth = -np.log(np.abs(poles)) * RATE / np.pi
    return min(hertz[(hertz > 150) & (breadth < 500)])


def test_closed_syllables_end_in_a_consonant_and_a_rise():
    tracks = track(utterances([("zero", "anna", "neutral", "closed")]), rate_hz=RATE, length=LENGTH, hop=64)
    spoken = tracks.spoken_NL[0].nonzero()[:, 0]
    pitch = tracks.pitch_NL[0, spoken]
    assert pitch[-1] > 1.2 * pitch[len(pitch) // 4]
    assert all(word[-1] in "sn" for word in LANGUAGES["closed"].words)
    assert all(word[-1] in "aeiou" for word in LANGUAGES["open"].words)


def test_an_item_is_the_same_in_any_company():
    every = torch.cartesian_prod(*(torch.arange(len(values)) for values in FACTORS.values()))
    many = render(draw(every, range(40), (3, 0), LENGTH), rate_hz=RATE, length=LENGTH)
    for index in (0, 17, 39):
        alone = render(draw(every, [index], (3, 0), LENGTH), rate_hz=RATE, length=LENGTH)[0]
        assert (alone.int() - many[index].int()).abs().max() <= 1
    assert many.abs().max() < 32767
    assert (many.float().square().mean((1, 2)).sqrt() > 300).all()


@pytest.mark.parametrize(("rate", "length"), [(8000, 2048), (8000, 4096), (16_000, 16_384), (22_050, 20_001)])
def test_words_fit_whatever_the_rate_and_the_length(rate, length):
    said = utterances([("six", "anna", "sad", "closed"), ("six", "david", "angry", "closed")], length, chance=-1.0)
    tracks = track(said, rate_hz=rate, length=length, hop=64)
    assert not tracks.spoken_NL[:, -1].any()
    wave = render(said, rate_hz=rate, length=length)
    assert wave.shape == (2, 1, length)
    assert wave.any(2).all()
