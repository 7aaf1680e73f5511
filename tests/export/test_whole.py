"""A converter from sound to sound, and the two scripts of the documentation, which know nothing of wganx."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

import wganx
from wganx.export import export
from wganx.export.subject import open_subject

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def script(name, *arguments):
    return subprocess.run(
        [sys.executable, EXAMPLES / name, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def sound():
    """Noise of 6,001 samples, no multiple of the hop, in which no bin is so quiet that rounding makes its phase."""
    return 0.1 * np.random.default_rng(0).standard_normal(6001).astype(np.float32)


def test_it_is_the_way_that_files_go_with_the_phases_of_the_source(run, sound):
    loaded, sampler = wganx.load_run(run("voices")), wganx.load_generator(run("voices"))
    representation = loaded.assembly.game.representation
    representation.iterations = 0  # phases are not sought further
    wave, speaker = torch.from_numpy(sound)[None, None].repeat(2, 1, 1), torch.tensor([1, 3])
    with torch.no_grad():
        made = sampler.module(source=representation.encode(wave), speaker=speaker)
        wanted = representation.decode(made, phase_of=wave)[..., : sound.size]
        found = open_subject(run("voices"), "whole", "last").network(source=wave, speaker=speaker)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    assert wanted.abs().max() > 0.1


def test_a_sound_is_converted_without_wganx(exported, sound, tmp_path):
    whole = exported("voices", "onnx", "whole")
    card = json.loads((whole / "card.json").read_text(encoding="utf-8"))
    assert [port["shape"] for port in (*card["inputs"], card["output"])] == [
        ["rows", 1, "time"], ["rows"], ["rows", 1, "time"],
    ]  # fmt: skip
    soundfile.write(tmp_path / "in.wav", sound, 8000)
    done = script("convert_onnx.py", whole, tmp_path / "in.wav", tmp_path / "out.wav", "speaker=clara")
    assert done.returncode == 0, done.stderr
    made, rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert (made.shape, rate) == (sound.shape, 8000)
    assert 0.01 < float(np.abs(made).max()) <= 1
    soundfile.write(tmp_path / "in.wav", sound, 16000)
    done = script("convert_onnx.py", whole, tmp_path / "in.wav", tmp_path / "out.wav", "speaker=clara")
    assert "has to be one channel of 8000 Hz: resample it" in done.stderr


def test_pictures_are_drawn_without_wganx(exported, tmp_path):
    done = script("sample_onnx.py", exported("faces", "onnx"), tmp_path / "grid.png", "smile=laughing")
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "grid.png") as picture:
        assert (picture.mode, picture.size) == ("RGB", (128, 128))
        assert len(set(picture.tobytes())) > 10


@pytest.mark.parametrize("name", ["sample_onnx.py", "convert_onnx.py"])
def test_the_scripts_are_short_and_need_no_wganx(name):
    lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 25
    assert not any(line.startswith(("import wganx", "from wganx", "import torch")) for line in lines)


def test_a_task_without_such_a_way_says_so(run, tmp_path):
    with pytest.raises(wganx.UsageError, match=r"task 'generate' .* has nothing that goes between files and its gen"):
        export(run("faces"), tmp_path / "out", format="onnx", what="whole")
    with pytest.raises(wganx.UsageError, match="the whole way from file to file is more than weights: choose"):
        export(run("voices"), tmp_path / "out", format="safetensors", what="whole")
    assert list(tmp_path.iterdir()) == []
