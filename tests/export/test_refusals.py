"""What cannot be exported, said in a line; and nothing half is left."""

from __future__ import annotations

import errno
import shutil
import sys

import pytest
import torch
from click.testing import CliRunner
from torch import nn

import wganx
from wganx.batch import SampleFormat
from wganx.cli import main
from wganx.engine import Checkpoint, read_checkpoint, write_checkpoint
from wganx.export import FORMATS, export
from wganx.export.formats import program_of
from wganx.export.ports import Port
from wganx.export.sizes import ExportFailed, free_sizes, least_sizes
from wganx.export.subject import Positional, Subject
from wganx.runs import RunFolder

PICTURE = SampleFormat(axes=("channel", "height", "width"), shape=(1, 16, None))


def subject(network, tmp_path):
    inputs = (Port.of("source", PICTURE, 32),)
    output = Port.of("sample", PICTURE, 32)
    positional = Positional(network.eval(), inputs, 1)
    return Subject(
        role="generator", network=network, positional=positional, inputs=inputs, output=output, build={},
        folder=RunFolder(tmp_path), step=0,
    )  # fmt: skip


class Padded(nn.Module):
    """Halves a picture of any size that reaches over its mirrored border, so that the smallest is above 16."""

    def forward(self, x):
        return nn.functional.avg_pool2d(nn.functional.pad(x, (16, 0, 16, 0), mode="reflect"), 2)


class Counted(nn.Module):
    def forward(self, x):
        return x.reshape(int(x.shape[0]), -1)


class Random(nn.Module):
    def forward(self, x):
        return x + torch.rand_like(x)


class Pair(nn.Module):
    def forward(self, x):
        return x, x


class Flat(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(32, 3)

    def forward(self, x):
        return self.layer(x)


def test_free_sizes_are_those_that_the_network_takes(tmp_path):
    assert free_sizes(subject(Flat(), tmp_path)) == {"height": 16}
    assert least_sizes(subject(Flat(), tmp_path), {"height": 16}) == {"height": 8}
    with pytest.raises(
        ExportFailed, match=r"cannot be called on what its run says it is given: .*Padding size should be"
    ):
        free_sizes(subject(Padded(), tmp_path))


def test_a_size_that_was_baked_in(tmp_path):
    with pytest.raises(ExportFailed, match=r"takes 3 rows of source alone .* write x\.shape\[0\]"):
        program_of(subject(Counted(), tmp_path), {})


def test_random_numbers(tmp_path):
    with pytest.raises(ExportFailed, match=r"draws random numbers when it is evaluated, .* noise that generator"):
        free_sizes(subject(Random(), tmp_path))


def test_more_than_a_tensor(tmp_path):
    with pytest.raises(ExportFailed, match="makes tuple, where one tensor is wanted"):
        free_sizes(subject(Pair(), tmp_path))


def test_wrong_calls(run, tmp_path):
    folder, out = run("moved"), tmp_path / "out"
    with pytest.raises(wganx.UsageError, match="no format 'onx'; there are safetensors, torch-export, onnx; did you"):
        export(folder, out, format="onx")
    with pytest.raises(wganx.UsageError, match="a run has a generator and a critic, and no 'encoder'"):
        export(folder, out, format="onnx", what="encoder")
    with pytest.raises(wganx.CheckpointError, match=r"no checkpoint '7'; there are last, best and the steps 0, 2"):
        export(folder, out, format="onnx", checkpoint=7)
    with pytest.raises(wganx.UsageError, match=r"there is no run in .*nowhere: it has no config\.yaml"):
        export(tmp_path / "nowhere", out, format="onnx")
    assert not out.exists()


def test_on_the_command_line(run, tmp_path):
    folder, out = str(run("moved")), str(tmp_path / "out")
    wrong = CliRunner().invoke(main, ["export", folder, "--format", "onnx", "--checkpoint", "7", "--out", out])
    assert (wrong.exit_code, wrong.output) == (1, "wganx: no checkpoint '7'; there are last, best and the steps 0, 2\n")
    done = CliRunner().invoke(main, ["export", folder, "--format", "safetensors", "--out", out])
    assert done.exit_code == 0
    assert "weights.safetensors, CARD.md, build.json, card.json in" in done.output
    assert "the largest difference is 0, of values up to" in done.output
    again = CliRunner().invoke(main, ["export", folder, "--format", "safetensors", "--out", out])
    assert (again.exit_code, again.output) == (2, f"wganx: {out} is there already; give another --out\n")


def test_a_critic_that_was_taken_out(run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run("moved"), folder)
    for step in (0, 2):
        path = folder / "checkpoints" / f"step-{step:06d}"
        held = read_checkpoint(path)
        kept = {name: tensor for name, tensor in held.weights.items() if not name.startswith("critic/")}
        write_checkpoint(
            path,
            Checkpoint(
                kept, held.training, {name: held.facts[name] for name in held.facts.keys() - {"digests", "format"}}
            ),
        )
    with pytest.raises(wganx.CheckpointError, match=r"step 2 of .* holds no critic: its weights were taken out"):
        export(folder, tmp_path / "out", format="safetensors", what="critic")


def test_a_missing_extra_is_a_pip_command(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(wganx.MissingExtra, match=r'tried by onnxruntime: pip install "wganx\[export\]"'):
        export(run("moved"), tmp_path / "out", format="onnx")


def test_another_network_is_not_kept(run, tmp_path, monkeypatch):
    read = type(FORMATS["safetensors"]).read

    def altered(self, subject, folder):
        called = read(self, subject, folder)
        return lambda *tensors: called(*tensors) + 0.01

    monkeypatch.setattr(type(FORMATS["safetensors"]), "read", altered)
    with pytest.raises(ExportFailed, match=r"differs from the module by 0\.01 on 1 row, where values reach"):
        export(run("moved"), tmp_path / "out", format="safetensors")
    assert list(tmp_path.iterdir()) == []


def test_sizes_that_a_format_cannot_leave_free_stay_as_trained(run, tmp_path, monkeypatch):
    write = type(FORMATS["safetensors"]).write

    def settled(self, subject, free, folder):
        if free:
            raise ExportFailed("no pooling of any size")
        return write(self, subject, free, folder)

    monkeypatch.setattr(type(FORMATS["safetensors"]), "write", settled)
    done = CliRunner().invoke(
        main, ["export", str(run("styles")), "--format", "safetensors", "--out", str(tmp_path / "out")]
    )
    told = "height, width stay as trained, since safetensors did not take others: no pooling of any size"
    assert done.exit_code == 0
    assert done.output.endswith(f"{told}\n")
    card = (tmp_path / "out" / "CARD.md").read_text(encoding="utf-8")
    assert f"{told}." in card
    assert "is free from" not in card


@pytest.mark.parametrize(
    ("raised", "seen", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), ExportFailed, "out could not be written: No space left on"),
        (KeyboardInterrupt("by hand"), KeyboardInterrupt, "by hand"),
    ],
)
def test_a_full_disk_or_an_end_leaves_nothing(run, tmp_path, monkeypatch, raised, seen, told):
    write = type(FORMATS["safetensors"]).write

    def failing(self, subject, free, folder):
        write(self, subject, free, folder)
        raise raised

    monkeypatch.setattr(type(FORMATS["safetensors"]), "write", failing)
    with pytest.raises(seen, match=told):
        export(run("moved"), tmp_path / "out", format="safetensors")
    assert list(tmp_path.iterdir()) == []
