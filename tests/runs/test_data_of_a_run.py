"""What a run says of its data, what it takes for its data, and that it lets go of it."""

from __future__ import annotations

import json
import math
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import wganx
from wganx import SampleFormat
from wganx.cli import main
from wganx.data import FileItems, choose_feed
from wganx.engine import Observer
from wganx.errors import DataError, UsageError
from wganx.evaluation.batches import gather
from wganx.records import read_lines
from wganx.runs import Run

SMALL = {
    "train.steps": 2,
    "train.batch_size": 4,
    "train.critic_steps": 1,
    "dataset.size": 16,
    "dataset.channels": 1,
    "generator.width": 4,
    "critic.width": 4,
    "log.every": 1,
    "preview.count": 4,
    "evaluate.n": 8,
}
SETTINGS = [argument for name, value in SMALL.items() for argument in ("--set", f"{name}={value}")]


def pictures(root: Path, *classes: str, count: int = 6) -> Path:
    """Plain pictures, so that all files have the same size: of each class another grey."""
    for number, name in enumerate(classes or ("",)):
        (root / name).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            Image.new("L", (20, 20), 60 * number + index).save(root / name / f"{index}.bmp")
    return root


def train(data: Path, out: Path, **changes: Any) -> Run:
    return wganx.train("image", data=data, out=out, device="cpu", overrides={**SMALL, **changes})


def call(*arguments: object, code: int = 0) -> str:
    from click.testing import CliRunner

    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


def test_a_tool_that_is_used_within_the_data_does_not_train_on_its_own_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pictures(tmp_path / "photos", count=12))
    starting = ("train", "--plugin", "image", "--data", ".", "--device", "cpu", *SETTINGS)
    call(*starting)
    call("sample", *Path("runs").iterdir(), "-n", 2)
    said = [call(*starting)]
    runs = sorted(Path("runs").iterdir())
    assert len(runs) == 2
    said += [call("resume", run, "--set", "train.steps=3") for run in runs]
    assert all("not read: what lies in the run folder runs" in " ".join(text.split()) for text in said)
    kept = [json.loads((run / "run.json").read_text("utf-8"))["data"] for run in runs]
    assert kept[0]["fingerprint"] == kept[1]["fingerprint"]
    assert all(data["train"] + data["heldout"] == 12 for data in kept)


def test_layout_classes_and_sizes_are_said_before_the_first_step_and_kept(tmp_path: Path) -> None:
    data = pictures(tmp_path / "pets", "cat", "dog")
    (data / "readme.txt").write_text("", encoding="ascii")
    said = call("train", "--plugin", "image", "--data", data, "--out", tmp_path / "run", "--device", "cpu", *SETTINGS)
    head = " ".join(said.partition("step 1/2")[0].split())
    for sentence in ("held out by the hash of each path", "2 classes: cat ", "not read: 1 .txt", "height 16, width 16",
                     "12 pictures looked at: 20 x 20 px"):  # fmt: skip
        assert sentence in head
    found = json.loads((tmp_path / "run/run.json").read_text("utf-8"))["data"]["found"]
    assert found[1].startswith("2 classes: cat ")


def test_what_is_nearly_a_layout_of_classes_is_noted(tmp_path: Path) -> None:
    data = pictures(tmp_path / "pets", "cat", "dog")
    Image.new("L", (20, 20)).save(data / "stray.bmp")
    notes = train(data, tmp_path / "run").folder.facts()["notes"]
    assert any(
        "the folders cat, dog would be classes, but for 1 file beside them (stray.bmp)" in note for note in notes
    )


def swapped(data: Path) -> None:
    (data / "cat").rename(data / "aside")
    (data / "dog").rename(data / "cat")
    (data / "aside").rename(data / "dog")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (swapped, "the contents changed, under the same names and sizes"),
        (lambda data: (data / "cat").rename(data / "zcat"), "cat"),
        (lambda data: pictures(data, "emu"), "emu"),
        (lambda data: (data / "cat/1.bmp").unlink(), "fewer file"),
    ],
)
def test_data_that_changed_is_refused_by_what_changed_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object], words: str
) -> None:
    data = pictures(tmp_path / "pets", "cat", "dog")
    run = train(data, tmp_path / "run")
    change(data)
    monkeypatch.setattr("wganx.engine.Trainer.restore", lambda *arguments: pytest.fail("weights are loaded"))
    monkeypatch.setattr("wganx.runs.assembly.Trainer", lambda *arguments, **names: pytest.fail("networks are made"))
    with pytest.raises(UsageError, match="the data changed since") as refusal:
        wganx.resume(run.folder.path, settings=["train.steps=4"])
    assert words in str(refusal.value)


