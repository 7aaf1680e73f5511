"""One's own recordings: windows of long ones, short ones padded, rates, channels, levels, silence, labels, splits."""

from __future__ import annotations

import math
import pickle
import shutil
from itertools import pairwise

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st
from wganx_audio.datasets.sounds import Form, _evenly

from wganx import DataError
from wganx.data.telling import found_in, remarks_on

RATE = 8000


@pytest.fixture
def folder(tmp_path):
    """Writes sines of so many seconds by the file's name; returns their folder."""

    def write(lasting, rate=RATE, channels=1, hertz=440.0, level=0.3):
        for name, seconds in lasting.items():
            path = tmp_path / "own" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            wave = level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
            soundfile.write(path, np.repeat(wave[:, None], channels, 1), rate)
        return tmp_path / "own"

    return write


def rms(sample):
    return float(sample.double().div(32768).square().mean().sqrt())


def test_short_clips_become_items_that_are_padded(folder, opened):
    train, heldout = opened("folder", folder({f"{number}.wav": 0.1 for number in range(20)}))
    assert (len(train) + len(heldout), train.formats["sample"].shape) == (20, (1, 1024))
    sample = train[0]["sample"]
    assert not sample[:, 800:].any()
    assert rms(sample[:, :800]) == pytest.approx(10 ** (-20 / 20), rel=0.01)


def test_a_length_holds_most_and_is_a_power_of_two(folder, opened):
    lasting = {f"{number}.wav": 0.5 for number in range(39)} | {"long.wav": 0.9}
    train, _ = opened("folder", folder(lasting))
    assert train.formats["sample"].shape == (1, 4096)
    assert "hold 98% whole" in " ".join(train.details)


def test_long_recordings_are_windows_of_about_a_second(folder, opened):
    train, heldout = opened("folder", folder({"a.wav": 20, "b.wav": 20}))
    assert train.formats["sample"].shape == (1, 8192)
    assert len(train) == len(heldout) == math.ceil((20 * RATE - 8192 * 1.05) / 8192) + 1
    assert train.layout.how == "by the hash of each path"


def test_windows_overlap_where_asked_for(folder, opened):
    root = folder({"a.wav": 4, "b.wav": 4})
    plain, _ = opened("folder", root, length=8000)
    half, _ = opened("folder", root, length=8000, overlap=0.5)
    first, _ = opened("folder", root, length=8000, windows="first")
    assert (len(plain), len(half), len(first)) == (4, 7, 1)


@given(st.integers(1, 100_000), st.integers(64, 20_000), st.floats(0, 0.95))
def test_windows_cover_a_recording(frames, length, overlap):
    form = Form(RATE, 1, length, max(1, round(length * (1 - overlap))))
    begins = _evenly(0, frames, form, "a.wav")
    starts = [begins[index] for index in range(len(begins))]
    assert starts == sorted(set(starts))
    assert starts[0] == 0
    assert all(later - earlier <= form.hop for earlier, later in pairwise(starts))
    assert all(0 <= start <= max(0, frames - length) for start in starts)
    assert frames - (starts[-1] + length) <= max(0, 0.05 * length)


def test_what_is_resampled_is_what_was_there(folder, opened):
    root = folder({"a.wav": 3, "b.wav": 3}, rate=44_100, hertz=440.0)
    train, _ = opened("folder", root, rate=16_000, length=16_000, level_db=-20)
    assert len(train) == 3
    time = torch.arange(16_000) / 16_000
    for index in (0, 1, 2):
        wave = train[index]["sample"][0].double() / 32768
        for part in (wave[:2000], wave[-2000:]):  # no click where one window ends and the next begins
            assert part.abs().max() == pytest.approx(math.sqrt(2) * 0.1, rel=0.03)
        phase = torch.atan2(
            (wave * torch.cos(2 * math.pi * 440 * time)).sum(), (wave * torch.sin(2 * math.pi * 440 * time)).sum()
        )
        model = math.sqrt(2) * 0.1 * torch.sin(2 * math.pi * 440 * time + phase)
        assert (wave - model)[100:-100].abs().max() < 2e-3


def test_fast_recordings_are_brought_to_16_khz_and_it_is_said(folder, opened):
    train, _ = opened("folder", folder({"a.wav": 3, "b.wav": 3}, rate=48_000, channels=2))
    assert train.formats["sample"].rate_hz == 16_000
    told = " ".join(remarks_on(train))
    assert "48,000 samples a second and are brought to 16,000; set dataset.rate=48000" in told
    assert "2 of 2 recordings looked at have several channels, which are averaged" in told
    stereo, _ = opened("folder", folder({}), rate=48_000, channels=2)
    assert stereo.formats["sample"].shape == (2, 65_536)


def test_slow_recordings_among_others_are_named(folder, opened):
    folder({f"fast/{number}.wav": 0.2 for number in range(5)}, rate=16_000)
    train, _ = opened("folder", folder({f"slow/{number}.wav": 0.2 for number in range(3)}))
    assert "3 of 8 recordings looked at have fewer than 16,000 samples a second" in " ".join(train.remarks)


def test_opposite_phases_do_not_become_silence(folder, opened):
    root = folder({"a.wav": 0.2})
    for name in ("b", "c"):
        wave = 0.3 * np.sin(np.arange(1600))
        soundfile.write(root / f"{name}.wav", np.stack([wave, -wave], 1), RATE)
    train, heldout = opened("folder", root)
    assert all(rms(items[index]["sample"]) > 0.05 for items in (train, heldout) for index in range(len(items)))


def test_levels_are_brought_to_one_and_peaks_kept_below_full_scale(folder, opened):
    soft = folder({f"soft{number}.wav": 0.5 for number in range(4)}, level=0.003)
    folder({f"loud{number}.wav": 0.5 for number in range(4)}, level=0.9)
    train, _ = opened("folder", soft, length=4000)
    levels = [rms(train[index]["sample"]) for index in range(len(train))]
    assert max(levels) == pytest.approx(min(levels), rel=0.01)
    as_is, _ = opened("folder", soft, length=4000, loudness="none")
    assert max(rms(item["sample"]) for item in map(as_is.__getitem__, range(len(as_is)))) > 0.5
    loud, _ = opened("folder", soft, length=4000, loudness="peak", level_db=-1)
    assert pytest.approx(int(loud[0]["sample"].abs().max()) / 32767, rel=1e-3) == 10 ** (-1 / 20)


@pytest.fixture
def with_pauses(tmp_path):
    """A sound from 1 to 2 s and from 6 to 7.5 s, in silence."""
    wave = np.zeros(9 * RATE)
    for begin, end in ((1.0, 2.0), (6.0, 7.5)):
        at = np.arange(round(begin * RATE), round(end * RATE))
        wave[at] = 0.3 * np.sin(2 * np.pi * 300 * at / RATE)
    for name in "ab":
        soundfile.write(tmp_path / f"{name}.wav", wave, RATE)
    return tmp_path


def test_windows_in_which_nothing_is_heard_are_left_out(with_pauses, opened):
    kept, _ = opened("folder", with_pauses, length=RATE)
    heard, _ = opened("folder", with_pauses, length=RATE, silence="skip")
    assert len(kept) == 9
    assert 3 <= len(heard) <= 5
    assert all(heard[index]["sample"].any() for index in range(len(heard)))
    begin = heard[0]["sample"][0]
    assert begin[: round(0.015 * RATE)].abs().max() < 100  # a margin, and then the sound
    assert begin[round(0.03 * RATE) :].abs().max() > 1000


def test_a_silent_recording_is_named_and_left_out(folder, opened):
    root = folder({f"{number}.wav": 0.2 for number in range(40)})
    soundfile.write(root / "nothing.wav", np.zeros(1600), RATE)
    train, heldout = opened("folder", root, silence="skip")
    assert {**train.left_out, **heldout.left_out} == {"nothing.wav": "silent; leave it out"}
    train, heldout = opened("folder", root)  # it is one of the items, as it is
    assert len(train) + len(heldout) == 41


def test_one_folder_level_is_a_label_by_the_name_it_is_given(folder, opened):
    root = folder({f"{who}/{number}.wav": 0.1 for who in ("anna", "boris") for number in range(8)})
    train, _ = opened("folder", root)
    assert train.formats["label"].classes == ("anna", "boris")
    assert not remarks_on(train)
    named, heldout = opened("folder", root, levels=("speaker",))
    assert named.formats["speaker"].classes == ("anna", "boris")
    assert "2 classes: anna" in " ".join(found_in(named, heldout))


def test_several_folder_levels_are_several_labels(folder, opened):
    root = folder({
        f"{who}/{mood}/{take}.wav": 0.1 for who in ("anna", "boris") for mood in ("sad", "happy") for take in range(6)
    })  # fmt: skip
    train, heldout = opened("folder", root, levels=("speaker", "emotion"))
    assert {name: train.formats[name].classes for name in ("speaker", "emotion")} == {
        "speaker": ("anna", "boris"),
        "emotion": ("happy", "sad"),
    }
    for index in range(len(train)):
        who, mood, _ = train.paths[index].split("/")
        assert train.formats["speaker"].classes[train[index]["speaker"]] == who
        assert train.formats["emotion"].classes[train[index]["emotion"]] == mood
    told = " ".join(found_in(train, heldout))
    assert "speaker: 2 classes: anna" in told
    assert "emotion: 2 classes: happy" in told
    by_speaker, other = opened("folder", root, levels=("speaker", "emotion"), split="speaker")
    assert {path[0] for path in by_speaker.paths} | {path[0] for path in other.paths} == {"a", "b"}
    assert not {path[0] for path in by_speaker.paths} & {path[0] for path in other.paths}
    folder({"anna/plain.wav": 0.1})
    with pytest.raises(DataError, match=r"plain\.wav lies in 1 folder, and dataset\.levels names 2: speaker, emotion"):
        opened("folder", root, levels=("speaker", "emotion"))


