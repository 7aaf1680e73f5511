"""Observers are told what the record is told, as copies, and are named when they are what takes so long."""

from __future__ import annotations

import json

import wganx

SMALL = {"train.steps": 8, "log.every": 2, "checkpoint.every": 4, "preview.every": 4, "evaluate.every": 4}


def diary(run):
    return [json.loads(line) for line in (run.folder.path / "diary.jsonl").read_text().splitlines()]


def test_they_hear_everything_and_change_nothing(tones):
    plain = wganx.train("tones", out="plain", device="cpu", overrides=SMALL)
    watched = wganx.train("tones", out="watched", device="cpu", overrides=SMALL, extensions=["tones-watch"])
    assert watched.folder.metrics.read_bytes() == plain.folder.metrics.read_bytes()
    told = diary(watched)
    hooks = [line["hook"] for line in told]
    assert (hooks[0], hooks[-1]) == ("started", "finished")
    assert [line["step"] for line in told if line["hook"] == "progress"] == [2, 4, 6, 8]
    assert [line["step"] for line in told if line["hook"] == "evaluated"] == [4, 8]
    assert all("band-distance/band_distance" in line["scalars"] for line in told if line["hook"] == "evaluated")
    assert [line["paths"] for line in told if line["hook"] == "samples"][-1] == [
        "step-000008.png", *(f"step-000008-000{i}.wav" for i in range(4)),
    ]  # fmt: skip
    assert [line["path"] for line in told if line["hook"] == "saved"] == [
        "step-000000", "step-000004", "step-000008",
    ]  # fmt: skip
    shares = [line["shares"] for line in told if line["hook"] == "timed"]
    assert {"data", "critic", "generator", "other"} <= shares[-1].keys()
    assert {"previews", "metric band-distance"} <= shares[2].keys()  # spent at step 4, behind its logging point


def test_a_resumed_run_says_from_which_step_it_starts(tones):
    wganx.train("tones", out="run", device="cpu", overrides=SMALL | {"train.steps": 4}, extensions=["tones-watch"])
    run = wganx.resume("run", settings=["train.steps=8"])
    assert [line["step"] for line in diary(run) if line["hook"] == "started"] == [0, 4]


def test_findings_reach_them(tones):
    settings = SMALL | {"constraint.name": "none", "optimizer.lr": 1e-4, "optimizer.critic_lr": 1.0, "train.steps": 20}
    run = wganx.train("tones", out="run", device="cpu", overrides=settings, extensions=["tones-watch"])
    found = {line["code"] for line in diary(run) if line["hook"] == "found"}
    recorded = [json.loads(line) for line in run.folder.metrics.read_text().splitlines()]
    assert found == {line["health"]["code"] for line in recorded if "health" in line}
    assert found


def test_a_roll_back_and_a_note_reach_them(tones, monkeypatch):
    """The objective is not finite once, at step 5: back to step 4, and on from there."""
    from wganx_tones import rules  # noqa: F401 - its classes are made when the plugin is loaded
    from wganx_tones.rule_classes import Tilted

    calls, real = [0], Tilted.critic_loss

    def once(self, real_scores, fake_scores):
        calls[0] += 1
        return real(self, real_scores, fake_scores) * (float("nan") if calls[0] == 11 else 1.0)

    monkeypatch.setattr(Tilted, "critic_loss", once)
    run = wganx.train(
        "tones", out="run", device="cpu", overrides=SMALL | {"objective.name": "tilted"},
        extensions=["tones-watch", "tones-rules"],
    )  # fmt: skip
    told = diary(run)
    (back,) = [line for line in told if line["hook"] == "rolled back"]
    assert back["step"] == 4
    assert "WX021" in back["reason"]
    assert any("rolled back to the checkpoint of step 4" in line["message"] for line in told if line["hook"] == "noted")
    assert run.folder.facts()["status"] == "finished"


def test_whoever_takes_more_than_half_of_the_time_is_named(tones, monkeypatch, capsys):
    monkeypatch.setenv("TONES_SLEEP", "1.2")
    run = wganx.train(
        "tones", out="run", device="cpu", overrides=SMALL | {"train.steps": 4}, extensions=["tones-watch"]
    )
    (note,) = [note for note in run.folder.facts()["notes"] if "of the time" in note]
    assert note.startswith("plugin 'tones-watch' (wganx-tones 0.1.0, wganx_tones.watch) took ")
    assert note.endswith("its observers are what takes so long")
    assert note in capsys.readouterr().err


def test_a_hook_that_ends_the_interpreter_is_switched_off_and_named(tones, monkeypatch):
    from wganx_tones import watch

    def leave(run, hook, **facts):
        raise SystemExit(3)

    monkeypatch.setattr(watch, "_write", leave)
    run = wganx.train("tones", out="run", device="cpu", overrides=SMALL, extensions=["tones-watch"])
    assert run.folder.facts()["status"] == "finished"
    (note,) = [note for note in run.folder.facts()["notes"] if "switched off" in note]
    assert "wganx_tones.watch) failed in wganx_run_started: SystemExit: 3" in note
