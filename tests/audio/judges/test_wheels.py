"""Weights in the wheels of others: missing, another version, whole."""

import hashlib

import pytest
import wganx_audio
from wganx_audio.judges import wheels
from wganx_audio.judges.wheels import weights_in

from wganx import Config, DataError, MissingExtra

ASK = {"who": "extractor 'x'", "install": "pip install x"}


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "x-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: x\nVersion: 1.0\n")
    (folder / "RECORD").write_text("")
    (tmp_path / "x").mkdir()
    (tmp_path / "x/weights.pt").write_bytes(b"weights")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_they_are_found_without_importing_the_package(package):
    sha = hashlib.sha256(b"weights").hexdigest()
    assert weights_in("x", "x/weights.pt", sha, **ASK) == package / "x/weights.pt"


def test_no_package():
    with pytest.raises(MissingExtra, match=r"^extractor 'x' needs the weights in wganx-none: pip install x$"):
        weights_in("wganx-none", "x/weights.pt", "0" * 64, **ASK)


def test_a_package_without_them(package):
    with pytest.raises(MissingExtra, match=r"which the installed x does not have: pip install x$"):
        weights_in("x", "x/other.pt", "0" * 64, **ASK)


def test_other_weights_are_refused(package):
    with pytest.raises(DataError, match=r"weights.pt is another file than extractor 'x' was checked with"):
        weights_in("x", "x/weights.pt", "0" * 64, **ASK)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("ge2e", r"pip install --no-deps Resemblyzer$"),
        ("dnsmos", r'pip install "wganx\[speech\]"$'),
        ("crepe", r'pip install "wganx\[speech\]"$'),
    ],
)
def test_who_misses_them_says_how_to_get_them(name, command, monkeypatch):
    def missing(_):
        raise wheels.PackageNotFoundError

    monkeypatch.setattr(wheels, "distribution", missing)
    (extractor,) = [each for each in wganx_audio.wganx_extractors() if each.name == name]
    with pytest.raises(MissingExtra, match=command):
        extractor.factory("load")(Config(), None)
