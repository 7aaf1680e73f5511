"""Films through trained networks, file to file: frames, sound, cuts, sizes, folders, and what a stop leaves."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import wganx
from wganx.cli import main
from wganx.runs import Run

av = pytest.importorskip("av")

# Trained by next to nothing, so that the networks are still at their start: the linear blend, the bicubic enlargement.
SMALL = {
    "train.steps": 1, "train.batch_size": 2, "optimizer.lr": 1e-9, "generator.width": 4, "generator.blocks": 1,
    "critic.width": 4, "preview.every": 1000, "dataset.count": 32,
}  # fmt: skip


@pytest.fixture(scope="module")
def run_of(tmp_path_factory):
    """``run_of(scenario, **overrides)``, trained once for all tests."""
    runs: dict[str, Run] = {}

    def trained(scenario: str, **changes) -> Run:
        key = f"{scenario} {changes}"
        if key not in runs:
            overrides = {**SMALL, **{name.replace("__", "."): value for name, value in changes.items()}}
            folder = tmp_path_factory.mktemp("runs") / "run"
            runs[key] = wganx.train(
                "video", scenario, overrides=overrides, out=folder, device="cpu", progress=False
            )  # fmt: skip
        return runs[key]

    return trained


def shade(number: int, scene: int) -> int:
    return 40 + 2 * (number % 40) + 120 * scene


def write_film(path: Path, frames: int = 12, size=(48, 64), *, cut: int | None = None, rate: int = 25) -> Path:
    """Flat frames, one lighter than the other and much lighter behind the cut, and a second of a tone for each rate."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        film = container.add_stream("libx264", rate=rate)
        film.height, film.width = size
        film.pix_fmt = "yuv444p" if size[0] % 2 or size[1] % 2 else "yuv420p"
        film.options = {"crf": "4", "preset": "ultrafast"}
        tone = container.add_stream("aac", rate=16000)
        tone.layout = "mono"
        for number in range(frames):
            value = shade(number, cut is not None and number >= cut)
            picture = np.full((*size, 3), value, dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(film.encode(frame))
        container.mux(film.encode())
        for start in range(0, 16000 * frames // rate, 1024):
            wave = np.sin(np.arange(start, start + 1024) / 6).astype(np.float32)[None]
            sound = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = 16000, start, Fraction(1, 16000)
            container.mux(tone.encode(sound))
        container.mux(tone.encode())
    return path


def shades(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.to_ndarray(format="gray").mean()) for frame in container.decode(video=0)]


def times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]


