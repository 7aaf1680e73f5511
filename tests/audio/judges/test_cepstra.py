"""Cepstra against scipy's, the warping against the plain recursion."""

import math

import numpy as np
import pytest
import scipy.fft
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wganx_audio.judges.cepstra import aligned, mel_cepstra, mel_distortion

RATE = 8000


def vowel(formants, f0=120.0, seconds=0.5, warp=lambda t: t):
    """A steady pulse train through resonances."""
    time = torch.arange(int(RATE * seconds)) / RATE
    wave = torch.zeros_like(time)
    for k in range(1, int(RATE / 2 / f0)):
        strength = sum(1 / (1 + ((k * f0 - f) / 90) ** 2) for f in formants)
        wave += strength * torch.sin(2 * torch.pi * k * f0 * warp(time))
    return 0.1 * wave


def plain_dtw(a, b):
    """The smallest sum of distances, written down as it is defined."""
    best = np.full((len(a), len(b)), np.inf)
    for i in range(len(a)):
        for j in range(len(b)):
            before = [best[i - 1, j - 1] if i and j else np.inf, best[i - 1, j] if i else np.inf]
            before.append(best[i, j - 1] if j else np.inf)
            best[i, j] = np.linalg.norm(a[i] - b[j]) + (0 if i == j == 0 else min(before))
    return best[-1, -1]


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_the_path_is_the_shortest(rows, columns, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(rows, 3)), rng.normal(size=(columns, 3))
    i, j, mean = aligned(a, b)
    assert (i[0], j[0], i[-1], j[-1]) == (0, 0, rows - 1, columns - 1)
    assert set(zip(np.diff(i), np.diff(j))) <= {(0, 1), (1, 0), (1, 1)}
    assert mean * len(i) == pytest.approx(plain_dtw(a, b))


def test_the_coefficients_are_those_of_scipy():
    from torchaudio.functional import melscale_fbanks

    wave = 0.1 * torch.randn(4000, generator=torch.Generator().manual_seed(1))
    found, places = mel_cepstra(wave, 16_000)
    frames, window = np.pad(wave.numpy(), 256), scipy.signal.get_window("hann", 512)
    spectrum = np.abs(np.stack([scipy.fft.rfft(window * frames[128 * t : 128 * t + 512]) for t in range(32)]))
    bands = melscale_fbanks(257, 0.0, 8000.0, 40, 16_000).numpy()
    assert (bands.sum(0) > 0).all()
    level = np.log(spectrum @ bands)
    expected = math.sqrt(2 / 40) * scipy.fft.dct(level, norm="ortho")[:, 1:14]
    np.testing.assert_allclose(found, expected[places], atol=1e-3)


def test_a_sound_is_nearest_to_itself_then_to_its_own_vowel_then_to_another():
    a, again = vowel((700, 1200)), vowel((700, 1200), f0=150)
    other = vowel((300, 2200))
    cepstra = [mel_cepstra(wave, RATE)[0] for wave in (a, a, again, other)]
    itself, same, different = (mel_distortion(cepstra[0], each) for each in cepstra[1:])
    assert itself == pytest.approx(0, abs=1e-4)
    assert 0 < same < different


def test_a_louder_and_a_slower_sound_are_near():
    spoken = torch.cat([vowel((700, 1200), seconds=0.3), vowel((300, 2200), seconds=0.3)])
    slower = torch.cat([vowel((700, 1200), seconds=0.5), vowel((300, 2200), seconds=0.5)])
    swapped = torch.cat([vowel((300, 2200), seconds=0.3), vowel((700, 1200), seconds=0.3)])
    first = mel_cepstra(spoken, RATE)[0]
    assert mel_distortion(first, mel_cepstra(4 * spoken, RATE)[0]) < 0.2
    near, far = (mel_distortion(first, mel_cepstra(wave, RATE)[0]) for wave in (slower, swapped))
    assert near < 0.3 * far


def test_silence_and_a_single_frame_have_a_distance():
    silent, click = torch.zeros(2000), torch.zeros(2000)
    click[1000] = 0.5
    for wave in (silent, click):
        found, places = mel_cepstra(wave, RATE)
        assert len(found) == len(places) > 0
        assert math.isfinite(mel_distortion(found, mel_cepstra(vowel((700, 1200)), RATE)[0]))
