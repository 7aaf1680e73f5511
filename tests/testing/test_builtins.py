"""The plugins that come with wganx keep the contracts they ask of others."""

from __future__ import annotations

import tarfile
from importlib import import_module
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import soundfile
from PIL import Image
from wganx_audio.datasets.formant_speech import items as formants
from wganx_audio.judges import evaluator, parallel
from wganx_audio.judges.listener import Listener
from wganx_audio.representations import moments
from wganx_image import extractors, pyramid

from wganx.plugins.descriptors import Dataset
from wganx.testing import PluginConformance, iter_checks
from wganx.testing.bench import Bench
from wganx.testing.checks import metric


@pytest.fixture(scope="module", autouse=True)
def _files(tmp_path_factory):
    """Files for the datasets that read some, where the test classes say they are; written before they are opened."""
    rng = np.random.default_rng(0)
    FILES.mkdir(parents=True, exist_ok=True)
    np.save(FILES / "points.npy", rng.normal(size=(60, 2)).astype("float32"))
    pictures = FILES / "pictures"
    pictures.mkdir(exist_ok=True)
    for index in range(24):
        bright = 100 * (index % 2)  # which is its class in the shard
        Image.fromarray(rng.integers(bright, bright + 155, (36, 33, 3), dtype=np.uint8)).save(pictures / f"{index}.png")
    with tarfile.open(FILES / "shard.tar", "w") as shard:
        for index, path in enumerate(sorted(pictures.iterdir())):
            shard.add(path, f"{index:06d}.png")
            (FILES / "cls").write_text(str(index % 2), encoding="utf-8")
            shard.add(FILES / "cls", f"{index:06d}.cls")
    rows = ["path,speaker"]
    for index in range(24):
        path = Path("sounds") / ("high", "low")[index % 2] / f"{index}.wav"
        (FILES / path).parent.mkdir(parents=True, exist_ok=True)
        tone = np.sin(np.arange(4096 + 64 * index) * (0.1 + 0.2 * (index % 2))) * rng.uniform(0.2, 0.8)
        soundfile.write(FILES / path, tone.astype("float32"), 8000)
        rows.append(f"{path},{path.parent.name}")
    (FILES / "sounds.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    films = FILES / "films"
    films.mkdir(exist_ok=True)
    for index in range(24):
        np.save(films / f"{index}.npy", rng.integers(0, 255, (12, 1, 32, 32), dtype=np.uint8))


FILES = Path.home() / "kit-files"  # the tests' own home


MOST_WEIGHTS = 12_000_000
NETWORKS, CONFIG = Bench.networks, Bench.config


def _small_ones(bench, architecture):
    """Networks for a GPU take seconds a call here; what is looked at after their first calls, smaller ones show too."""
    found = bench.once(
        ("small ones", architecture.role, architecture.name),
        lambda: [network for network in NETWORKS(bench, architecture) if _weights(network) <= MOST_WEIGHTS],
    )
    return found or NETWORKS(bench, architecture)


def _weights(network):
    return sum(weight.numel() for weight in network.build().parameters())


def _short(bench, part):
    """Some checks read all of a split, and items that are made take milliseconds each."""
    config = CONFIG(bench, part)
    made = isinstance(part, Dataset) and "count" in type(config).model_fields
    return config.model_copy(update={"count": 640}) if made else config


class Builtin(PluginConformance):
    """Little is left unlooked at: what is skipped says one of these."""

    unlooked: ClassVar[tuple[str, ...]] = (
        "its files are not part of it",
        "has files of its own",
        "its generator is given context from data",
    )

    tiny: ClassVar[tuple[str, ...]] = ()
    """Scenarios with a twin, NAME-tiny, of the same parts."""

    @pytest.fixture(autouse=True)
    def _from_few(self, monkeypatch):
        """`own` learns for every setting anew: little, of few items, and what it tells is believed."""
        monkeypatch.setattr(Bench, "config", _short)
        own = import_module("wganx.evaluation.extractors.own")  # behind the function of its name
        learn = own._learn
        monkeypatch.setattr(own, "_learn", lambda network, lessons, _, context: learn(network, lessons, 40, context))
        monkeypatch.setattr(own, "TRUSTED", -1)
        monkeypatch.setattr(own, "BATCH", 32)
        monkeypatch.setattr(own, "MOST_ITEMS", 300)
        monkeypatch.setattr(own, "MOST_HELDOUT", 100)
        # A look at an item of what is drawn draws its neighbours.
        monkeypatch.setattr(import_module("wganx.data.fingerprint"), "_ITEMS_LOOKED_AT", 6)

    def test_conforms(self, check, monkeypatch):
        if check.group in ("generator", "critic") and check.name not in ("builds", "shape", "scores"):
            monkeypatch.setattr(Bench, "networks", _small_ones)
        if check.trains and check.subject.endswith("-gpu"):
            pytest.skip("its networks are for a GPU, and take minutes without one")
        if check.group == "scenario" and check.name == "resumes" and check.subject in self.tiny:
            pytest.skip("its tiny twin is resumed")
        try:
            super().test_conforms(check)
        except pytest.skip.Exception as why:
            if any(reason in str(why) for reason in self.unlooked):
                raise
            pytest.fail(f"it was left unlooked at: {why}")


class TestPoints(Builtin):
    plugin = "points"
    roots: ClassVar = {"folder": FILES / "points.npy"}


class TestImage(Builtin):
    plugin = "image"
    tiny = ("faces", "scenes", "style-transfer")
    roots: ClassVar = {"folder": FILES / "pictures", "webdataset": FILES / "shard.tar"}
    unlooked = (*Builtin.unlooked, "a split of a single item says nothing")

    @pytest.fixture(autouse=True)
    def _briefly(self, monkeypatch):
        """The classifier learns little from few, for every setting anew; distances are of fewer patches."""
        monkeypatch.setattr(extractors, "_UPDATES", 40)
        monkeypatch.setattr(extractors, "_BATCH_SIZE", 32)
        monkeypatch.setattr(extractors, "_MOST_TRAINING_ITEMS", 200)
        monkeypatch.setattr(pyramid, "_PATCHES", 2_048)


SLOW = ("naturalness", "pitch", "log-f0", "dnsmos")
"""Metrics and extractors of sounds that take minutes on as many as the checks try."""


LEARN = evaluator._learn
LEARNT: list[tuple[object, dict[str, object]]] = []


def _learn_once(network, _, context):
    """It hears the items themselves, whatever a task makes of them."""
    train = context.items("train")
    for items, weights in LEARNT:
        if items is train:
            network.load_state_dict(weights)
            return
    LEARN(network, 80, context)
    LEARNT.append((train, network.state_dict()))


class TestAudio(Builtin):
    plugin = "audio"
    tiny = ("digits", "emotion", "emotion-generation", "multilingual", "voice-conversion", "wavegan")
    roots: ClassVar = {"folder": FILES / "sounds", "table": FILES / "sounds.csv"}
    unlooked = (*TestImage.unlooked, "it needs what is not here", "it suits nothing here")

    @pytest.fixture(autouse=True)
    def _briefly(self, monkeypatch):
        """The evaluator of labels learns little, which is believed, and once for all tasks on the same items."""
        monkeypatch.setattr(metric, "SIDE", 32)
        monkeypatch.setattr(formants, "_KEPT", 1_000)
        monkeypatch.setattr(parallel, "MOST_ITEMS", 320)
        monkeypatch.setattr(Listener, "trusts", lambda *_: True)
        monkeypatch.setattr(evaluator, "_learn", _learn_once)
        monkeypatch.setattr(evaluator, "BATCH", 32)
        monkeypatch.setattr(evaluator, "MOST_ITEMS", 320)
        monkeypatch.setattr(evaluator, "MOST_HELDOUT", 160)
        monkeypatch.setattr(moments, "MOST_ITEMS", 128)

    def test_conforms(self, check, monkeypatch):
        if check.subject in SLOW and check.group in ("metric", "extractor"):
            pytest.skip("takes minutes on this many sounds; tests/audio/judges tries it on few")
        if check.id == "metric/direction/mel-distortion":
            pytest.skip("with nothing kept, real sounds say other words, which lie farther apart than noise does")
        super().test_conforms(check, monkeypatch)


class TestVideo(Builtin):
    plugin = "video"
    tiny = ("interpolation", "prediction", "super-resolution")
    roots: ClassVar = {"folder": FILES / "films"}
    unlooked = (*TestImage.unlooked, "no weights: give them by", "it applies to nothing here")


@pytest.mark.parametrize("plugin", [TestPoints, TestImage, TestAudio, TestVideo])
def test_there_is_much_to_look_at(plugin):
    """A group of checks that is no longer made would be missed by none of them."""
    checks = [check for check in iter_checks(plugin.plugin, plugin.roots) if not check.trains]
    assert len([check for check in checks if check.group != "metric"]) > 120
    assert {check.group for check in checks} >= {
        "plugin",
        "modality",
        "dataset",
        "task",
        "generator",
        "critic",
        "metric",
    }
