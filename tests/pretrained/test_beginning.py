"""A training that begins with weights: from a run, a file, a checkpoint; strict, recorded, resumable."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

import wganx
from wganx.cli import main
from wganx.errors import ConfigError
from wganx.runs import Run

SMALL: dict[str, Any] = {
    "train.steps": 4, "train.batch_size": 16, "preview.every": 4, "preview.count": 4, "preview.walk": 0,
    "checkpoint.every": 2, "dataset.count": 100,
}  # fmt: skip


def trained(out: Path, **more: Any) -> Run:
    overrides = {**SMALL, **more.pop("overrides", {})}
    return wganx.train("points", out=out, overrides=overrides, progress=False, device="cpu", **more)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained(tmp_path_factory.mktemp("source") / "run", overrides={"generator.width": 24, "generator.noise": 5})


def weights_of(run: Run, step: int = 4) -> dict[str, torch.Tensor]:
    return load_file(run.folder.checkpoints / f"step-{step:06d}" / "weights.safetensors")


def test_it_begins_where_the_other_ended(source: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = trained(tmp_path / "run", init=source.folder.path, overrides={"optimizer.lr": 1e-12, "seed": 9})
    assert run.resolved.run.generator.width == 24  # type: ignore[attr-defined]
    assert run.resolved.run.generator.noise == 5
    before, after = weights_of(source), weights_of(run)
    for name, tensor in after.items():
        player, _, rest = name.partition("/")
        other = before[f"average/{rest}" if player == "generator" else name]
        torch.testing.assert_close(tensor, other, atol=1e-6, rtol=0)
    assert "begins with" in (said := capsys.readouterr().err)
    assert "the critic goes on with it" in said


def test_where_it_began_is_recorded(source: Run, tmp_path: Path) -> None:
    run = trained(tmp_path / "run", init=source.folder.path, overrides={"critic.width": 8})
    facts = json.loads(run.folder.facts_file.read_text(encoding="utf-8"))["init"]
    state = json.loads((source.folder.checkpoints / "step-000004" / "state.json").read_text(encoding="utf-8"))
    assert facts["sha256"] == state["digests"]["weights.safetensors"] == run.resolved.run.train.init_sha256
    assert facts["layout"] == "wganx"
    assert facts["critic"] is False  # another width: it begins anew
    assert facts["parameters"] == sum(tensor.numel() for tensor in run.sampler().module.state_dict().values())


def test_a_file_of_tensors_begins_a_run_that_says_the_network(source: Run, tmp_path: Path) -> None:
    file = tmp_path / "plain.safetensors"
    save_file(dict(source.sampler().module.state_dict()), file)
    sizes = {"generator.width": 24, "generator.noise": 5, "optimizer.lr": 1e-12}
    run = trained(tmp_path / "run", init=file, overrides=sizes)
    for name, tensor in source.sampler().module.state_dict().items():
        torch.testing.assert_close(weights_of(run)[f"generator/{name}"], tensor, atol=1e-6, rtol=0)
    with pytest.raises(ConfigError, match=r"plain\.safetensors \(tensors\) does not fit the generator: .* instead of"):
        trained(tmp_path / "other", init=file, overrides={"generator.width": 16, "generator.noise": 5})
    assert not (tmp_path / "other").exists()


def test_a_resumed_run_needs_the_file_no_more(source: Run, tmp_path: Path) -> None:
    file = tmp_path / "plain.safetensors"
    save_file(dict(source.sampler().module.state_dict()), file)
    sizes = {"generator.width": 24, "generator.noise": 5}
    whole = trained(tmp_path / "whole", init=file, overrides=sizes)
    copytree(whole.folder.path, tmp_path / "half")
    file.unlink()
    resumed = wganx.resume(tmp_path / "half", from_step=2, progress=False)
    assert resumed.folder.facts()["init"] == whole.folder.facts()["init"]
    for name, tensor in weights_of(whole).items():
        assert torch.equal(tensor, weights_of(resumed)[name]), name


def test_the_stored_configuration_reproduces_it_or_says_why_not(source: Run, tmp_path: Path) -> None:
    file = tmp_path / "plain.safetensors"
    state = dict(source.sampler().module.state_dict())
    save_file(state, file)
    sizes = {"generator.width": 24, "generator.noise": 5}
    first = trained(tmp_path / "first", init=file, overrides=sizes)
    again = wganx.train(config=first.folder.config, out=tmp_path / "again", progress=False)
    for name, tensor in weights_of(first).items():
        assert torch.equal(tensor, weights_of(again)[name]), name
    save_file({name: tensor + 1 for name, tensor in state.items()}, file)
    with pytest.raises(ConfigError, match="is another file than when the run was configured: its SHA-256"):
        wganx.train(config=first.folder.config, out=tmp_path / "changed", progress=False)


def test_the_command_line_begins_lists_and_draws(source: Run, tmp_path: Path) -> None:
    def call(*arguments: object, code: int = 0) -> str:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == code, result.output
        return result.output

    settings = [word for name, value in SMALL.items() for word in ("--set", f"{name}={value}")]
    folder = source.folder.path
    call("train", "--plugin", "points", "--device", "cpu", *settings, "--init", folder, "--out", tmp_path / "run")
    assert json.loads((tmp_path / "run/run.json").read_text(encoding="utf-8"))["init"]["layout"] == "wganx"
    assert "run" in call("pretrained", "list", folder.parent)
    assert "gan-zoo" in call("pretrained", "list")
    facts = json.loads(call("pretrained", "inspect", folder, "--json"))
    assert facts["makes"] == "coordinate 2"
    assert facts["noise"] == "5"
    assert facts["licence"] == "not stated"
    call("pretrained", "sample", folder, "-n", 6, "--out", tmp_path / "drawn", "--device", "cpu")
    assert (tmp_path / "drawn/grid.png").is_file()
    call("pretrained", "sample", folder, "-n", 6, "--walk", 3, "--out", tmp_path / "walk", "--device", "cpu")
    assert sorted(path.name for path in (tmp_path / "walk").iterdir()) == [f"sample-000{k}.png" for k in range(3)]
    assert "holds sample-0000.png already" in call(
        "pretrained", "sample", folder, "--walk", 3, "--out", tmp_path / "walk", code=2
    )
    assert "there is no file or folder at" in call(
        "train", "--plugin", "points", "--init", tmp_path / "none", "--out", tmp_path / "no", code=2
    )


def test_a_run_draws_the_same_as_by_its_own_command(source: Run) -> None:
    from wganx.runs.pretrained import open_generator

    for path in (source.folder.path, source.folder.checkpoints / "step-000004"):
        ours = open_generator(path, device="cpu").sampler.draw(5, seed=2)
        assert torch.equal(ours, source.sampler().draw(5, seed=2))


def test_truncation_pulls_every_sample_and_every_stop_of_a_walk_towards_the_mean(source: Run, tmp_path: Path) -> None:
    def told(*options: str, code: int = 0) -> str:
        command = ["pretrained", "sample", str(source.folder.path), "-n", "4", "--device", "cpu", "--out"]
        result = CliRunner().invoke(main, [*command, str(tmp_path / "-".join(options)), *options])
        assert result.exit_code == code, result.output
        return result.output

    def drawn(*options: str) -> dict[str, bytes]:
        told(*options)
        return {path.name: path.read_bytes() for path in (tmp_path / "-".join(options)).iterdir()}

    for way in (("--seed", "0"), ("--walk", "3")):
        whole, pulled = drawn(*way), drawn(*way, "--truncation", "0.001")
        assert drawn(*way, "--truncation", "1") == whole
        assert pulled.keys() == whole.keys()
        assert all(pulled[name] != whole[name] for name in whole)
        assert "truncation is a number above 0" in told(*way, "--truncation", "0", code=2)
        assert not (tmp_path / "-".join((*way, "--truncation", "0"))).exists()


def test_a_draw_that_ends_early_is_told_and_the_next_one_takes_its_place(source, tmp_path, monkeypatch) -> None:
    def draw(*options: str) -> tuple[int, str]:
        command = ["pretrained", "sample", str(source.folder.path), "-n", "4", "--device", "cpu"]
        result = CliRunner().invoke(main, [*command, "--out", str(tmp_path / "drawn"), *options])
        return result.exit_code, result.output

    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("wganx.storage.os.fsync", full)
        code, told = draw()
    assert code == 1
    assert "No space left on device" in told
    assert "Traceback" not in told
    assert not (tmp_path / "drawn/grid.png").exists()
    for name in (".grid.png.5f3a.writing", ".sample-0000.png.5f3a.writing"):  # what a kill leaves
        (tmp_path / "drawn" / name).write_bytes(b"half")
    assert draw()[0] == 2
    assert draw("--overwrite")[0] == 0
    assert not [path for path in (tmp_path / "drawn").iterdir() if path.name.startswith(".")]
    (tmp_path / "drawn/.thesis.writing").write_bytes(b"mine")
    assert ".thesis.writing, which no draw wrote; nothing was removed" in draw("--overwrite")[1]
