"""Conversions as runs: resumed to the bit with their helper, and files sent through them from the command line."""

from __future__ import annotations

import signal

import pytest
import soundfile
import torch
from click.testing import CliRunner

import wganx
from wganx import Observer, UsageError
from wganx.cli import main
from wganx.engine import read_checkpoint
from wganx.runs import Run

STEPS = 6
SHORT = {"dataset.count": 48, "train.steps": STEPS, "train.batch_size": 8, "checkpoint.every": 2, "log.every": 1,
         "preview.every": 6, "task.settle": 3}  # fmt: skip


def tensors(run: Run) -> dict[str, torch.Tensor]:
    checkpoint = read_checkpoint(run.folder.checkpoints / f"step-{STEPS:06d}")
    return {**checkpoint.weights, **checkpoint.training}


class StopAt(Observer):
    def logged(self, step: int, scalars: object) -> None:
        if step == 3:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    out = tmp_path_factory.mktemp("emotion") / "run"
    return wganx.train("audio", "emotion-tiny", overrides=SHORT, out=out, device="cpu")


@pytest.fixture(scope="module")
def recording(tmp_path_factory, voice, encoded):
    path = tmp_path_factory.mktemp("recordings") / "in.flac"
    path.write_bytes(encoded(torch.cat([voice(1.3, 22_050), 0.5 * voice(1.3, 22_050)]), 22_050, "FLAC", "PCM_24"))
    return path


def test_a_conversion_stopped_and_resumed_equals_one_never_stopped(run, tmp_path):
    """With the classifier and the optimizer's state of it, and the loss that changes at step 3."""
    part = wganx.train(
        "audio", "emotion-tiny", overrides=SHORT, out=tmp_path / "part", device="cpu", observers=[StopAt()]
    )
    assert part.folder.facts()["status"] == "interrupted"
    resumed = wganx.resume(tmp_path / "part")
    left, right = (tensors(one) for one in (run, resumed))
    assert left.keys() == right.keys()
    assert any("classifier" in name for name in left)
    assert [name for name in left if not torch.equal(left[name], right[name])] == []
    assert run.folder.metrics.read_bytes() == resumed.folder.metrics.read_bytes()


def test_every_loss_is_logged_by_its_name(run):
    text = run.folder.metrics.read_text(encoding="utf-8")
    for name in ("target_emotion", "kept_speaker", "kept_word", "cycle", "contour", "identity", "classifier_emotion"):
        assert f"/{name}" in text


def test_the_preview_is_the_grid_of_conversions(run):
    names = {path.name for path in run.folder.samples.iterdir()}
    assert {"step-000006.png", "step-000006-0000-source.wav", "step-000006-0000-converted.wav"} <= names


def test_a_recording_keeps_rate_length_channels_and_how_it_is_stored(run, recording, tmp_path):
    out = tmp_path / "out.flac"
    result = CliRunner().invoke(
        main, ["sample", str(run.folder.path), f"--source={recording}", "--given=emotion=sad", "--given=intensity=0.5",
               f"--out={out}"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    one, other = soundfile.info(recording), soundfile.info(out)
    kept = ("frames", "samplerate", "channels", "subtype", "format")
    assert [getattr(one, name) for name in kept] == [getattr(other, name) for name in kept]
    assert "Synthetic sound" in soundfile.SoundFile(out).comment


def test_what_is_asked_for_changes_what_comes_out(run, recording, tmp_path):
    found = {}
    for given in ({"emotion": "sad"}, {"emotion": "happy"}, {"emotion": "happy", "intensity": 0.0}):
        out = tmp_path / f"{len(found)}.wav"
        run.apply(recording, out, given=given)
        found[len(found)] = torch.from_numpy(soundfile.read(out)[0])
    assert not torch.equal(found[0], found[1])
    assert not torch.equal(found[1], found[2])


def test_a_folder_is_converted_and_what_is_no_sound_is_named(run, recording, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.flac").write_bytes(recording.read_bytes())
    (folder / "notes.txt").write_text("buy milk", encoding="utf-8")
    result = CliRunner().invoke(
        main, ["sample", str(run.folder.path), f"--source={folder}", "--given=emotion=sad", f"--out={tmp_path / 'out'}"]
    )
    assert result.exit_code == 0, result.output
    assert "notes.txt" in result.output
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.flac"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"emotion": "sat"}, "no class 'sat'; classes: neutral, happy, angry, sad"),
        ({"speaker": "anna"}, "takes no label 'speaker'; labels: emotion"),
        ({"emotion": "sad", "intensity": 2}, "intensity is a number in 0 .. 1.5, not 2"),
    ],
)
def test_a_wish_that_cannot_be_granted_is_told_so(run, recording, tmp_path, given, message):
    with pytest.raises(UsageError, match=message):
        run.apply(recording, tmp_path / "out.wav", given=given)
    assert not (tmp_path / "out.wav").exists()


def test_samples_without_a_source_say_what_is_missing(run):
    with pytest.raises(UsageError, match="needs 'source' from data: give --source FILE"):
        wganx.load_generator(run.folder.path).draw(2)


def test_a_file_is_not_converted_to_nobody_in_particular(run, recording, tmp_path):
    """Or each of its windows would be of another emotion."""
    result = CliRunner().invoke(
        main, ["sample", str(run.folder.path), "--source", str(recording), "--out", str(tmp_path / "out.flac")]
    )
    assert result.exit_code == 2
    assert "say which emotion is wanted: --given emotion=..., and there are: " in result.output
    assert not (tmp_path / "out.flac").exists()
