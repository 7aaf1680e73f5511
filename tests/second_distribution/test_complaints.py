"""What people who write such plugins for other frameworks complain of, tried here.

Labels exchanged after a folder was renamed; classes in the file system's order; normalisation lost at inference;
weights without their average; a condition that never reached the critic; batch norm in training mode while sampling;
a vocoder set otherwise than in training; a wrong sample rate; frames lost at seams; PSNR on the wrong range. Those that
are not here stand beside what they belong to: test_tones, test_films, test_truth, test_export.
"""

from __future__ import annotations

import shutil
import wave
from pathlib import Path

import numpy as np
import pytest
import torch

import wganx
from wganx import SampleFormat
from wganx.data import FileTree


def tone(path: Path, pitch: float, rate: int = 8000, length: int = 2048) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        sound = 0.5 * np.sin(2 * np.pi * pitch * np.arange(length) / rate)
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    for name, pitch in (("high", 1500), ("low", 500)):
        for index in range(12):
            tone(tmp_path / "data" / name / f"s{index}_{name}.wav", pitch)
    return tmp_path / "data"


SMALL = {"train.steps": 2, "task.name": "denoise", "generator.name": "filter", "generator.noise": 0}


def test_a_class_folder_that_is_renamed_exchanges_no_labels(tones, folder):
    """`high` comes before `low` and `treble` behind it: what was class 0 would be class 1."""
    run = wganx.train("tones", data=folder, overrides=SMALL, out="run", device="cpu")
    assert run.assembly.train_items.formats["pitch"].classes == ("high", "low")
    (folder / "high").rename(folder / "treble")
    says = "pitch was one of high, low and is one of low, treble"
    with pytest.raises(wganx.WganxError, match=says):
        wganx.resume("run", settings=["train.steps=4"])
    with pytest.raises(wganx.WganxError, match=says):
        wganx.load_run("run").evaluate()


def test_classes_are_in_the_same_order_whatever_order_the_folders_were_made_in(tones, tmp_path, folder):
    for name in ("low", "high"):
        shutil.copytree(folder / name, tmp_path / "again" / name)
    from wganx_tones.configs import WavConfig
    from wganx_tones.datasets import open_wav

    one, other = (open_wav(WavConfig(root=root), "train", wganx.DataContext()) for root in (folder, tmp_path / "again"))
    assert one.formats == other.formats
    assert [one.name(index) for index in range(len(one))] == [other.name(index) for index in range(len(other))]
    assert FileTree(folder, (".wav",)).layout == FileTree(tmp_path / "again", (".wav",)).layout


def test_constants_that_were_fitted_are_those_of_training_after_the_data_changed(tones, monkeypatch, command):
    """Data twice as loud, and then gone: the same files are written from the run."""
    command("train", "--plugin", "tones", "--device", "cpu", "--out", "run", "--set", "train.steps=2")
    command("sample", "run", "-n", 2, "--seed", 1, "--out", "before")
    from wganx_tones import datasets

    monkeypatch.setattr(datasets, "LOUDNESS", {"soft": 0.5, "loud": 1.0})
    shutil.move("run", "moved")
    command("sample", "moved", "-n", 2, "--seed", 1, "--out", "after")
    monkeypatch.setattr(datasets, "open_sines", lambda *given: (_ for _ in ()).throw(OSError("gone")))
    command("sample", "moved", "-n", 2, "--seed", 1, "--out", "gone")
    files = sorted(path.name for path in Path("before").glob("*.wav"))
    assert len(files) == 2
    for name in files:
        assert Path("before", name).read_bytes() == Path("after", name).read_bytes() == Path("gone", name).read_bytes()


