"""The ceiling of the representations, on gliding harmonics: its order is that of the study on real digits."""

import math

import pytest
import torch


@pytest.fixture(scope="module")
def waves():
    """Three voices ``(3, 1, 8192)``: a gliding pitch under two resonances, in syllables, with some breath."""
    rng, time_L, found = torch.Generator().manual_seed(0), torch.arange(8192) / 8000, []
    for pitch in (90.0, 130.0, 170.0):
        turns_L = torch.cumsum(pitch * (1 + 0.15 * torch.sin(3 * math.pi * time_L)), 0) / 8000
        wave_L = torch.zeros(8192)
        for number in range(1, int(3600 / pitch / 1.15)):
            gain = sum(1 / (1 + ((number * pitch - centre) / 200) ** 2) for centre in (600, 1500))
            wave_L += gain * torch.sin(2 * math.pi * number * turns_L)
        wave_L = wave_L * torch.sin(3 * math.pi * time_L).abs() + 0.02 * torch.randn(8192, generator=rng)
        found.append(0.5 * wave_L / wave_L.abs().max())
    return torch.stack(found)[:, None]


def test_the_order_is_that_of_the_study(waves):
    from griffin_lim import CASES, fitted, measure

    found = {name: measure(fitted(waves, 8000, options), waves).convergence for name, options in CASES.items()}
    assert found["linear 512/128"] < found["linear 256/64"] < found["linear 256/128 (half overlap)"]
    assert found["linear 256/64"] < found["linear 256/64, 16 iterations"]
    assert found["linear 512/128"] < found["mel 128 of 512/64"] < found["mel 64 of 512/64"]
    assert found["phase 256/64"] < found["linear 512/128"]


def test_a_source_says_more_than_nothing_of_what_was_made_of_it(waves):
    from griffin_lim import CASES, CONVERTED, fitted, measure, other_resonances

    representation, wanted = fitted(waves, 8000, CASES[CONVERTED]), other_resonances(waves, 8000)
    assert measure(representation, wanted, waves).convergence < measure(representation, wanted).convergence


def test_scores_of_what_differs_by_a_factor_are_known(waves):
    from griffin_lim import log_spectral_distance, magnitude

    one, half = magnitude(waves[:1], 8000), magnitude(0.5 * waves[:1], 8000)
    assert float((half - one).norm() / one.norm()) == pytest.approx(0.5)
    assert log_spectral_distance(0.99 * one, one) < 0.1
    assert 5 < log_spectral_distance(half, one) <= 20 * math.log10(2) + 1e-4  # but for what lies at the floor


def test_it_prints_its_table(tmp_path, waves, monkeypatch, capsys):
    import griffin_lim
    import soundfile

    for number, wave in enumerate(waves):
        soundfile.write(tmp_path / f"{number}.wav", wave[0].numpy(), 8000)
    monkeypatch.setattr("sys.argv", ["griffin_lim.py", str(tmp_path), "--length", "2048"])
    monkeypatch.setattr(griffin_lim, "CASES", {"linear 256/64": {"window": 256, "hop": 64, "iterations": 2}})
    griffin_lim.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("3 clips at 8,000 Hz")
    assert len(lines) == 4 + 1 + 4
    assert "the source's" in lines[-1]


def test_a_folder_without_sounds_is_said(tmp_path):
    from griffin_lim import clips

    with pytest.raises(SystemExit, match=r"there are no \.wav files"):
        clips(sorted(tmp_path.glob("*.wav")), 3, 4096)