class Fails(Observer):
    def logged(self, step: int, scalars: Any) -> None:
        raise RuntimeError("the observer failed")


@pytest.mark.parametrize("workers", [0, 1])
def test_a_run_that_fails_while_streaming_ends_its_threads_and_processes(tmp_path: Path, workers: int) -> None:
    import multiprocessing

    data = pictures(tmp_path / "photos", count=20)
    streamed = {**SMALL, "dataset.feed": "stream", "dataset.workers": workers, "dataset.pack": "off"}
    with pytest.raises(RuntimeError, match="the observer failed"):
        wganx.train("image", data=data, out=tmp_path / "run", device="cpu", overrides=streamed, observers=[Fails()])
    assert not [thread for thread in threading.enumerate() if thread.name == "wganx data"]
    assert not multiprocessing.active_children()


def test_readings_that_are_no_numbers_come_back_as_nan(tmp_path: Path) -> None:
    run = train(pictures(tmp_path / "photos", count=12), tmp_path / "run")
    with run.folder.metrics.open("a", encoding="ascii") as file:
        file.write('{"step": 3, "loss": null}\n{"step": 4, "loss": NaN}\n')
    assert all(math.isnan(line["loss"]) for line in list(read_lines(run.folder.metrics))[-2:])
    run.folder.truncate_after(3)
    assert math.isnan(list(read_lines(run.folder.metrics))[-1]["loss"])


def test_a_held_out_file_is_decoded_once_however_often_it_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: Counter[str] = Counter()
    decode_item = FileItems.decode_item

    def counting(self: FileItems, index: int) -> Any:
        decoded[f"{self.split} {self.name(index)}"] += 1
        return decode_item(self, index)

    monkeypatch.setattr(FileItems, "decode_item", counting)
    few = {"preview.count": 64, "evaluate.n": 50, "evaluate.extractors.own.updates": 10}
    run = train(pictures(tmp_path / "photos", count=20), tmp_path / "run", **few)
    run.evaluate()
    heldout = {name: count for name, count in decoded.items() if name.startswith("heldout")}
    assert heldout
    assert set(heldout.values()) == {1}


class Ragged:
    """Items of a plugin's own, of any length; remembers which were asked for."""

    def __init__(self, *lengths: int) -> None:
        self.lengths = lengths
        self.formats: Mapping[str, SampleFormat] = {"sample": SampleFormat(axes=("time",), shape=(None,))}
        self.asked: list[int] = []

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        self.asked.append(index)
        return {"sample": torch.full((self.lengths[index],), index)}


def test_rows_that_are_asked_for_often_are_read_once() -> None:
    items = Ragged(1, 1, 1, 1)
    rows = gather(items, [3, 1, 3, 3, 0], torch.device("cpu"))
    assert rows["sample"].flatten().tolist() == [3, 1, 3, 3, 0]
    assert items.asked == [0, 1, 3]


@pytest.mark.parametrize("kind", ["resident", "stream", "heldout"])
def test_ragged_items_are_refused_in_one_line(kind: Any) -> None:
    items = Ragged(4, 4, 5, 4)

    def read() -> object:
        if kind == "heldout":
            return gather(items, [0, 1, 2], torch.device("cpu"))
        return choose_feed(items, batch_size=4, seed=0, device="cpu", requested=kind).next()

    with pytest.raises(DataError, match=r"^item \d is sample int64 \(\d,\), but the first is .* to one size$"):
        read()


def test_an_empty_split_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pictures(tmp_path / "photos", count=20)
    monkeypatch.setattr(FileItems, "__len__", lambda self: 0 if self.split == "heldout" else len(self.paths))
    with pytest.raises(DataError, match=r"its split 'heldout' holds no items; give it more data, or split it in anot"):
        train(data, tmp_path / "run")


def test_files_whose_names_are_no_utf8_are_trained_on(tmp_path: Path) -> None:
    import os

    data = pictures(tmp_path / "photos", count=20)
    try:
        (data / "0.bmp").rename(data / os.fsdecode(b"caf\xe9.bmp"))
        (data / os.fsdecode(b"\xff.bmp")).write_bytes(b"broken")
    except OSError:
        pytest.skip("this file system takes no such names")
    run = train(data, tmp_path / "run")
    notes = run.folder.facts()["notes"]
    assert any(note.startswith(r"\xff.bmp cannot be read (no readable picture: ") for note in notes)
    assert (tmp_path / "run/report.html").is_file()
