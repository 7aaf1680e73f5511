"""Files through a generator: options for them alone, who is told how far they are, folders, noise that is shared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import wganx
from wganx import PluginFailed, Task, UsageError
from wganx.runs import Passage

RIBBONS = Path(__file__).with_name("ribbons.py")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return wganx.train(str(RIBBONS), out=tmp_path_factory.mktemp("ribbons") / "run", device="cpu", progress=False)


def ribbon(path: Path, rows: int = 25) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.arange(rows * 4, dtype=np.float32).reshape(rows, 4) / 1000)
    return path


def test_an_option_for_files_holds_for_one_call_alone(run, tmp_path):
    source = ribbon(tmp_path / "in.npy")
    run.apply(source, tmp_path / "three.npy", repeat=3)
    run.apply(source, tmp_path / "one.npy")
    assert len(np.load(tmp_path / "three.npy")) == 75
    assert len(np.load(tmp_path / "one.npy")) == 25
    assert run.assembly.game.config.repeat == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"repaet": 3},
            r"no option --repaet for files; for files it has --repeat, --by-piece; did you mean '--repeat'",
        ),
        ({"width": 3}, r"no option --width for files; that is chosen when it is trained; for files it has --repeat"),
        ({"repeat": "often"}, r"--repeat often: Input should be a valid integer"),
    ],
)
def test_an_option_that_is_none_or_has_no_such_value_is_named(run, tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        run.apply(ribbon(tmp_path / "in.npy"), tmp_path / "out.npy", **options)
    assert not (tmp_path / "out.npy").exists()


def test_what_changes_what_the_generator_makes_is_no_option_for_files(run, tmp_path, monkeypatch):
    game = type(run.assembly.game)
    build = game.__init__

    def other(self, config, formats):
        build(self, config, formats)
        self.context = {"soft": self.sample, "more": self.sample} if config.repeat > 1 else self.context

    monkeypatch.setattr(game, "__init__", other)
    with pytest.raises(PluginFailed, match="task 'louden': repeat changed what the generator makes or is given"):
        run.apply(ribbon(tmp_path / "in.npy"), tmp_path / "out.npy", repeat=2)


def test_a_task_applies_options_that_it_has():
    with pytest.raises(ValueError, match="applied names 'factor', which is no option of it; options: none"):
        Task(name="x", summary="", modality="m", build=print, applied=("factor",))


def test_who_watches_is_told_what_is_done_with_and_of_how_much(run, tmp_path):
    told: list[Passage] = []
    source = ribbon(tmp_path / "in.npy")
    run.apply(source, tmp_path / "out.npy", watch=told.append)
    assert [passage.done for passage in told] == [0, 10, 20, 25]
    assert {(passage.file, passage.length, passage.number, passage.files) for passage in told} == {(source, 25, 1, 1)}


def test_of_a_folder_it_is_told_file_by_file(run, tmp_path):
    for name in "ab":
        ribbon(tmp_path / "in" / f"{name}.npy", 12)
    told: list[Passage] = []
    run.apply(tmp_path / "in", tmp_path / "out", watch=told.append)
    assert [(passage.file.name, passage.number, passage.done) for passage in told] == [
        ("a.npy", 1, 0), ("a.npy", 1, 10), ("a.npy", 1, 12), ("b.npy", 2, 0), ("b.npy", 2, 10), ("b.npy", 2, 12),
    ]  # fmt: skip
    assert {passage.files for passage in told} == {2}


def test_a_folder_that_is_one_sample_in_pieces_is_one_source(run, tmp_path):
    pieces = tmp_path / "in" / "b.pieces"
    ribbon(pieces / "0.npy", 3)
    ribbon(pieces / "1.npy", 4)
    ribbon(tmp_path / "in" / "a.npy", 5)
    (tmp_path / "in" / "other").mkdir()
    assert run.apply(pieces, tmp_path / "one.npy") == [tmp_path / "one.npy"]
    assert len(np.load(tmp_path / "one.npy")) == 7
    written = run.apply(tmp_path / "in", tmp_path / "out")
    assert [path.name for path in written] == ["a.npy", "b.pieces"]


def test_rows_of_one_draw_have_one_noise_and_others_their_own(run, tmp_path, monkeypatch):
    game = type(run.assembly.game)
    found = {}

    def apply(self, source, make, sink):
        soft = torch.zeros(3, 4)
        found["own"] = make({"soft": soft})
        found["again"] = make({"soft": soft})
        found["alike"] = torch.cat([make({"soft": soft}, draw=1), make({"soft": soft[:1]}, draw=1)])
        found["other"] = make({"soft": soft}, draw=2)
        sink.write(source.read(0, source.length))

    monkeypatch.setattr(game, "apply", apply)
    run.apply(ribbon(tmp_path / "in.npy"), tmp_path / "out.npy", seed=5)
    assert not torch.equal(found["own"][0], found["own"][1])
    assert not torch.equal(found["own"], found["again"])
    assert torch.allclose(found["alike"], found["alike"][:1].expand(4, 4))
    assert not torch.allclose(found["alike"][0], found["other"][0])
    before = dict(found)
    run.apply(ribbon(tmp_path / "in.npy"), tmp_path / "again.npy", seed=5)
    assert all(torch.equal(found[name], before[name]) for name in found)


def test_a_stop_in_the_middle_leaves_nothing(run, tmp_path):
    def stop(passage: Passage) -> None:
        if passage.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.apply(ribbon(tmp_path / "in.npy"), tmp_path / "out" / "made.npy", watch=stop)
    assert list((tmp_path / "out").iterdir()) == []