def test_folders_train_and_test_are_the_splits(folder, opened):
    root = folder(
        {f"{split}/{who}/{n}.wav": 0.1 for split in ("train", "test") for who in ("x", "y") for n in range(2)}
    )
    for levels in (("label",), ("speaker",)):
        train, heldout = opened("folder", root, levels=levels)
        assert all(path.startswith("train/") for path in train.paths)
        assert all(path.startswith("test/") for path in heldout.paths)


def test_a_zip_archive_is_read_as_its_folder(folder, opened, tmp_path):
    root = folder({f"{who}/{number}.wav": 0.1 for who in ("x", "y") for number in range(8)})
    shutil.make_archive(str(tmp_path / "own"), "zip", root)
    plain, _ = opened("folder", root)
    packed, _ = opened("folder", tmp_path / "own.zip")
    assert plain.paths == packed.paths
    assert torch.equal(plain[3]["sample"], packed[3]["sample"])


def test_a_few_broken_files_are_named_and_many_are_refused(folder, opened):
    root = folder({f"{number}.wav": 0.1 for number in range(60)})
    (root / "page.wav").write_text("<html>404</html>")
    (root / "empty.wav").write_bytes(b"")
    train, heldout = opened("folder", root)
    assert len(train) + len(heldout) == 60
    left_out = {**train.left_out, **heldout.left_out}
    assert left_out == {
        "page.wav": "no readable sound: it holds a web page; download it again",
        "empty.wav": "no readable sound: it is empty",
    }
    for number in range(10):
        (root / f"bad{number}.wav").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"of 72 files in .* have no window or cannot be read"):
        opened("folder", root)


def test_nothing_readable_is_refused_at_once(tmp_path, opened):
    for number in range(3):
        (tmp_path / f"{number}.wav").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"none of the 3 recordings in .* can be read; the first: 0\.wav is no"):
        opened("folder", tmp_path)
    shutil.move(tmp_path / "0.wav", tmp_path / "0.m4a")
    (tmp_path / "1.wav").unlink()
    (tmp_path / "2.wav").unlink()
    with pytest.raises(DataError, match=r"no file ending in .*; it holds 1 \.m4a \(convert them to WAV or FLAC\)"):
        opened("folder", tmp_path)


def test_the_end_of_a_single_recording_is_held_out(folder, opened):
    root = folder({"a.wav": 1}, rate=48_000, channels=2)
    at = np.arange(60 * 48_000) / 48_000
    rising = np.sin(2 * np.pi * (200 * at + 10 * at**2))  # 200 Hz at the begin, 1,400 Hz at the end
    soundfile.write(root / "a.wav", np.stack([rising, rising], 1) * 0.3, 48_000)
    train, heldout = opened("folder", root)
    assert (len(train), len(heldout)) == (53, 6)
    assert "1 file to learn from, 1 held out from its end, 10% of it; 53 windows" in found_in(train, heldout)[0]

    def pitch(sample):
        return float(torch.fft.rfft(sample[0].float()).abs().argmax()) * 16_000 / 16_384

    assert pitch(train[len(train) - 1]["sample"]) < 200 + 20 * 54 + 20 <= pitch(heldout[0]["sample"]) + 25


def test_a_single_clip_is_used_all_the_same(folder, opened):
    train, heldout = opened("folder", folder({"a.wav": 0.3}))
    assert (len(train), len(heldout)) == (1, 1)
    assert not torch.equal(train[0]["sample"], heldout[0]["sample"])


def test_what_was_fitted_stays_when_files_are_added(folder, opened, catalog):
    from wganx import DataContext

    root = folder({f"{number}.wav": 0.2 for number in range(10)})
    dataset = catalog.dataset("folder")
    config = dataset.config(root=root)
    fitted = dataset.factory("fit")(config, DataContext())
    folder({f"more{number}.wav": 0.9 for number in range(30)}, rate=16_000)
    again = dataset.factory("open")(config, "train", DataContext(fitted=fitted))
    assert again.formats["sample"].shape == (1, 2048)
    assert again.formats["sample"].rate_hz == RATE
    assert dataset.factory("fit")(config, DataContext()) != fitted


def test_items_travel_to_workers(folder, opened):
    train, _ = opened("folder", folder({f"{number}.wav": 0.2 for number in range(10)}))
    assert torch.equal(pickle.loads(pickle.dumps(train))[2]["sample"], train[2]["sample"])


def test_a_table_is_not_read_as_a_folder(tmp_path, opened):
    (tmp_path / "clips.csv").write_text("path,speaker\n")
    with pytest.raises(DataError, match=r"clips\.csv is a table of recordings; read it by --set dataset\.name=table"):
        opened("folder", tmp_path / "clips.csv")
