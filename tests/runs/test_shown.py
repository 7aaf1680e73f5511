"""A run in a notebook: how it stands, what was read last, and what it makes."""

from __future__ import annotations

import base64
import json

import wganx
from wganx.runs import shown


def test_a_run_shows_where_it_stands_and_its_newest_samples(train):
    run = train()
    html, text = run._repr_html_(), repr(run)
    assert text.startswith(f"Run {run.folder.path}: points / ring\n  status")
    assert "step           12 of 12" in text
    newest = (run.folder.samples / "step-000012.png").read_bytes()
    assert base64.b64encode(newest).decode("ascii") in html
    assert "Samples of step 12" in html
    assert repr(wganx.load_run(run.folder.path)) == text, "from the folder alone"


def test_what_is_amiss_is_said_as_long_as_it_holds(train, monkeypatch):
    run = train(train__steps=2)
    found = {"code": "WX9", "level": "warn", "text": "<b>amiss</b>", "mend": "mend it"}
    with run.folder.metrics.open("a") as file:
        file.write(json.dumps({"step": 2, "health": found}) + "\n")
    assert "WX9 &lt;b&gt;amiss&lt;/b&gt;; mend it" in run._repr_html_()
    with run.folder.metrics.open("a") as file:
        file.write(json.dumps({"step": 4, "health": {**found, "text": None}}) + "\n")
    with run.folder.metrics.open("a") as file:
        file.write('{"step": 6, "w1_raw": 1.25, "gradient_norm": null}\n{"step": 8, "w1_r')
    assert "WX9" not in repr(run)
    assert "1.25" in repr(run), "the last whole line, whatever was cut short"
    monkeypatch.setattr(shown, "LARGEST_PICTURE", 10)
    assert "<img" not in run._repr_html_()


def test_a_folder_with_next_to_nothing_is_shown_too(train):
    run = train(train__steps=2)
    for path in (run.folder.facts_file, run.folder.metrics, run.folder.report):
        path.unlink()
    assert "not begun" in repr(run)
    assert run._repr_html_()


def test_the_result_of_the_training_is_the_run_s(train):
    run = train()
    assert run.result.status == "finished"
    assert run.result.step == 12
    assert wganx.load_run(run.folder.path).result is None