def test_a_label_that_only_the_generator_is_given_is_named(tones, monkeypatch):
    from wganx_tones import generate

    real = generate.Generate.__init__

    def forgetful(self, config, formats):
        real(self, config, formats)
        self.condition = {}

    monkeypatch.setattr(generate.Generate, "__init__", forgetful)
    monkeypatch.setattr(
        generate.Generate, "batch",
        lambda self, items, rng, training: wganx.Batch(
            torch.zeros(len(items["pitch"]), *self.sample.sizes), {name: items[name] for name in self.context}
        ),
    )  # fmt: skip
    run = wganx.train("tones", overrides={"train.steps": 1}, out="run", device="cpu")
    (note,) = [note for note in run.folder.facts()["notes"] if "neither" in note]
    assert note.startswith("the generator is given pitch, loudness, and neither the critic nor a loss sees it")
    plain = wganx.train("points", "ring-labels", overrides=POINTS, out="plain", device="cpu")
    assert not any("neither" in note for note in plain.folder.facts()["notes"])


POINTS = {"train.steps": 1, "dataset.count": 32, "train.batch_size": 8, "preview.count": 4}


def test_a_sample_does_not_depend_on_the_others_that_are_drawn_with_it(tones):
    """Batch norm in training mode would take its statistics from them."""
    settings = {"train.steps": 2, "train.batch_size": 8, "train.critic_steps": 1, "preview.count": 4}
    wganx.train("image", "digits", overrides=settings, out="run", device="cpu")
    sampler = wganx.load_generator("run")
    assert any(isinstance(part, torch.nn.BatchNorm2d) for part in sampler.module.modules())
    noise = torch.randn(8, *sampler.noise)
    context = sampler.context_rows(8)
    alone = sampler.module(noise[:1], **{name: rows[:1] for name, rows in context.items()})
    torch.testing.assert_close(alone, sampler.module(noise, **context)[:1], rtol=1e-4, atol=1e-5)
    before = {name: buffer.clone() for name, buffer in sampler.module.named_buffers()}
    sampler.draw(8)
    assert all(torch.equal(buffer, before[name]) for name, buffer in sampler.module.named_buffers())


def test_the_rate_that_is_written_is_the_data_s_and_never_a_default(tones, command):
    command("train", "--plugin", "tones", "--device", "cpu", "--out", "run", "--set", "train.steps=1",
            "--set", "dataset.rate_hz=11025")  # fmt: skip
    command("sample", "run", "-n", 1, "--out", "made")
    with wave.open("made/sample-0000.wav", "rb") as file:
        assert file.getframerate() == 11025


def test_a_file_of_another_rate_is_named_before_it_is_sent_through(tones, folder, tmp_path, capsys):
    run = wganx.train("tones", data=folder, overrides=SMALL, out="run", device="cpu")
    run.apply(tone(tmp_path / "fast.wav", 500, rate=16000), tmp_path / "out.wav")
    assert "fast.wav has 16000 a second, and the generator was trained on 8000; resample it first" in (
        capsys.readouterr().err
    )
    with wave.open(str(tmp_path / "out.wav"), "rb") as file:
        assert (file.getframerate(), file.getnframes()) == (16000, 2048)  # the source's own: nobody's length changes


def test_a_training_file_of_another_rate_is_left_out_by_name(tones, folder):
    tone(folder / "high" / "s99_odd.wav", 500, rate=16000)
    run = wganx.train("tones", data=folder, overrides=SMALL, out="run", device="cpu")
    unreadable = {**run.assembly.train_items.unreadable, **run.assembly.heldout_items.unreadable}
    assert any("s99_odd.wav" in name and "16000" in reason for name, reason in unreadable.items())


def test_a_signal_holds_plain_data_only_and_survives_the_checkpoint():
    with pytest.raises(ValueError, match=r"a signal holds plain data, and Tensor is none; turn a tensor into .tolist"):
        SampleFormat(axes=("bin",), shape=(4,), signal={"mean": torch.zeros(4)})
    format = SampleFormat(axes=("bin",), shape=(None,), rate_hz=22050.0, signal={"hop": 256, "mean": [0.1, 0.2]})
    assert SampleFormat.from_json(format.to_json()) == format
