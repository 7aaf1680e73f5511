"""Translations as runs: resumed to the bit with their helper, and files sent through them from the command line."""

from __future__ import annotations

import signal

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

import wganx
from wganx import DataError, Observer, UsageError
from wganx.cli import main
from wganx.engine import read_checkpoint
from wganx.runs import Run

STEPS = 4
SHORT = {"dataset.count": 32, "train.steps": STEPS, "checkpoint.every": 2, "log.every": 1, "preview.every": STEPS}


def tensors(run: Run) -> dict[str, torch.Tensor]:
    checkpoint = read_checkpoint(run.folder.checkpoints / f"step-{STEPS:06d}")
    return {**checkpoint.weights, **checkpoint.training}


class StopAt(Observer):
    def logged(self, step: int, scalars: object) -> None:
        if step == 2:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    out = tmp_path_factory.mktemp("styles") / "run"
    return wganx.train("image", "style-transfer-tiny", overrides=SHORT, out=out, device="cpu")


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos") / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (37, 50, 3), dtype=np.uint8)).save(path)
    return path


def sample(run: Run, *options: object):
    return CliRunner().invoke(main, ["sample", str(run.folder.path), *map(str, options)])


def test_a_translation_stopped_and_resumed_equals_one_never_stopped(run, tmp_path):
    part = wganx.train(
        "image", "style-transfer-tiny", overrides=SHORT, out=tmp_path / "part", device="cpu", observers=[StopAt()]
    )
    assert part.folder.facts()["status"] == "interrupted"
    left, right = (tensors(one) for one in (run, wganx.resume(tmp_path / "part")))
    assert left.keys() == right.keys()
    assert any("classifier" in name for name in left)
    assert [name for name in left if not torch.equal(left[name], right[name])] == []


def test_every_loss_is_logged_by_its_name(run):
    text = run.folder.metrics.read_text(encoding="utf-8")
    for name in ("target_style", "cycle", "identity", "classifier_style"):
        assert f"/{name}" in text


@pytest.mark.parametrize(("options", "copies"), [({}, True), ({"generator.residual": False}, False)])
def test_a_translation_that_returns_its_source_is_told(tmp_path, capsys, options, copies):
    """Next to no learning: the residual translator begins with no change, and the other with one."""
    stuck = {**SHORT, "train.steps": 5, "optimizer.lr": 1e-12, "preview.every": 5, **options}
    wganx.train("image", "style-transfer-tiny", overrides=stuck, out=tmp_path / "run", device="cpu")
    assert ("WX042" in (told := capsys.readouterr().err)) is copies
    assert ("the input is copied" in told) is copies


def test_a_photo_keeps_its_size_and_what_is_asked_for_changes_it(run, photo, tmp_path):
    for style in ("winter", "night"):
        result = sample(run, "--source", photo, "--given", f"style={style}", "--out", tmp_path / f"{style}.png")
        assert result.exit_code == 0, result.output
    made = [np.asarray(Image.open(tmp_path / f"{style}.png")) for style in ("winter", "night")]
    assert made[0].shape == (37, 50, 3)
    assert not np.array_equal(*made)


def test_a_folder_is_translated_under_its_names_and_what_is_no_picture_is_named(run, photo, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.png", "b.jpg"):
        Image.open(photo).save(folder / name)
    (folder / "notes.txt").write_text("buy milk", encoding="utf-8")
    result = sample(run, "--source", folder, "--class", "winter", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "notes.txt" in result.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.jpg"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"style": "snow"}, "no class 'snow'; classes: summer, winter, night"),
        ({"season": "winter"}, "takes no label 'season'; labels: style"),
        ({}, "say which style is wanted: --given style=..., and there are: summer, winter, night"),
    ],
)
def test_a_wish_that_cannot_be_granted_is_told_with_the_choices(run, photo, tmp_path, given, message):
    with pytest.raises(UsageError, match=message):
        run.apply(photo, tmp_path / "out.png", given=given)
    assert not (tmp_path / "out.png").exists()


def test_a_wish_that_cannot_be_granted_is_told_before_any_file_is_read(run, tmp_path):
    """Or a folder of a thousand pictures would say it a thousand times."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"broken")
    (folder / "b.png").write_bytes(b"broken")
    for source in (folder, folder / "a.png"):
        result = sample(run, "--source", source, "--given", "style=wniter", "--out", tmp_path / "out")
        assert (result.exit_code, result.output.count("no class 'wniter'")) == (2, 1)
        assert "did you mean 'winter'?" in result.output
        assert "a.png" not in result.output


def test_what_no_file_can_do_without_is_asked_for_once(run, photo, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.open(photo).save(folder / name)
    result = sample(run, "--source", folder, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert result.output.count("say which style is wanted") == 1
    assert not list((tmp_path / "out").iterdir())


def test_every_label_is_asked_for_at_once(tmp_path, photo):
    short = {**SHORT, "dataset.name": "procedural-faces", "dataset.attributes": ["smile", "glasses", "hair"]}
    run = wganx.train("image", "style-transfer-tiny", overrides=short, out=tmp_path / "run", device="cpu")
    with pytest.raises(UsageError, match="smile: no class 'yes'; classes: serious, smiling, laughing"):
        run.apply(photo, tmp_path / "out.png", given={"smile": "yes"})
    with pytest.raises(UsageError) as told:
        run.apply(photo, tmp_path / "out.png", given={"smile": "smiling"})
    message = str(told.value)
    assert message.startswith("say which glasses, hair are wanted, also where they are to stay, which no file says of ")
    assert "--given glasses=..., and there are: none, clear, dark; --given hair" in message
    with pytest.raises(UsageError, match=r"say which hair is wanted: .*, also where it is to stay, which no file says"):
        run.apply(photo, tmp_path / "out.png", given={"smile": "smiling", "glasses": "none"})


def test_folders_in_a_folder_are_not_looked_into_and_that_is_said(run, tmp_path):
    (tmp_path / "in" / "trip").mkdir(parents=True)
    with pytest.raises(DataError, match="it holds no file, and the folders in it are not looked into; name one of"):
        run.apply(tmp_path / "in", tmp_path / "out", given={"style": "winter"})


def test_at_what_size_a_photo_is_seen_is_a_flag(run, photo, tmp_path):
    for name, flags in (("whole", ()), ("copy", ("--seen-at", 16))):
        result = sample(run, "--source", photo, "--given", "style=night", *flags, "--out", tmp_path / f"{name}.png")
        assert result.exit_code == 0, result.output
    whole, copy = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("whole", "copy"))
    assert whole.shape == copy.shape
    assert not np.array_equal(whole, copy)