def sound(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def size(path: Path) -> tuple[int, int]:
    with av.open(str(path)) as container:
        return container.streams.video[0].height, container.streams.video[0].width


def test_more_frames_in_the_same_time_with_the_same_sound_and_a_cut_where_it_was(run_of, tmp_path):
    run = run_of("interpolation", task__kept=[0, 2])
    source, out = write_film(tmp_path / "in.mp4", cut=5), tmp_path / "out.mp4"
    told = CliRunner().invoke(
        main, ["sample", str(run.folder.path), "--source", str(source), "--out", str(out), "--factor", "4"]
    )
    assert told.exit_code == 0, told.output
    assert len(times(out)) == 48
    assert times(out) == pytest.approx([number / 100 for number in range(48)], abs=1e-3)
    assert sound(out) == sound(source)
    light, found = shades(source), shades(out)
    assert found[::4] == pytest.approx(light, abs=3)
    assert found[16:20] == pytest.approx([light[4]] * 4, abs=3), "a frame between two scenes"
    assert max(abs(a - b) for a, b in pairwise(found[20:])) < 8
    # An untrained network begins at the linear blend.
    assert found[2] == pytest.approx((light[0] + light[1]) / 2, abs=3)


def test_larger_frames_of_an_odd_size(run_of, tmp_path):
    run = run_of("super-resolution")
    source, out = write_film(tmp_path / "in.mp4", size=(45, 63), cut=7), tmp_path / "out.mkv"
    run.apply(source, out, tile=32)
    assert size(out) == (90, 126)
    assert shades(out) == pytest.approx(shades(source), abs=3)
    # Matroska knows no time before 0, where AAC begins: all of the film begins later by as much.
    late = times(out)[0]
    assert [time - late for time in times(out)] == pytest.approx(times(source), abs=2e-3)
    assert sound(out) == sound(source)


@pytest.mark.filterwarnings("ignore")
def test_a_film_that_goes_on(run_of, tmp_path):
    run = run_of("prediction")
    source, out = write_film(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    run.apply(source, out, roll=7)
    assert len(shades(out)) == 12 + 7
    assert shades(out)[:12] == pytest.approx(shades(source), abs=3)
    assert sound(out) == sound(source)


def test_a_folder_of_films_and_one_of_frames(run_of, tmp_path):
    from PIL import Image

    run = run_of("super-resolution")
    folder = tmp_path / "in"
    write_film(folder / "a.mp4", 6)
    (folder / "b.mp4").write_bytes(b"no film")
    for number in range(5):
        (folder / "c").mkdir(exist_ok=True)
        Image.new("RGB", (30, 20), (number * 9, 60, 90)).save(folder / "c" / f"{number:03d}.png")
    written = run.apply(folder, tmp_path / "out")
    assert [path.name for path in written] == ["a.mp4", "c"]
    assert len(list((tmp_path / "out" / "c").iterdir())) == 5
    with Image.open(sorted((tmp_path / "out" / "c").iterdir())[3]) as picture:
        assert picture.size == (60, 40)
        assert picture.getpixel((30, 20)) == (27, 60, 90)


def test_a_wrong_value_is_refused_before_anything_is_read(run_of, tmp_path):
    run = run_of("interpolation", task__kept=[0, 2])
    source = write_film(tmp_path / "in.mp4", 3)
    for options, message in (
        ({"factor": 1}, "--factor 1: Input should be greater than or equal to 2"),
        ({"factor": 2, "fps": 50}, "factor and fps both say how many frames"),
        ({"roll": 5}, "no option --roll for files; for files it has --factor, --fps, --cut, --tile"),
    ):
        with pytest.raises(wganx.UsageError, match=message):
            run.apply(source, tmp_path / "out.mp4", **options)
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.slow
def test_ctrl_c_leaves_no_file(run_of, tmp_path):
    run = run_of("super-resolution")
    source = write_film(tmp_path / "in.mp4", 200, (128, 160))
    call = [sys.executable, "-m", "wganx.cli", "sample", str(run.folder.path), "--source", str(source)]
    process = subprocess.Popen([*call, "--out", str(tmp_path / "out" / "made.mp4")])
    aside = tmp_path / "out" / ".made.writing.mp4"
    until = time.monotonic() + 60
    while not aside.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(60) != 0
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", ["config.yaml", "run.json", "state.json", "weights.safetensors"])
@pytest.mark.parametrize("content", [b"", b"[1]", b"\xff\xfe\0\0" * 50])
def test_a_run_whose_files_are_damaged_is_told_in_a_line(run_of, tmp_path, name, content):
    folder = tmp_path / "run"
    shutil.copytree(run_of("super-resolution").folder.path, folder, symlinks=True)
    (damaged,) = [path for path in folder.rglob(name) if "step-000000" not in path.parts]
    damaged.write_bytes(content)
    np.save(tmp_path / "in.npy", np.zeros((5, 1, 16, 16), np.uint8))
    source, out = str(tmp_path / "in.npy"), str(tmp_path / "out.npy")
    for call in (["sample", str(folder), "--source", source, "--out", out], ["report", str(folder)]):
        told = CliRunner().invoke(main, call)
        assert isinstance(told.exception, SystemExit | None), told.exception
        assert "Traceback" not in told.output
        assert told.exit_code in (0, 1, 2)
        assert told.exit_code == 0 or "wganx: " in told.output
