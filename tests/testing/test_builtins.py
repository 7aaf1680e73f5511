"""The plugins that come with wganx keep the contracts they ask of others."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

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


FILES = Path.home() / "kit-files"  # the tests' own home


class TestPoints(PluginConformance):
    plugin = "points"
    roots: ClassVar = {"folder": FILES / "points.npy"}


class TestImage(PluginConformance):
    plugin = "image"
    roots: ClassVar = {"folder": FILES / "pictures"}


@pytest.mark.parametrize("plugin", [TestPoints, TestImage])
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
