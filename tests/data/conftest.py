"""Small data on disk, written by the tests: a file's content is a few bytes that `decode` turns into a tensor."""

import importlib
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

DECODERS = """
import os
import torch

def decode(content, path):
    if content.startswith(b"broken"):
        raise ValueError("not a sample\\nat all")
    return {"sample": torch.tensor(list(content), dtype=torch.uint8)}

def die(content, path):
    os._exit(3)
"""


@pytest.fixture
def write(tmp_path):
    """Writes ``{relative path: content}`` into a new folder and returns it."""

    def writer(files: Mapping[str, bytes], name: str = "data") -> Path:
        root = tmp_path / name
        root.mkdir()
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        return root

    return writer


@pytest.fixture
def pack(tmp_path):
    """Writes ``{relative path: content}`` into a new zip archive and returns it."""

    def packer(files: Mapping[str, bytes], name: str = "data.zip") -> Path:
        root = tmp_path / name
        with zipfile.ZipFile(root, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in files.items():
                archive.writestr(path, content)
        return root

    return packer


@pytest.fixture
def decoders(tmp_path, monkeypatch):
    """A module of decoders that a spawned worker can import, as it would a plugin's."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "decoders_of_the_tests.py").write_text(DECODERS, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    yield importlib.import_module("decoders_of_the_tests")
    del sys.modules["decoders_of_the_tests"]
