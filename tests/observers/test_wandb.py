"""Runs as they lie in Weights & Biases' own file of an offline run, read by its own messages."""

from __future__ import annotations

import json
import struct
import sys
import wave
from importlib.util import find_spec

import pytest
from PIL import Image

import wganx
from wganx.health import HealthCheck

pytestmark = [
    # Not imported here: whether somebody else has is what the helper process goes by.
    pytest.mark.skipif(find_spec("wandb") is None, reason="the extra wandb"),
    pytest.mark.usefixtures("_nothing_stays"),
]


@pytest.fixture(autouse=True)
def _offline(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("WANDB_MODE", "WANDB_PROJECT", "WANDB_DIR", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def records(path):
    """The messages of a ``.wandb`` file: records of LevelDB's log, in parts that end with a block."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, block, at, whole = path.read_bytes(), 32768, 7, b""
    while at + 7 <= len(content):
        if block - at % block < 7:
            at += block - at % block
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + 7])
        whole += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # a whole one, or its last part
            record = Record()
            record.ParseFromString(whole)
            yield record
            whole = b""


class Told:
    def __init__(self, path):
        found = list(records(path))
        self.run = next(record.run for record in found if record.WhichOneof("record_type") == "run")
        self.config = {item.key: json.loads(item.value_json) for item in self.run.config.update}
        self.history = [
            {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
            for record in found
            if record.WhichOneof("record_type") == "history"
        ]
        self.summary = {
            item.key or "/".join(item.nested_key): json.loads(item.value_json)
            for record in found
            if record.WhichOneof("record_type") == "summary"
            for item in record.summary.update
        }
        self.exit = next(record.exit.exit_code for record in found if record.WhichOneof("record_type") == "exit")

    def curve(self, name):
        return [(line["step"], line[name]) for line in self.history if name in line]


def told(tmp_path):
    return [Told(path) for path in sorted(tmp_path.glob("wandb/offline-run-*/run-*.wandb"))]


def test_a_run_is_told_whole_and_trains_as_without(train, tmp_path, capsys):
    plain, watched = train("plain"), train("watched", "wandb")
    assert watched.folder.metrics.read_bytes() == plain.folder.metrics.read_bytes()
    assert watched.folder.facts()["notes"] == plain.folder.facts()["notes"]
    (run,) = told(tmp_path)
    assert (run.run.display_name, run.run.run_group, run.run.project) == ("watched", "watched", "wganx")
    assert run.config["train"]["steps"] == 6
    recorded = [json.loads(line) for line in watched.folder.metrics.read_text().splitlines()]
    assert run.curve("w1_raw") == [(line["step"], line["w1_raw"]) for line in recorded if "w1_raw" in line]
    assert [step for step, _ in run.curve("evaluate/modes/modes")] == [6]
    assert run.curve("samples/_type") == [(3, "image-file"), (6, "image-file")]
    assert len(list(tmp_path.glob("wandb/offline-run-*/files/media/images/*.png"))) == 2
    assert (run.summary["status"], run.exit) == ("finished", 0)
    assert "wandb" not in capsys.readouterr().err


def test_findings_and_a_failure_are_told(train, tmp_path, monkeypatch):
    check = HealthCheck(name="always", summary="x", code="WX900", mend="mend it", inspect=lambda vitals: "it is there")
    monkeypatch.setattr("wganx.plugins.Catalog.health_checks", lambda self, modality: [check])

    class Fails(wganx.Observer):
        def logged(self, step, scalars):
            if step == 4:
                raise wganx.WganxError("on purpose")

    with pytest.raises(wganx.WganxError, match="on purpose"):
        train("run", "wandb", observers=(Fails(),))
    (run,) = told(tmp_path)
    assert (run.summary["status"], run.summary["error"], run.exit) == ("failed", "on purpose", 1)
    assert run.summary["finding/WX900"] == "step 2: WX900 it is there; mend it"


def test_a_run_that_goes_on_is_another_of_its_group_and_going_back_is_told_too(tmp_path):
    import wganx_wandb

    sound, clip, other = (tmp_path / f"step-000003-0001.{kind}" for kind in ("wav", "gif", "xyz"))
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(1600))
    Image.new("L", (8, 8)).save(clip, save_all=True, append_images=[Image.new("L", (8, 8), 9)])
    other.write_bytes(b"?")
    facts = {"folder": tmp_path / "run", "plugin": "points", "scenario": "ring", "device": "cpu", "seed": 0}
    run = wganx.RunInfo(**facts, step=2, config={"seed": 0})
    wganx_wandb.wganx_run_started(run)
    wganx_wandb.wganx_progress(run, 4, {"w1_raw": 4.0})
    wganx_wandb.wganx_rolled_back(run, 2, "not finite")
    wganx_wandb.wganx_progress(run, 3, {"w1_raw": float("nan")})
    wganx_wandb.wganx_samples_written(run, 3, [sound, clip, other])
    wganx_wandb.wganx_run_finished(run, wganx.Outcome(status="interrupted", step=3))
    (found,) = told(tmp_path)
    assert (found.run.display_name, found.run.run_group) == ("run from step 2", "run")
    assert [step for step, _ in found.curve("w1_raw")] == [4, 3]
    assert found.curve("sounds/0001/_type") == [(3, "audio-file")]
    assert found.curve("clips/0001/_type") == [(3, "video-file")]
    assert found.summary["rolled back"] == "to step 2: not finite"
    assert found.exit == 1


def test_what_else_a_script_tracks_is_left_alone(train, tmp_path):
    import wandb

    own = wandb.init(mode="offline", settings=wandb.Settings(silent=True, console="off"))
    try:
        train("run", "wandb")
        own.log({"mine": 1.0})
        assert wandb.run is own
    finally:
        own.finish()
        wandb.teardown()
    assert len(told(tmp_path)) == 2


def test_without_wandb_it_says_what_to_install(train, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    facts = train("run", "wandb").folder.facts()
    assert facts["status"] == "finished"
    assert 'Weights & Biases is not installed: pip install "wganx[wandb]"' in " ".join(facts["notes"])


def test_it_keeps_what_the_kit_asks_of_others(conform):
    conform("wandb")
