"""The model card, from the records of a run."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pytest

from wganx.plugins import load
from wganx.report import write_report
from wganx.report.card import model_card
from wganx.report.reading import RunRecord


def test_a_card_lies_beside_the_report_with_what_was_measured(make_run):
    folder = make_run()
    facts = json.loads((folder / "run.json").read_text())
    facts["data"] |= {"source": "my own", "licence": "CC0"}
    facts["notice"] = "Ask *before* you use it."
    (folder / "run.json").write_text(json.dumps(facts))
    card = write_report(folder).with_name("MODEL_CARD.md").read_text(encoding="utf-8")
    assert "image / digits / generate" in card
    assert "from my own\n- licence of the data: CC0\n- items: 1,437 to learn from, 360 held out" in card
    assert "At step 600, on 1,000 samples, seed 0" in card
    assert "| high\\_quality | 0.875 | 0.98 | higher |" in card
    assert card.endswith("Ask \\*before\\* you use it.\n")


@pytest.mark.parametrize("plugin", ["image", "audio", "video"])
def test_what_may_show_people_or_let_them_be_heard_says_so(plugin, make_run):
    notice = load([plugin]).modality(plugin).notice
    assert "synthetic" in notice
    assert "consent" in notice
    folder = make_run()
    facts = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(facts | {"notice": notice}))
    card, page = write_report(folder).with_name("MODEL_CARD.md"), folder / "report.html"
    for text in (card, page):
        assert notice in html.unescape(text.read_text(encoding="utf-8"))


def test_what_is_not_recorded_is_unknown_and_nothing_is_made_up(tmp_path):
    card = model_card(RunRecord(tmp_path))
    assert "- licence of the data: unknown" in card
    assert "- items: unknown to learn from, unknown held out" in card
    assert "Nothing yet: `wganx evaluate` measures it." in card


def test_a_plugin_that_is_a_file_goes_by_the_file_s_name(make_run):
    folder = make_run()
    facts = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(facts | {"plugin": "/srv/home/anna/mine.py"}))
    page = write_report(folder)
    for text in (page.with_name("MODEL_CARD.md").read_text(encoding="utf-8"), page.read_text(encoding="utf-8")):
        assert "mine.py" in text
        assert "/srv" not in text


def test_several_blocks_are_not_told_as_one():
    rows = [{"value": "fid", "generated": 3.0}]
    cards = [
        model_card(RunRecord(Path("x"), evaluation={"step": 5, "n": 37, "repeats": repeats, "seed": 0, "rows": rows}))
        for repeats in (4, 1)
    ]
    assert "At step 5, on 4 blocks of 37 samples, seed 0" in cards[0]
    assert "At step 5, on 37 samples, seed 0" in cards[1]


def test_strangers_texts_are_no_markup(tmp_path):
    card = model_card(RunRecord(tmp_path, facts={"status": "x\n# <b>[y](z)"}))
    assert "- status: x \\# \\<b\\>\\[y\\](z)\n" in card
