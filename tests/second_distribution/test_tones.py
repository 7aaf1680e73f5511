"""A sound-like modality: a signal description, two labels of their own names, sounds to be heard; a truth."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest
import torch

import wganx
from wganx import ConfigError, UsageError


def loudest_hz(path: Path) -> tuple[float, float, int]:
    """The loudest frequency of a WAV file, its root mean square, and its rate."""
    with wave.open(str(path), "rb") as file:
        rate = file.getframerate()
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.fft.rfftfreq(len(sound), 1 / rate)[power.argmax()]), float(np.sqrt((sound**2).mean())), rate


def test_it_is_trained_resumed_moved_drawn_without_data_and_evaluated(tones, journey):
    found = journey("tones", "tiny", given={"pitch": "1000 Hz", "loudness": "soft"})
    assert found.samples.shape == (4, 65, 17)
    heard = sorted(path.name for path in found.whole.folder.samples.glob("step-000010*"))
    assert heard == ["step-000010-0000.wav", "step-000010-0001.wav", "step-000010-0002.wav",
                     "step-000010-0003.wav", "step-000010.png"]  # fmt: skip


def test_labels_are_chosen_by_their_own_names_on_the_command_line(tones, command, tmp_path):
    command("train", "--plugin", "tones", "--device", "cpu", "--out", "run", "--set", "train.steps=2")
    told = command("sample", "run", "-n", 2, "--given", "pitch=1000 Hz", "--given", "loudness=soft", "--out", "made")
    assert "2 samples in 2 files" in told
    assert len(list((tmp_path / "made").glob("*.wav"))) == 2

    run = wganx.load_run("run")
    with pytest.raises(UsageError, match=r"no class '1001 Hz'; classes: 500 Hz, 1000 Hz, 1500 Hz"):
        run.sample(1, given={"pitch": "1001 Hz"})
    with pytest.raises(UsageError, match=r"takes no label 'pich'; labels: pitch, loudness.*pitch"):
        run.sample(1, given={"pich": "500 Hz"})
    with pytest.raises(UsageError, match=r"several labels, so say which: --given pitch=... or --given loudness=..."):
        run.sample(1, class_name="soft")


def test_a_spectrum_is_turned_back_to_the_tone_it_was_made_of_from_its_format_alone(tones, tmp_path):
    """What the writer needs travels in the checkpoint: pitch, loudness and rate of the WAV are those of the tone."""
    run = wganx.train("tones", overrides={"train.steps": 1}, out="run", device="cpu")
    items, game = run.assembly.heldout_items, run.assembly.game
    rows = {name: torch.stack([items[index][name] for index in range(6)]) for name in items.formats}
    batch = game.batch(rows, torch.Generator(), training=False)

    stored = json.loads((run.folder.checkpoints / "step-000001" / "state.json").read_text())["about"]["sample"]
    format = wganx.SampleFormat.from_json(stored)
    assert set(format.signal) == {"window", "hop", "length", "mean", "deviation"}
    from wganx_tones.writers import write_wav

    for path, pitch, loudness in zip(write_wav(batch, format, tmp_path, "x"), rows["pitch"], rows["loudness"]):
        hz, level, rate = loudest_hz(path)
        assert rate == 8000
        assert hz == pytest.approx((500, 1000, 1500)[pitch], abs=60)  # a bin of the spectrum is 62.5 Hz wide
        assert level == pytest.approx((0.25, 0.8)[loudness] / 2**0.5, rel=0.15)


def test_what_was_fitted_when_the_run_started_is_what_it_goes_on_with(tones, monkeypatch):
    """Normalisation constants are no business of whoever opens the data again."""
    run = wganx.train("tones", overrides={"train.steps": 2}, out="run", device="cpu")
    from wganx_tones import datasets

    monkeypatch.setattr(datasets, "fit_spectrum", lambda config, context: pytest.fail("fitted again"))
    before = run.assembly.game.sample.signal["mean"]
    again = wganx.resume("run", settings=["train.steps=4"])
    assert again.assembly.game.sample.signal["mean"] == before
    assert torch.equal(again.assembly.fitted["mean"], run.assembly.fitted["mean"])


def test_a_task_without_what_it_needs_says_which_dataset_has_it(tones, tmp_path):
    tone_files(tmp_path / "sounds", {"anna_1": 500, "ben_1": 1000})
    with pytest.raises(ConfigError, match=r"needs a dataset that fits a spectrum: choose dataset\.name=sines"):
        wganx.train("tones", data=tmp_path / "sounds", out="run", device="cpu")


def tone_files(folder: Path, pitches: dict[str, float], seconds: float = 0.5, rate: int = 8000) -> None:
    """WAV files of one tone each, by name without ending."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, pitch in pitches.items():
        time = np.arange(int(seconds * rate)) / rate
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes((0.5 * np.sin(2 * np.pi * pitch * time) * 32767).astype("<i2").tobytes())


def test_what_can_be_heard_stands_in_the_report(tones):
    run = wganx.train("tones", overrides={"train.steps": 1}, out="run", device="cpu")
    assert run.folder.report.read_text(encoding="utf-8").count("<audio") >= 4
