"""What TensorBoard sees of a run, read by TensorBoard's own reader with every step kept, as ``wganx board`` asks."""

from __future__ import annotations

import io
import shutil

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import wganx
from wganx.runs.events import MOST_FILES, Events

ALL = {"images": 0, "audio": 0, "scalars": 0, "tensors": 0}
WAVE = 0.5 * np.sin(np.arange(800) / 5)


@pytest.fixture
def written(tmp_path):
    """Writes events, then reads them: ``written(act)`` with the reader and what was noted."""
    (tmp_path / "events").mkdir()

    def write(*acts):
        notes = []
        for act in acts:
            events = Events(tmp_path / "events", notes.append)
            act(events)
            events.close()
        return read(tmp_path / "events"), notes

    return write


def read(folder):
    return EventAccumulator(str(folder), size_guidance=ALL).Reload()


def clip(path, frames=3):
    first, *rest = [Image.new("RGB", (12, 8), (80 * i, 0, 0)) for i in range(frames)]
    first.save(path, save_all=True, append_images=rest, duration=100)
    return path


def test_a_run_shows_its_curves_and_every_picture(train):
    folder = train(evaluate__every=6).folder
    events = read(folder.path)
    tags = events.Tags()
    assert tags["images"] == ["real", "samples"]
    assert [image.step for image in events.Images("samples")] == [6, 12]
    assert [image.step for image in events.Images("real")] == [0]
    drawn = np.array(Image.open(io.BytesIO(events.Images("samples")[-1].encoded_image_string)))
    assert np.array_equal(drawn, np.array(Image.open(folder.samples / "step-000012.png").convert("RGB")))
    assert {"w1_raw", "penalty", "steps_per_second", "evaluate/modes/modes"} <= set(tags["scalars"])
    assert [scalar.step for scalar in events.Scalars("w1_raw")] == [2, 4, 6, 8, 10, 12]


def test_events_of_later_steps_are_void_when_a_run_goes_on(train):
    run = train(train__steps=8)
    shutil.rmtree(run.store.path(8))
    wganx.resume(run.folder.path)
    assert [scalar.step for scalar in read(run.folder.path).Scalars("w1_raw")] == [2, 4, 6, 8]


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg"])
def test_sounds_are_heard(written, tmp_path, ending):
    path = tmp_path / f"step-000004-0002.{ending}"
    soundfile.write(path, np.stack([WAVE, -WAVE], axis=1), 8000)
    events, notes = written(lambda events: events.files(4, "samples", [path]))
    (sound,) = events.Audio("samples/0002")
    assert (sound.step, sound.content_type, sound.sample_rate, sound.length_frames) == (4, "audio/wav", 8000, 800)
    heard, rate = soundfile.read(io.BytesIO(sound.encoded_audio_string))
    assert (heard.shape, rate) == ((800, 2), 8000)
    assert np.abs(heard[:, 0] - WAVE).max() < (0.2 if ending == "ogg" else 1e-3)
    if ending == "wav":
        assert sound.encoded_audio_string == path.read_bytes()
    assert notes == []


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_clips_are_seen_to_move(written, tmp_path, ending):
    path = clip(tmp_path / f"step-000004-0000.{ending}")
    events, notes = written(lambda events: events.files(4, "samples", [path]))
    (image,) = events.Images("samples/0000")
    assert (image.width, image.height) == (12, 8)
    with Image.open(io.BytesIO(image.encoded_image_string)) as shown:
        assert (shown.format, shown.n_frames) == ("GIF", 3)
    assert notes == []


def test_what_cannot_be_shown_is_named_and_costs_nothing_else(written, tmp_path):
    torn, film, good = (tmp_path / f"step-000004-000{i}.{kind}" for i, kind in enumerate(("wav", "mp4", "gif")))
    torn.write_bytes(b"RIFF")
    film.write_bytes(b"....ftyp")
    clip(good)

    def act(events):
        events.files(4, "samples", [torn, film, str(good)])
        events.files(5, "samples", [None])
        events.numbers(4, {"w1_raw": 1.0})

    events, notes = written(act)
    assert notes[0] == "TensorBoard shows clips as GIF and WebP alone; those that are .mp4 lie in samples/"
    assert notes[1].startswith("TensorBoard does not get step-000004-0000.wav: ")
    assert notes[2].startswith("TensorBoard does not get the files of step 5: TypeError: ")
    assert events.Tags()["images"] == ["samples/0002"]
    assert events.Scalars("w1_raw")[0].value == 1.0


def test_a_step_brings_a_few_files_and_a_run_every_step(written, tmp_path):
    paths = [clip(tmp_path / f"step-000001-{i:04d}.gif") for i in range(MOST_FILES + 3)]

    def act(events):
        for step in range(1, 31):
            events.files(step, "samples", paths)
            events.picture(step, "samples", torch.zeros(3, 4, 4, dtype=torch.uint8))

    events, _ = written(act)
    assert set(events.Tags()["images"]) == {"samples", *(f"samples/{i:04d}" for i in range(MOST_FILES))}
    assert len(events.Images("samples")) == len(events.Images("samples/0000")) == 30
