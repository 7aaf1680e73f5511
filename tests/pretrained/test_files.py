"""Files of weights: read as data, refused by name."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file
from torch import nn

from wganx.cli import main
from wganx.errors import CheckpointError, DataError, UsageError
from wganx.pretrained import open_pretrained
from wganx.pretrained.files import digest_of, tensors_in

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.zeros(2)}


class Harmful:
    def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
        return os.mkdir, ("ran",)


def saved(path: Path, content: object, legacy: bool = False) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


@pytest.fixture(params=[False, True], ids=["zip", "legacy"])
def legacy(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def told(path: Path, code: int) -> str:
    """What ``wganx pretrained inspect`` says on its way out."""
    result = CliRunner().invoke(main, ["pretrained", "inspect", str(path), "--plugin", "points"])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


def test_tensors_by_name_are_read(tmp_path: Path, legacy: bool) -> None:
    opened = open_pretrained(saved(tmp_path / "w.pth", TENSORS, legacy), [])
    assert opened.layout == "tensors"
    assert opened.parameters == 8
    assert opened.pretrained is None
    assert opened.sha256 == hashlib.sha256((tmp_path / "w.pth").read_bytes()).hexdigest()
    torch.testing.assert_close(dict(opened.weights), TENSORS)


def test_safetensors_are_read(tmp_path: Path) -> None:
    save_file({f"average/{name}": value for name, value in TENSORS.items()}, tmp_path / "weights.safetensors")
    assert open_pretrained(tmp_path / "weights.safetensors", []).weights.keys() == TENSORS.keys()
    (tmp_path / "torn.safetensors").write_bytes((tmp_path / "weights.safetensors").read_bytes()[:60])
    with pytest.raises(CheckpointError, match=r"torn\.safetensors cannot be read as weights: it is cut short"):
        open_pretrained(tmp_path / "torn.safetensors", [])


@pytest.mark.parametrize("wrapper", ["state_dict", "model_state_dict", "model"])
def test_wrapped_and_parallel_names_are_plain(wrapper: str) -> None:
    wrapped = {wrapper: {f"module.{name}": value for name, value in TENSORS.items()}, "epoch": 3}
    assert tensors_in(wrapped).keys() == TENSORS.keys()


def test_a_pickled_class_is_refused_and_not_run(tmp_path: Path, legacy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = saved(tmp_path / "w.pth", {"a": Harmful()}, legacy)
    assert "w.pth holds a pickled posix.mkdir, which would run code when it is loaded, and was not" in told(path, 2)
    assert not (tmp_path / "ran").exists()


def test_a_whole_network_is_refused_by_its_class(tmp_path: Path, legacy: bool) -> None:
    path = saved(tmp_path / "w.pth", nn.Linear(2, 2), legacy)
    assert "holds a pickled torch.nn.modules.linear.Linear, which would run code" in told(path, 2)


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.97])
def test_a_truncated_file_is_refused(tmp_path: Path, legacy: bool, kept: float) -> None:
    content = saved(tmp_path / "w.pth", {"w": torch.randn(500)}, legacy).read_bytes()
    (tmp_path / "torn.pth").write_bytes(content[: int(kept * len(content))])
    assert "torn.pth cannot be read as weights: it is cut short, damaged or another kind of file" in told(
        tmp_path / "torn.pth", 1
    )


def test_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.pth").write_text("<html>Too many requests</html>", encoding="utf-8")
    assert "page.pth cannot be read as weights" in told(tmp_path / "page.pth", 1)
    (tmp_path / "words.pth").write_text("hello\n")
    assert "(KeyError); fetch it again" in told(tmp_path / "words.pth", 1)
    assert "w.pth holds a list, and no tensors by name" in told(saved(tmp_path / "w.pth", [1, 2]), 2)
    strange = saved(tmp_path / "x.pth", {"epoch": 3, "name": "x"})
    assert "x.pth is in no layout that is known (tensors): it holds epoch, name" in told(strange, 2)
    assert "there is no file or folder at" in told(tmp_path / "absent.pth", 2)
    assert "is neither a run folder with a checkpoint nor a checkpoint" in told(tmp_path, 2)


def test_the_hash_in_a_name_is_checked(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.pth", TENSORS)
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    good = path.rename(tmp_path / f"faces_s7-{right[:8]}.pth")
    assert digest_of(good) == right
    bad = good.rename(tmp_path / "faces_s7-6196db68.pth")
    assert f"its SHA-256 begins with {right[:8]}, not 6196db68; fetch it again" in told(bad, 1)


@pytest.mark.parametrize("name", ["netG-100000.pth", "run-20261128.pth", "a-deadbeefs.pth"])
def test_a_name_without_a_hash_is_just_a_name(tmp_path: Path, name: str) -> None:
    assert len(digest_of(saved(tmp_path / name, TENSORS))) == 64


def test_what_a_reader_returns_is_checked(tmp_path: Path) -> None:
    from wganx import DataCard, Layout, PluginFailed

    card = DataCard(source="here", licence="ours", offline=True)
    layout = Layout(name="odd", modality="x", summary="odd", read=lambda content, path: 3, card=card)
    with pytest.raises(PluginFailed, match="layout 'odd': read must return Pretrained or None, and returned 3"):
        open_pretrained(saved(tmp_path / "w.pth", TENSORS), [layout])


def test_tensors_alone_cannot_be_drawn_from(tmp_path: Path) -> None:
    from wganx.runs.pretrained import open_generator

    with pytest.raises(UsageError, match="does not say which network they belong to; train on from them"):
        open_generator(saved(tmp_path / "w.pth", TENSORS), plugin="points")
    with pytest.raises(DataError, match="there is no file"):
        open_generator(tmp_path / "none.pth", plugin="points")
