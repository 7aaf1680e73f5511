"""A package from outside adds a modality: built as a wheel, installed, and trained from the command line."""

from __future__ import annotations

import os
import subprocess
import sys
import wave
import zipfile
from pathlib import Path

import pytest

from wganx.plugins import discover, load
from wganx.plugins.loading import declared_api

PACKAGE = Path(__file__).parents[1] / "second_distribution"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The wheel of wganx-tones, unpacked into a folder of its own, which is all that installing a pure wheel does."""
    pytest.importorskip("hatchling", reason="builds the package")
    folder = tmp_path_factory.mktemp("site")
    build = "import sys, hatchling.build; print(hatchling.build.build_wheel(sys.argv[1]))"
    made = subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=PACKAGE, check=True, capture_output=True, text=True
    )
    wheel = folder / made.stdout.split()[-1]
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    wheel.unlink()
    return folder


@pytest.fixture
def wganx(site, tmp_path):
    """Run the command in a fresh interpreter that sees the installed package."""

    def run(*arguments: str) -> str:
        environ = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
        command = [sys.executable, "-c", "from wganx.cli import main; main()", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environ, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_it_is_found_with_its_version_and_declares_itself_without_torch(site):
    script = (
        "import sys; from wganx.plugins import load; catalog = load(['tones']);"
        "assert catalog.plugins[0].found.package == 'wganx-tones 0.1.0', catalog; sys.exit('torch' in sys.modules)"
    )
    environ = {**os.environ, "PYTHONPATH": str(site)}
    assert subprocess.run([sys.executable, "-c", script], env=environ, check=False).returncode == 0


def test_it_is_listed(wganx):
    row = next(line for line in wganx("plugins").splitlines() if "tones" in line)
    assert "wganx-tones 0.1.0" in row
    assert "1 modality, 1 dataset, 1 task, 1 generator, 1 critic, 1 scenario, 1 metric" in row


def test_its_command_is_mounted(wganx):
    assert wganx("tones", "pitches").split("\n")[:3] == ["500 Hz", "1000 Hz", "1500 Hz"]


@pytest.mark.slow
def test_it_trains_samples_and_evaluates_from_the_command_line(wganx, tmp_path):
    wganx("train", "--plugin", "tones", "--device", "cpu", "--out", "run")
    run = tmp_path / "run"
    assert (run / "tones.txt").read_text(encoding="utf-8").splitlines()[-1] == "step 20: step-000020.png"
    assert (run / "samples" / "step-000020.png").stat().st_size > 0

    wganx("sample", "run", "-n", "3", "--out", "made")
    sounds = sorted((tmp_path / "made").rglob("*.wav"))
    assert len(sounds) == 3
    with wave.open(str(sounds[0]), "rb") as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate(), sound.getnframes()) == (
            1,
            2,
            8000,
            64,
        )

    assert "spectrum_distance" in wganx("evaluate", "run", "--json")


def test_its_parts_do_what_they_say(site, monkeypatch):
    """The spectrum of the tones is where their pitches are, and the metric tells tones from noise."""
    import torch

    from wganx import BuildContext, DataContext, MetricContext

    monkeypatch.syspath_prepend(str(site))
    catalog = load(["tones"])
    dataset, task = catalog.dataset("sines"), catalog.task("generate", "tone")
    items = {split: dataset.open(dataset.config(), split, DataContext(seed=3)) for split in ("train", "heldout")}
    game = task.build(task.config(), items["train"].format)
    rng = torch.Generator().manual_seed(0)
    batches = {
        split: game.batch(
            {key: torch.stack([some[index][key] for index in range(256)]) for key in ("sample", "label")},
            rng,
            training=split == "train",
        )
        for split, some in items.items()
    }
    power_F = torch.fft.rfft(batches["heldout"].real).abs().square().mean(dim=(0, 1))
    assert power_F.topk(3).indices.sort().values.tolist() == [4, 8, 12]  # 64 samples at 8 kHz: 125 Hz a bin

    context = MetricContext(game=game, items=items.__getitem__, seed=0)
    metric = catalog.metric("spectrum", "tone")
    noise = batches["heldout"].with_real(game.baselines()["white-noise"](batches["heldout"], rng))
    real = metric.compute(batches["train"], batches["heldout"], context)["spectrum_distance"]
    fake = metric.compute(noise, batches["heldout"], context)["spectrum_distance"]
    assert real < 0.1
    assert fake > 0.8

    built = BuildContext(sample=game.sample, noise=16)
    generator = catalog.architecture("generator", "small", "tone")
    critic = catalog.architecture("critic", "small", "tone")
    made = generator.build(generator.config(), built)(torch.randn(5, 16, generator=rng))
    assert made.shape == (5, 1, 64)
    assert critic.build(critic.config(), built)(made).shape == (5,)


def test_it_imports_only_public_names():
    """Every import of wganx is of a name that the package it comes from lists in ``__all__``."""
    import ast
    from importlib import import_module

    checked = 0
    for file in (PACKAGE / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not any(name.name.split(".")[0] == "wganx" for name in node.names), file
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "wganx":
                assert node.module in ("wganx", "wganx.nn", "wganx.data", "wganx.wasserstein"), file
                assert {name.name for name in node.names} <= set(import_module(node.module).__all__), file
                checked += 1
    assert checked > 5


def test_its_api_is_read_for_listings(site, monkeypatch):
    monkeypatch.syspath_prepend(str(site))
    (found,) = [found for found in discover() if found.name == "tones"]
    assert declared_api(found) == 1
