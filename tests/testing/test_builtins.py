"""The plugins that come with wganx keep the contracts they ask of others."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import soundfile
from PIL import Image
from wganx_audio.judges import evaluator

from wganx.testing import NotChecked, PluginConformance, iter_checks


@pytest.fixture(scope="module", autouse=True)
def _files(tmp_path_factory):
    """Files for the datasets that read some, where the test classes say they are; written before they are opened."""
    rng = np.random.default_rng(0)
    FILES.mkdir(parents=True, exist_ok=True)
    np.save(FILES / "points.npy", rng.normal(size=(60, 2)).astype("float32"))
    pictures = FILES / "pictures"
    pictures.mkdir(exist_ok=True)
    for index in range(24):
        Image.fromarray(rng.integers(0, 255, (36, 33, 3), dtype=np.uint8)).save(pictures / f"{index}.png")
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


class TestPoints(PluginConformance):
    plugin = "points"
    roots: ClassVar = {"folder": FILES / "points.npy"}


class TestImage(PluginConformance):
    plugin = "image"
    roots: ClassVar = {"folder": FILES / "pictures", "webdataset": FILES / "shard.tar"}

    def test_conforms(self, check):
        if check.trains and check.subject.endswith("-gpu"):
            pytest.skip("its networks are for a GPU, and take minutes without one")
        super().test_conforms(check)


class TestAudio(PluginConformance):
    plugin = "audio"
    roots: ClassVar = {"folder": FILES / "sounds", "table": FILES / "sounds.csv"}

    @pytest.fixture(autouse=True)
    def _briefly(self, monkeypatch):
        """The evaluator of labels learns for a fifth as long, for every setting anew."""
        learn = evaluator._learn
        monkeypatch.setattr(evaluator, "_learn", lambda network, updates, context: learn(network, 150, context))

    def test_conforms(self, check):
        if check.trains and check.subject.endswith("-gpu"):
            pytest.skip("its networks are for a GPU, and take minutes without one")
        if check.group == "metric" and check.subject in ("naturalness", "pitch", "log-f0"):
            pytest.skip("takes minutes on this many sounds; tests/audio/judges tries it on few")
        if check.id == "metric/direction/mel-distortion":
            pytest.skip("with nothing kept, real sounds say other words, which lie farther apart than noise does")
        super().test_conforms(check)


class TestVideo(PluginConformance):
    plugin = "video"
    roots: ClassVar = {"folder": FILES / "films"}

    def test_conforms(self, check):
        if check.trains and check.subject.endswith("-gpu"):
            pytest.skip("its networks are for a GPU, and take minutes without one")
        super().test_conforms(check)


@pytest.mark.parametrize("plugin", [TestPoints, TestImage])  # audio's extractors learn for minutes
def test_little_is_left_unlooked_at(plugin):
    """Only what has files that are not here is skipped."""
    looked, skipped = 0, []
    for check in iter_checks(plugin.plugin, plugin.roots):
        if check.trains or check.group == "metric":
            continue
        try:
            check.run()
            looked += 1
        except NotChecked as why:
            skipped.append(str(why))
    assert looked > 120
    assert all("files are not part of it" in why for why in skipped), skipped
