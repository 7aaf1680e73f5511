"""Small data on disk, written by the tests: a file's content is a few bytes that `decode` turns into a tensor."""

import importlib
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest

DECODERS = """
import os
import threading
import torch

from wganx import DataError, SampleFormat
from wganx.data import DecodedItems

RECORDS = {"sample": SampleFormat(axes=("value",), shape=(3,))}

decoded = []
KINDS = (torch.bool, torch.int16, torch.float32, torch.bfloat16, torch.int64)
FORMATS = {name: SampleFormat(axes=("value",), shape=(5,)) for name in ("sample", "nan", *map(str, KINDS))}
FORMATS["scalar"] = SampleFormat(axes=(), shape=(), value_range=None)

def decode(content, path):
    decoded.append(path)
    if content.startswith(b"broken"):
        raise ValueError("not a sample\\nat all")
    return {"sample": torch.tensor(list(content), dtype=torch.uint8)}

def scaled(content, path, *, by, kind=torch.uint8):
    return {"sample": decode(content, path)["sample"].to(kind) * by}

def of_every_type(content, path):
    values = torch.tensor(list(content))
    values_of = {str(kind): values.to(kind) for kind in KINDS}
    return {"sample": values.to(torch.uint8), "nan": values / 0 * 0, "scalar": values.sum(), **values_of}

counted = []
failing = set()

def windows(source, path):
    # Windows of three bytes.
    counted.append(path)
    if path in failing:
        raise OSError(5, "Input/output error")
    if source.read(6) == b"broken":
        raise ValueError("not a sample\\nat all")
    return source.seek(0, 2) // 3

def window(source, path, number):
    source.seek(3 * number)
    content = source.read(3)
    if content == b"BAD":
        raise ValueError("BAD")
    return {"sample": torch.tensor(list(content), dtype=torch.uint8)}

def too_short(source, path):
    raise DataError(f"{source.seek(0, 2) / 10:g} s long, and a window takes 3 s")

def none(source, path):
    return None

def half(source, path):
    return 0.5

def negative(source, path):
    return -1

def speaker(path):
    return path[0]

class Records(DecodedItems):
    # What a plugin writes for records of its own: a text of three letters a line.

    def __init__(self, path, by=1):
        super().__init__(RECORDS, root=path, recipe=(scaled, by))
        self.path, self.by = path, by
        self.lines = path.read_bytes().split()

    def __len__(self):
        return len(self.lines)

    def name(self, index):
        return f"line {index + 1}"

    def decode_item(self, index):
        return scaled(self.lines[index], self.name(index), by=self.by)

class Stamped(Records):
    def stamps(self):
        return [str(self.path.stat().st_mtime_ns), *map(str, self.lines)]

def hang(content, path):
    threading.Event().wait()

def die(content, path):
    os._exit(3)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of this test, which does not exist yet."""
    monkeypatch.setenv("WGANX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "packed"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
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
def pack(tmp_path: Path) -> Callable[..., Path]:
    """Writes ``{relative path: content}`` into a new zip archive and returns it."""

    def packer(files: Mapping[str, bytes], name: str = "data.zip") -> Path:
        root = tmp_path / name
        with zipfile.ZipFile(root, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in files.items():
                archive.writestr(path, content)
        return root

    return packer


@pytest.fixture
def decoders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module of decoders that a spawned worker can import, as it would a plugin's."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "decoders_of_the_tests.py").write_text(DECODERS, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    yield importlib.import_module("decoders_of_the_tests")
    del sys.modules["decoders_of_the_tests"]
