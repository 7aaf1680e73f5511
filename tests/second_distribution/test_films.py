"""Files longer than memory: windows of them are items, and whole ones go through the generator in pieces."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import wganx
from wganx.errors import WganxError


def film(path: Path, frames: int, side: int = 16, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.random.default_rng(seed).integers(0, 255, (frames, side, side), dtype=np.uint8))
    return path


@pytest.fixture
def data(tmp_path) -> Path:
    for scene in range(6):
        for take in range(2):
            film(tmp_path / "data" / f"scene{scene}_{take}.npy", 20 + 8 * take, seed=scene)
    return tmp_path / "data"


@pytest.fixture
def run(tones, data):
    return wganx.train("films", data=data, out="run", device="cpu", overrides={"train.steps": 2})


def test_it_is_trained_resumed_moved_and_evaluated(tones, journey, data):
    journey("films", draw=False, dataset__root=str(data), evaluate__n=4)


def test_items_are_windows_and_scenes_stay_together(run):
    train, heldout = run.assembly.train_items, run.assembly.heldout_items
    assert len(train) + len(heldout) == 6 * (5 + 7)

    def scenes(items):
        return {items.name(index).partition("_")[0] for index in range(len(items))}

    assert not scenes(train) & scenes(heldout)
    assert scenes(train) | scenes(heldout) == {f"scene{scene}" for scene in range(6)}


def test_a_film_goes_through_whole_and_every_frame_once(run, command, tmp_path):
    source = film(tmp_path / "in.npy", 23)
    told = command("sample", "run", "--source", source, "--out", tmp_path / "out.npy")
    assert "1 file written" in told
    made = np.load(tmp_path / "out.npy")
    assert (made.shape, made.dtype) == ((23, 16, 16), np.uint8)
    assert not list(tmp_path.glob(".out*"))


def test_the_data_may_be_gone_when_a_film_is_sent_through(run, data, tmp_path):
    import shutil

    source = film(tmp_path / "in.npy", 9)
    moved = tmp_path / "elsewhere"
    shutil.move("run", moved)
    shutil.rmtree(data)
    wganx.load_run(moved).apply(source, tmp_path / "out.npy")
    assert np.load(tmp_path / "out.npy").shape == (9, 16, 16)


def test_of_a_folder_a_broken_film_is_named_and_the_others_are_done(run, command, tmp_path):
    for name in ("a", "c"):
        film(tmp_path / "in" / f"{name}.npy", 8)
    (tmp_path / "in" / "b.npy").write_bytes(b"no film")
    command("sample", "run", "--source", tmp_path / "in", "--out", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.npy", "c.npy"]


def test_what_fails_in_the_middle_leaves_nothing(run, monkeypatch, tmp_path):
    from wganx_tones import film_parts

    def fail(self, chunk):
        self.file.write(b"half a film")
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(film_parts.NpySink, "write", fail)
    source = film(tmp_path / "in.npy", 8)
    with pytest.raises(WganxError, match="the disk is full"):
        run.apply(source, tmp_path / "out" / "made.npy")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_sink_that_finds_frames_missing_leaves_nothing(run, monkeypatch, tmp_path):
    from wganx_tones import film_parts

    monkeypatch.setattr(film_parts.Brighten, "apply", lambda self, source, make, sink: None)
    with pytest.raises(wganx.DataError, match="8 frames are missing"):
        run.apply(film(tmp_path / "in.npy", 8), tmp_path / "out.npy")
    assert not (tmp_path / "out.npy").exists()


def test_an_output_that_is_there_is_not_overwritten(run, tmp_path):
    source = film(tmp_path / "in.npy", 8)
    (tmp_path / "out.npy").write_bytes(b"mine")
    with pytest.raises(wganx.UsageError, match="is there already"):
        run.apply(source, tmp_path / "out.npy")
    assert (tmp_path / "out.npy").read_bytes() == b"mine"


def test_a_kill_in_the_middle_leaves_nothing_under_the_final_name(run, site, tmp_path):
    """SIGKILL while frames are written: at most a hidden file is left, which the next call clears away."""
    source = film(tmp_path / "in.npy", 64)
    kill = f"""
        import sys, os, signal
        sys.path.insert(0, {str(site)!r})
        import wganx
        from wganx_tones import film_parts
        write = film_parts.NpySink.write
        def once(self, chunk):
            write(self, chunk)
            self.file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        film_parts.NpySink.write = once
        wganx.load_run("run").apply({str(source)!r}, "out.npy")
        """
    done = subprocess.run([sys.executable, "-c", _dedent(kill)], cwd=tmp_path, check=False)
    assert done.returncode == -9
    assert not (tmp_path / "out.npy").exists()
    assert len(list(tmp_path.glob(".out.writing*"))) == 1
    run.apply(source, tmp_path / "out.npy")
    assert not list(tmp_path.glob(".out.writing*"))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length_of_a_film(run, site, tmp_path):
    """400 frames of 128 x 128, and then ten times as many in the same process."""
    short, long = film(tmp_path / "short.npy", 400, 128), film(tmp_path / "long.npy", 4000, 128)
    measure = f"""
        import json, resource, sys
        sys.path.insert(0, {str(site)!r})
        import wganx
        run, peaks = wganx.load_run("run"), []
        for name in ({str(short)!r}, {str(long)!r}):
            run.apply(name, name + ".out.npy")
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        print(json.dumps(peaks))
        """
    done = subprocess.run(
        [sys.executable, "-c", _dedent(measure)], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    first, second = json.loads(done.stdout.splitlines()[-1])
    assert np.load(f"{long}.out.npy", mmap_mode="r").shape == (4000, 128, 128)
    # The long film alone is 65 MB, as floats 262 MB.
    assert second - first < 8 * 1024, f"peak {first} KB, then {second} KB"


def _dedent(source: str) -> str:
    from textwrap import dedent

    return dedent(source)


def test_windows_are_faded_into_each_other(run):
    """A generator that leaves its input as it is makes the film that went in."""
    game = run.assembly.game
    frames = torch.randint(0, 255, (21, 16, 16), dtype=torch.uint8)

    class Given:
        length = 21

        def read(self, start, count):
            return frames[start : start + count]

    class Taken:
        chunks: list = []  # noqa: RUF012

        def write(self, chunk):
            self.chunks.append(chunk)

    game.apply(Given(), lambda context: context["given"], taken := Taken())
    assert torch.equal(torch.cat(taken.chunks), frames)
