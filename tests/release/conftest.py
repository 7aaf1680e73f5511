"""What is released, built once for all tests of this folder."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

Build = Callable[..., Path]


@pytest.fixture(scope="session")
def build() -> Build:
    """``build("wheel", tree, into)``: the file made of a tree by the backend itself, which fetches nothing."""
    pytest.importorskip("hatchling", reason="builds the package")
    pytest.importorskip("hatch_fancy_pypi_readme", reason="makes the package's description")

    def make(kind: str, tree: Path, into: Path, *, path: str | None = None) -> Path:
        code = f"import sys, hatchling.build; print(hatchling.build.build_{kind}(sys.argv[1]))"
        environ = {**os.environ, "PATH": os.environ["PATH"] if path is None else path}
        done = subprocess.run(
            [sys.executable, "-c", code, str(into)], cwd=tree, env=environ, capture_output=True, text=True, check=False,
            timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return into / done.stdout.split()[-1]

    return make


@pytest.fixture(scope="session")
def sdist(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive of this tree."""
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive unpacked, as whoever builds from it has it: without git's folder."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4 has it
        archive.extractall(folder)
    (tree,) = folder.iterdir()
    return tree


@pytest.fixture(scope="session")
def wheel(unpacked: Path, build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel made from the unpacked archive, where there is no git at all."""
    return build("wheel", unpacked, tmp_path_factory.mktemp("wheel"), path="/nowhere")


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel in a folder of its own, which is all that installing a pure wheel does."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder
