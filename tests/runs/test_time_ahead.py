"""How long a run will take, before its first step."""

from __future__ import annotations

import pytest
import torch

import wganx
from wganx.config import resolve
from wganx.runs import Run, RunFolder, time_ahead, train_run
from wganx.runs.time_ahead import seconds_ahead


@pytest.fixture
def run(tmp_path, small):
    def start(name="run", **changes):
        overrides = {**small, **{key.replace("__", "."): value for key, value in changes.items()}}
        resolved = resolve(plugin="points", scenario="ring", device="cpu", overrides=overrides, environ={})
        return Run.start(resolved, RunFolder(tmp_path / name), lambda message: None)

    return start


def test_it_is_that_of_all_steps(run, monkeypatch):
    monkeypatch.setattr(time_ahead, "seconds_a_step", lambda training, batch: 0.25 * len(batch))
    assert seconds_ahead(run().assembly) == 12 * 0.25 * 16
    assert seconds_ahead(run("more", train__accumulate=3).assembly) == 3 * 12 * 0.25 * 16


def test_it_is_measured_and_the_run_ends_as_if_it_had_not_been(run):
    plain, asked = run("plain"), run("asked")
    assert 0 < seconds_ahead(asked.assembly) < 600
    weights = []
    for each in (plain, asked):
        train_run(each)
        weights.append(each.assembly.trainer.generator.state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_nothing_is_said_where_a_copy_has_no_place(run, monkeypatch):
    from wganx.engine.planning import memory

    large = run(train__batch_size=1000).assembly
    monkeypatch.setattr(time_ahead, "seconds_a_step", lambda training, batch: 1.0)
    for free, said in ((8 * 10**6, None), (10**8, 12.0)):  # a thousand times the 8 kB of a batch, and the networks
        monkeypatch.setattr(memory, "free_memory", lambda device, free=free: free)
        assert seconds_ahead(large) == said


def test_of_a_run_that_goes_on_nothing_is_said(run, tmp_path):
    import io

    from rich.console import Console

    from wganx.cli.progress import watching

    def said():
        console = Console(file=io.StringIO(), width=200)
        with watching(Run.load(tmp_path / "run", warn=lambda message: None), console):
            return console.file.getvalue()

    run()
    assert "time  less than a minute on this machine" in said()
    train_run(Run.load(tmp_path / "run", warn=lambda message: None))
    assert "time  " not in said()


def test_a_dry_run_says_it_and_what_was_chosen(small, capsys):
    from wganx.cli.main import main

    settings = [f"--set={name}={value}" for name, value in small.items()]
    main(["train", "--plugin", "points", "--device", "cpu", *settings, "--dry-run"], standalone_mode=False)
    said = capsys.readouterr().out
    assert "time  less than a minute on this machine" in said
    assert "batches of 16 (--set train.batch_size=16)" in " ".join(said.split())


def test_networks_that_fail_are_left_to_the_training_and_its_words(run, monkeypatch):
    def broken(training, batch):
        raise RuntimeError("shapes")

    monkeypatch.setattr(time_ahead, "seconds_a_step", broken)
    assert seconds_ahead(run().assembly) is None


def test_penalties_that_are_due_in_every_kth_update_count_for_a_kth(run):
    from wganx.engine.planning import stages

    lazy = run(constraint__every=4)
    batch = next(iter(lazy.assembly.stream))
    ticks = iter(range(0, 10_000, 2))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stages, "_now", lambda device: float(next(ticks)))
        # 2 s from one look at the clock to the next: with penalty 2, without 2, the generator 2; two critic updates.
        assert stages.seconds_a_step(lazy.assembly.trainer.training, batch) == 2 * (2 + 3 * 2) / 4 + 2


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, "less than a minute"),
        (70, "about a minute"),
        (110, "about 2 minutes"),
        (540, "about 9 minutes"),
        (6000, "about 100 minutes"),
        (9000, "about 2 hours"),
        (200_000, "about 2 days"),
    ],
)
def test_it_is_said_in_words(seconds, words):
    from wganx.cli.progress import in_words

    assert in_words(seconds) == words


def test_the_command_says_it_before_it_begins(tmp_path, small, capsys):
    from wganx.cli.main import main

    settings = [f"--set={name}={value}" for name, value in small.items()]
    out = str(tmp_path / "run")
    assert main(["train", "--plugin", "points", "--device", "cpu", *settings, "--out", out], standalone_mode=False) in (
        None,
        0,
    )
    said = capsys.readouterr().out
    assert said.index("time  less than a minute on this machine") < said.index("run folder")
    assert wganx.load_run(out).result is None
