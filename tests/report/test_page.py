"""The page as a parser sees it: no browser, so it runs everywhere."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wganx.errors import DataError, WganxError
from wganx.lock import locked
from wganx.report import write_report

MakeRun = Callable[..., Path]
AddSounds = Callable[..., None]
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}</script></style><!--'
VOID = {"meta", "img", "input"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""
    inside: tuple[str, ...] = ()


@dataclass
class Page(HTMLParser):
    """Every element of the page with its own text, and the document's errors of nesting."""

    elements: list[Element] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, inside=tuple(e.tag for e in self._open))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            self.unbalanced.append(tag)
        else:
            closed = self._open.pop()
            if self._open and tag not in ("script", "style"):
                self._open[-1].text += closed.text

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open[-1].text += data

    def all(self, *tags: str) -> list[Element]:
        return [element for element in self.elements if element.tag in tags]

    def by_class(self, name: str) -> list[Element]:
        return [element for element in self.elements if name in element.attributes.get("class", "").split()]

    def one(self, identity: str) -> Element:
        (element,) = (e for e in self.elements if e.attributes.get("id") == identity)
        return element


def parse(folder: Path) -> Page:
    page = Page()
    page.feed(write_report(folder).read_text(encoding="utf-8"))
    page.close()
    assert not page._open
    return page


def faults(page: Page) -> list[str]:
    """What no page of ours may have: each entry names one fault."""
    found = [f"unbalanced </{tag}>" for tag in page.unbalanced]
    scripts, styles = page.all("script"), page.all("style")
    (policy,) = [e.attributes["content"] for e in page.all("meta") if "http-equiv" in e.attributes]
    for kind, elements in (("script-src", scripts), ("style-src", styles)):
        if len(elements) != 1:
            found.append(f"{len(elements)} elements for {kind}")
        for element in elements:
            digest = base64.b64encode(hashlib.sha256(element.text.encode("utf-8")).digest()).decode()
            if f"{kind} 'sha256-{digest}'" not in policy:
                found.append(f"hash of {kind}")
    if not policy.startswith("default-src 'none'; base-uri 'none'; form-action 'none';"):
        found.append("policy")
    for element in page.elements:
        for name, value in element.attributes.items():
            if name == "style" or name.startswith("on"):
                found.append(f"attribute {name}")
            if name in ("src", "href", "srcset", "action", "data", "poster", "xlink:href") and not re.match(
                r"data:(image/(webp|gif)|audio/(wav|flac|ogg|mpeg)|video/(mp4|webm));base64,|#[a-z]|\./", value
            ):
                found.append(f"reference {value}")
    if re.search(r"url\(|@import|https?:|//[a-z]", styles[0].text):
        found.append("reference in the style")
    identities = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    found += [f"id {identity} twice" for identity in set(identities) if identities.count(identity) > 1]
    for element in page.elements:
        attributes = element.attributes
        for name in ("aria-labelledby", "for"):
            if name in attributes and attributes[name] not in identities:
                found.append(f"{name} to nowhere")
        if attributes.get("href", "").startswith("#") and attributes["href"][1:] not in identities:
            found.append("link to nowhere")
    found += [
        f"alt {e.attributes.get('alt')}"
        for e in page.all("img")
        if not re.search("(?i)step|real", e.attributes.get("alt", ""))
    ]
    found += [
        "player without a label"
        for e in page.all("audio", "video")
        if not re.search("step [0-9]|held out", e.attributes.get("aria-label", "")) or "controls" not in e.attributes
    ]
    if page.all("audio", "video") and "; media-src data:;" not in policy:
        found.append("policy for players")
    labelled = {e.attributes["for"] for e in page.all("label") if "for" in e.attributes}
    found += [
        "control without label"
        for e in page.all("input")
        if "label" not in e.inside and e.attributes.get("id") not in labelled
    ]
    found += [
        "button without name" for e in page.all("button") if not e.text.strip() or e.attributes.get("type") != "button"
    ]
    for drawing in page.all("svg"):
        if not drawing.attributes.get("aria-label") and drawing.attributes.get("aria-hidden") != "true":
            found.append("unnamed drawing")
    levels = [int(e.tag[1]) for e in page.elements if re.fullmatch("h[1-6]", e.tag)]
    if levels.count(1) != 1 or levels[0] != 1 or any(b > a + 1 for a, b in pairwise(levels)):
        found.append(f"headings {levels}")
    if page.all("html")[0].attributes.get("lang") != "en" or not page.all("title")[0].text:
        found.append("language or title")
    return found


def text_of(page: Page) -> str:
    return " ".join(page.all("html")[0].text.split())


def test_a_whole_page_is_well_formed_sealed_and_labelled(make_run: MakeRun) -> None:
    page = parse(make_run())
    assert faults(page) == []
    assert len(page.all("h1")) == 1
    assert "20261122-143000-image-digits" in page.all("h1")[0].text


def test_the_checker_finds_what_it_should() -> None:
    page = Page()
    page.feed(
        '<html><head><meta http-equiv="x" content="y"><style>a{}</style><script>1</script></head><body id="a">'
        '<h1>x</h1><h3 id="a" style="x" onclick="y">z</h3><i id="a"></i><img src="https://x/y.png" alt="Image">'
        '<input type="range"><button></button><svg></svg><audio></audio><a href="#gone"></a></b></body></html>'
    )
    found = " | ".join(faults(page))
    for fault in ("unbalanced", "hash of script", "policy", "attribute style", "attribute onclick", "reference https",
                  "id a twice", "link to nowhere", "alt Image",
                  "player without", "policy for players", "control without", "button without", "unnamed",
                  "headings", "language"):  # fmt: skip
        assert fault in found


def test_the_same_folder_gives_the_same_bytes(make_run: MakeRun) -> None:
    folder = make_run()
    first = write_report(folder)
    assert first == folder / "report.html"
    before = first.read_bytes()
    assert write_report(folder).read_bytes() == before
    assert not list(folder.glob("*.part"))


def test_the_header_tells_the_run_at_a_glance(make_run: MakeRun) -> None:
    page = parse(make_run())
    header = page.all("header")[0].text
    for words in ("image", "digits", "generate", "finished", "600", "1 min 15 s", "cpu"):
        assert words in header
    assert "nothing stood out" in page.one("health").text


def test_what_a_modality_has_to_say_of_its_samples_is_said_beside_them(make_run: MakeRun) -> None:
    folder = make_run()
    facts = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(facts | {"notice": f"Made up. {HOSTILE}"}))
    page = parse(folder)
    assert faults(page) == []
    (said,) = [element for element in page.by_class("about") if element.text == f"Made up. {HOSTILE}"]
    assert said.inside[-1] == "section"


def test_only_the_latest_picture_is_visible_without_a_script(make_run: MakeRun) -> None:
    page = parse(make_run())
    slides = page.by_class("slide")
    assert ["hidden" in slide.attributes for slide in slides] == [True] * 5 + [False]
    assert [image.attributes["alt"] for image in page.all("img")][-1] == "Preview of 16 generated samples at step 600"
    slider = next(
        e for e in page.all("input") if "player" not in e.inside and e.attributes["aria-valuetext"] == "step 600"
    )
    assert (slider.attributes["min"], slider.attributes["max"], slider.attributes["value"]) == ("0", "5", "5")
    # What a script must drive is out of sight until the script is there.
    assert all("hidden" in e.attributes for e in page.elements if "data-scripted" in e.attributes)


def test_a_preview_of_step_0_is_shown_as_any_other(make_run: MakeRun) -> None:
    folder = make_run(previews=2)
    (folder / "samples" / "step-000100.png").rename(folder / "samples" / "step-000000.png")
    page = parse(folder)
    assert faults(page) == []
    assert [(e.attributes["id"], e.attributes["data-label"]) for e in page.by_class("slide")] == [
        ("step-0", "step 0"), ("step-200", "step 200"),
    ]  # fmt: skip
    assert page.all("img")[0].attributes["alt"] == "Preview of 16 generated samples at step 0"


def test_captions_read_the_curves_near_the_picture(make_run: MakeRun) -> None:
    (caption,) = [e.text for e in parse(make_run(previews=1)).all("figcaption") if "Step 100" in e.text]
    raw = 4 * math.exp(-10 / 12) + 0.5  # what the fixture logs at step 100
    assert f"W₁ corrected {5 * (math.sqrt(1 + 0.4 * raw) - 1):.4g}, W₁ raw {raw:.4g}, gradient norm 1.02" in caption


def test_curves_share_one_chart_for_both_readings_and_words_for_what_never_moves(make_run: MakeRun) -> None:
    page = parse(make_run())
    charts = [e.text for e in page.all("h3")]
    assert charts == [
        "Distance to the data, as the critic reads it", "Gradient norm of the critic", "Penalty", "Critic loss",
        "evaluate/high_quality", "extra/transport_cost", "Generator loss",
    ]  # fmt: skip
    lines = [e.attributes["data-line"] for e in page.by_class("raw")]
    assert lines[:3] == ["raw", "corrected", "gradient_norm"]
    assert "lr 0.0001" in " ".join(page.by_class("unchanged")[0].text.split())
    assert "its target, 1" in page.one("curves").text
    first = page.all("svg")[0].attributes["aria-label"]
    assert "raw from 4.18 at step 10 to 0.527 at step 600, lowest 0.527, highest 4.18" in first


def test_a_gap_that_is_no_distance_is_not_called_one(make_run: MakeRun) -> None:
    lines = [json.dumps({"step": step, "penalty": step, "score_gap": step}) for step in range(9)]
    page = parse(make_run(metrics=lines))
    assert [e.text for e in page.all("h3")] == ["Score gap", "Penalty"]
    assert "no distance here" in page.one("curves").text


def test_a_raw_reading_alone_is_not_said_to_be_corrected(make_run: MakeRun) -> None:
    page = parse(make_run(metrics=[json.dumps({"step": step, "w1_raw": step}) for step in range(9)]))
    assert "Wasserstein-1 on the training batches, uncorrected" in page.one("curves").text
    assert "The corrected one" not in page.one("curves").text


def test_the_numbers_behind_the_curves_are_a_table_of_twenty_rows(make_run: MakeRun) -> None:
    page = parse(make_run())
    rows = [e for e in page.all("tr") if "details" in e.inside]
    assert len(rows) == 21
    assert rows[-1].text.startswith("6000.5270.50")  # step 600, raw 0.527, corrected
    assert page.all("details")[0].attributes.get("open") is None


def test_the_metrics_stand_between_floor_and_baselines(make_run: MakeRun) -> None:
    metrics = parse(make_run()).one("metrics").text
    for words in (
        "high_quality",
        "modes",
        "↑ higher",
        "0.98",
        "0.875",
        "0.125",
        "gaussian",
        "samples 1,000",
        "step 600",
    ):
        assert words in metrics


def test_the_configuration_marks_what_differs_and_where_it_came_from(make_run: MakeRun) -> None:
    page = parse(make_run())
    (own,) = page.by_class("own")
    assert own.text == "constraint.weight5.0--set constraint.weight=5"
    assert len(page.by_class("default")) == 7
    assert page.all("tr").index(own) < page.all("tr").index(page.by_class("default")[0]), "what differs comes first"
    assert "1 of 8 settings differs from scenario digits; 0 come from it" in page.one("configuration").text
    assert page.one("only-differences").attributes["type"] == "checkbox"


def test_the_origin_of_a_section_holds_for_its_settings(make_run: MakeRun) -> None:
    page = parse(make_run(facts={"origins": {"train": "scenario digits"}}))
    assert [e.text for e in page.by_class("scenario")] == [
        "train.batch_size64scenario digits", "train.steps600scenario digits",
    ]  # fmt: skip
    assert "None of 8 settings differs from the scenario; 2 come from it" in page.one("configuration").text
    assert not [e for e in page.all("input") if e.attributes.get("id") == "only-differences"]


def test_what_differs_shows_what_it_stands_in_place_of(make_run: MakeRun) -> None:
    origins = {"constraint.weight": "--set constraint.weight=5", "seed": "--seed", "train": "scenario 'digits' of ..."}
    page = parse(make_run(facts={"origins": origins, "instead": {"constraint.weight": 10.0, "seed": 3}}))
    (own,) = page.by_class("own")
    assert " ".join(own.text.split()) == "constraint.weight10.0 → 5.0--set constraint.weight=5"
    assert [e.text for e in page.all("del")] == ["10.0"]
    assert faults(page) == []


@pytest.mark.parametrize(
    ("instead", "own"),
    [
        ({"train.steps": 1800}, ["train.steps1800 → 600config.yaml:12"]),
        ({}, []),
        ({"constraint.name": "clip"},
         ["constraint.nameclip → gradient-penaltyc.yaml:7", "constraint.weight5.0c.yaml:7"]),
    ],
)  # fmt: skip
def test_what_a_whole_configuration_repeats_is_no_difference(
    make_run: MakeRun, instead: dict[str, object], own: list[str]
) -> None:
    """Of another part than the scenario's no option has a counterpart there: all are differences."""
    origins = {"constraint": "c.yaml:7", "seed": "config.yaml:4", "train": "config.yaml:12"}
    page = parse(make_run(facts={"origins": origins, "instead": instead}))
    assert [" ".join(row.text.split()) for row in page.by_class("own")] == own


def test_reproduce_and_environment(make_run: MakeRun) -> None:
    page = parse(make_run())
    assert page.one("command").text == "wganx train --config config.yaml"
    assert "wganx train --plugin image --set constraint.weight=5" in page.one("reproduce").text
    for words in ("3.11.2", "2.11.0", "a1b2c3", "1,437", "resident: 368 kB on cpu", "12,345", "plugin API 1"):
        assert words in page.one("environment").text


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        ({"status": "failed", "step": 40, "steps": 600, "error": "generator loss is not finite"}, "bad",
         "The run failed at step 40 of 600: generator loss is not finite"),
        ({"status": "interrupted", "step": 40, "steps": 600}, "warn", "interrupted at step 40 of 600"),
        ({"status": "interrupted", "step": 40}, "warn", "wganx resume ."),
        ({"status": "running", "step": 40, "steps": 600}, "warn", "interrupted at step 40 of 600: it ended without a "
         "word, as when a process is killed"),
        ({"status": "finished", "notes": ["rolled back at step 30"]}, "warn", "rolled back at step 30"),
    ],
)  # fmt: skip
def test_health_heads_the_page(make_run: MakeRun, facts: dict[str, object], level: str, words: str) -> None:
    page = parse(make_run(facts=facts))
    (note,) = page.by_class(level)
    assert words in note.text
    assert note.inside[-1] == "ul"
    assert text_of(page).index(words) < text_of(page).index("Distance to the data")


def test_findings_are_told_with_their_steps_and_the_mend(make_run: MakeRun) -> None:
    def line(step: int, code: str, text: str | None, level: str = "warn") -> str:
        return json.dumps({"step": step, "health": {"code": code, "level": level, "text": text, "mend": "do this"}})

    lines = [
        line(100, "WX011", "the reading is negative"),
        line(300, "WX011", None),
        line(1200, "WX020", "the critic explodes", "bad"),
        line(400, "WX012", "the reading shrinks", "info"),
        json.dumps({"step": 500, "health": "torn"}),
    ]
    text = parse(make_run(metrics=lines)).one("health").text
    assert "WX011. From step 100 to 300: the reading is negative. Do this." in text
    assert "WX020. From step 1,200 on: the critic explodes. Do this." in text
    assert "WX012. The reading shrinks. Do this." in text
    assert text.index("WX020") < text.index("WX011") < text.index("WX012"), "the gravest first"


def test_the_time_is_split(make_run: MakeRun) -> None:
    folder = make_run()
    lines = [{"step": 1, "time/critic": 0.7, "time/data": 0.3}, {"step": 2, "time/critic": 0.9, "time/data": 0.1}]
    (folder / "timings.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert "critic 80%, data 20%" in parse(folder).one("environment").text


def test_readings_share_charts_and_what_checks_look_at_is_not_drawn(make_run: MakeRun) -> None:
    names = ("w1_raw", "w1_heldout", "w1_corrected", "gradient_norm_real", "gradient_norm_fake", "vital/spread_real")
    lines = [json.dumps({"step": step, **{name: float(step) for name in names}}) for step in range(9)]
    text = parse(make_run(metrics=lines)).one("curves").text
    assert "held out" in text
    assert "vital" not in text
    assert text.count("Distance to the data, as the critic reads it") == 1


def test_readings_that_are_not_finite_are_flagged_and_marked(make_run: MakeRun) -> None:
    lines = [f'{{"step": {step}, "penalty": {"NaN" if step in (4, 5) else step}}}' for step in range(9)]
    page = parse(make_run(metrics=lines))
    assert "penalty was not finite at 2 readings, first at step 4." in page.one("health").text
    assert [e.attributes["x1"] for e in page.by_class("gap")] == ["4", "5"]


def test_a_bare_folder_gives_a_page_that_says_what_is_not_there(make_run: MakeRun) -> None:
    page = parse(make_run(facts=None, metrics=None, evaluation=None, previews=0))
    assert faults(page) == []
    empty = [" ".join(e.text.split()) for e in page.by_class("empty")]
    assert len(empty) == 4
    for start, words in zip(("No picture", "No curves", "Not evaluated", "Unknown"), empty):
        assert words.startswith(start)
    assert "run.json is missing" in page.one("health").text
    assert page.by_class("status")[0].text == "unknown"


def test_a_run_that_has_just_started_says_so(make_run: MakeRun) -> None:
    folder = make_run(facts={"status": "running", "step": 0, "steps": 9}, metrics=[], evaluation=None, previews=0)
    with locked(folder):
        page = parse(folder)
    assert faults(page) == []
    (note,) = page.by_class("info")
    assert "The run was at step 0 of 9 when this page was written, and going on." in note.text
    assert "the run has not reached its first preview" in page.one("samples").text


def test_a_run_that_goes_on_is_told_by_its_newest_records(make_run: MakeRun) -> None:
    """run.json is as old as the last checkpoint; nobody who follows a run believes that it stands still."""
    lines = [json.dumps({"step": step, "penalty": 0.5}) for step in (10, 290)]
    folder = make_run(facts={"status": "running", "step": 0, "steps": 900, "seconds": 0.5}, metrics=lines)
    (folder / "timings.jsonl").write_text('{"step": 290, "seconds": 125.0}\n', encoding="utf-8")
    with locked(folder):
        going_on = text_of(parse(folder))
    assert "290 of 900" in going_on
    assert "2 min 5 s" in going_on
    cut_off = text_of(parse(folder))
    assert "interrupted at step 0 of 900" in cut_off, "which is where it goes on from"


def test_one_reading_is_told_in_words(make_run: MakeRun) -> None:
    page = parse(make_run(metrics=['{"step": 5, "penalty": 0.25}'], previews=1))
    assert faults(page) == []
    assert "penalty 0.25" in " ".join(page.by_class("unchanged")[0].text.split())


def test_names_of_strangers_stay_text(make_run: MakeRun) -> None:
    facts = {
        **dict.fromkeys(("plugin", "scenario", "task", "error", "command", "device", "started", "seed"), HOSTILE),
        "status": "failed", "notes": [HOSTILE], "origins": {HOSTILE: HOSTILE}, "versions": {HOSTILE: HOSTILE},
        "data": {"feed": HOSTILE}, "plugins": [{"name": HOSTILE, "version": HOSTILE}], "parameters": {HOSTILE: 3},
    }  # fmt: skip
    rows = [{"metric": HOSTILE, "value": HOSTILE, "better": HOSTILE, "generated": 1, "floor": 2,
             "baselines": {HOSTILE: 3}}]  # fmt: skip
    folder = make_run(
        facts=facts,
        config={HOSTILE: HOSTILE, "section": {HOSTILE: [HOSTILE]}},
        metrics=[json.dumps({"step": step, HOSTILE: step, "c" + HOSTILE: 1}) for step in range(60)],
        evaluation={
            "rows": rows,
            "n": HOSTILE,
            "skipped": {HOSTILE: HOSTILE},
            "failures": {HOSTILE: HOSTILE},
            "protocol": {HOSTILE: HOSTILE},
            "per_class": {HOSTILE: {HOSTILE: 1}},
        },
    )
    for step in (1, 2):
        (folder / "evaluations").mkdir(exist_ok=True)
        (folder / "evaluations" / f"step-{step}.json").write_text(json.dumps({"rows": rows}), encoding="utf-8")
    (folder / "javascript: alert(1) & 'x'.txt").write_text("", encoding="utf-8")
    page = parse(folder)
    assert faults(page) == []
    assert len(page.all("img")) == 6
    assert "{{ 7*7 }}" in text_of(page)
    for section in ("health", "curves", "metrics", "configuration", "reproduce", "environment"):
        assert HOSTILE in page.one(section).text


@pytest.mark.parametrize("value", [None, [], {}, "text", 3, True, [None, 3, {"a": []}], {"a": {"b": [1]}}])
def test_facts_of_any_shape_make_a_page(make_run: MakeRun, value: object) -> None:
    keys = ("plugin", "status", "step", "steps", "seed", "seconds", "error", "versions", "data", "plugins", "notes",
            "command", "origins", "parameters", "task", "done", "spent", "instead")  # fmt: skip
    told = dict.fromkeys(("rows", "n", "seed", "extractors", "failures", "heldout", "fingerprint", "skipped",
                          "protocol", "per_class", "neighbours"), value)  # fmt: skip
    page = parse(make_run(facts=dict.fromkeys(keys, value), evaluation=told))
    assert faults(page) == []
    folder = make_run(
        "other",
        facts={"done": dict.fromkeys(("capture", "micro_batch", "fallbacks"), value), "spent": {"critic": value}},
        evaluation={
            "rows": [dict.fromkeys(("metric", "generated", "interval", "excess", "floor", "n", "extractor"), value)],
            "neighbours": {"generated": value, "training": value},
            "per_class": {"a": value, "b": {"c": value}},
        },
    )
    assert faults(parse(folder)) == []


def test_a_configuration_that_holds_itself_does_not_hang_the_page(make_run: MakeRun) -> None:
    page = parse(make_run(config="a: &a\n  b: *a\nc: &c [*c]\n"))
    assert faults(page) == []


def test_no_home_folder_is_shown(make_run: MakeRun) -> None:
    folder = make_run(
        config={"dataset": {"root": "/home/alice/photos"}}, facts={"command": "wganx --data /Users/alice/p"}
    )
    html = write_report(folder).read_text(encoding="utf-8")
    assert "alice" not in html
    assert "~/photos" in html
    assert str(folder.parent) not in html


def test_a_page_of_much_of_everything_stays_under_eight_megabytes(make_run: MakeRun) -> None:
    names = [f"extra/loss-{index}" for index in range(30)]
    lines = [json.dumps({"step": step, **{name: hash_noise(step, name) for name in names}}) for step in range(3_000)]
    rows = [
        {"metric": "m", "value": f"v{i}", "generated": i, "baselines": {f"b{j}": j for j in range(30)}}
        for i in range(500)
    ]
    folder = make_run(
        facts={"status": "failed", "error": "x" * 10**6, "notes": ["n" * 10**4] * 500},
        config={f"section-{index}": "v" * 2_000 for index in range(450)},
        metrics=lines,
        evaluation={"rows": rows},
    )
    page = parse(folder)
    assert faults(page) == []
    assert (folder / "report.html").stat().st_size <= 8_000_000
    assert "12 more curves are not drawn here" in page.one("curves").text
    assert "Left out here: 300 rows, 22 baselines" in page.one("metrics").text


def test_a_page_of_pictures_sounds_and_much_else_stays_under_eight_megabytes(make_run: MakeRun) -> None:
    folder = make_run(
        facts={"status": "failed", "error": "x" * 10**6, "notes": ["n" * 10**4] * 500},
        config={f"section-{index}": "v" * 2_000 for index in range(450)},
        previews=0,
    )
    samples = folder / "samples"
    pixels = np.random.default_rng(0).integers(0, 256, (500, 500, 3), dtype=np.uint8)
    for step in (*range(100, 1300, 100), None):
        stem = "real" if step is None else f"step-{step:06d}"
        Image.fromarray(np.roll(pixels, step or 0)).save(samples / f"{stem}.png")
        for index in range(18):
            (samples / f"{stem}-{index:04d}.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(100_000))
    for frame in range(9):
        Image.fromarray(np.roll(pixels, frame)).save(samples / f"walk-001200-{frame:02d}.png")
        write = (samples / f"walk-001200-{frame:02d}-0000.mp4").write_bytes
        write(b"\x00\x00\x00\x18ftypmp42" + bytes(100_000))
    page = parse(folder)
    assert faults(page) == []
    assert 6_000_000 < (folder / "report.html").stat().st_size <= 8_000_000
    assert "more pictures and sounds of the walk lie in samples/" in text_of(page)
    latest = [e for e in page.all("video") if "at step 1,200" in e.attributes["aria-label"]]
    real = [e for e in page.all("video") if "held out" in e.attributes["aria-label"]]
    assert 8 <= len(real) <= len(latest) <= 16
    words = text_of(page)
    of_steps = [e for e in page.all("video") if "of the way" not in e.attributes["aria-label"]]
    assert f"{len(of_steps)} of 234 sounds and clips are embedded, to keep this page small" in words
    assert f"{18 - len(latest)} more sounds and clips of this step are not embedded" in words
    assert "of 12 previews are embedded, evenly spread" in words


def test_sounds_over_their_budget_are_compressed_and_the_page_says_so(make_run: MakeRun, add_sounds: AddSounds) -> None:
    folder = make_run(previews=2)
    noise = np.random.default_rng(0).integers(-9_000, 9_000, 90_000, dtype=np.int16).tobytes()
    for stem in ("step-000100", "step-000200"):
        add_sounds(folder, stem, 6, content=noise)
    page = parse(folder)
    assert faults(page) == []
    assert len(page.all("audio")) == 12
    assert all(e.attributes["src"].startswith("data:audio/mpeg;") for e in page.all("audio"))
    assert "12 sounds are compressed here; the originals lie in samples/." in text_of(page)
    assert (folder / "report.html").stat().st_size < 2_000_000


def hash_noise(step: int, name: str) -> float:
    return int.from_bytes(hashlib.blake2b(f"{step}{name}".encode(), digest_size=4).digest()) / 2**32


def test_a_place_that_cannot_be_written_is_named(make_run: MakeRun) -> None:
    folder = make_run()
    (folder / "report.html").mkdir()
    with pytest.raises(
        WganxError, match=r"cannot write .*report\.html: .*; free the place or make the folder writable"
    ):
        write_report(folder)
    with pytest.raises(DataError):
        write_report(folder / "nothing")


def test_the_report_needs_no_torch(make_run: MakeRun) -> None:
    code = (
        "import sys; from pathlib import Path; from wganx.report import write_report; "
        "write_report(Path(sys.argv[1])); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(make_run())], check=True, timeout=60)


def test_a_run_of_pictures_alone_has_no_trace_of_players(make_run: MakeRun) -> None:
    html = write_report(make_run()).read_text(encoding="utf-8")
    for word in ("media-src", "<audio", "<video", 'class="real"', "new Audio", "canvas"):
        assert word not in html


def test_real_samples_stand_beside_the_generated_ones(make_run: MakeRun) -> None:
    folder = make_run(previews=2)
    Image.new("L", (40, 40), 90).save(folder / "samples" / "real.png")
    page = parse(folder)
    assert faults(page) == []
    assert [e.attributes["alt"] for e in page.all("img")][-1] == "Preview of real samples, held out"
    assert "Real, held out" in page.one("samples").text
    assert len(page.by_class("slide")) == 2
    assert not page.by_class("media")


def test_a_run_before_its_first_preview_shows_the_real_samples(make_run: MakeRun, add_sounds: AddSounds) -> None:
    folder = make_run(facts={"status": "running", "step": 3, "steps": 9}, previews=0)
    Image.new("L", (40, 40), 90).save(folder / "samples" / "real.png")
    add_sounds(folder, "real", 2)
    with locked(folder):
        page = parse(folder)
    assert faults(page) == []
    assert "the run has not reached its first preview" in page.one("samples").text
    assert len(page.all("audio")) == 2
    assert len(page.all("img")) == 1


def test_every_step_brings_its_sounds_and_each_has_a_label(make_run: MakeRun, add_sounds: AddSounds) -> None:
    folder = make_run(previews=2)
    for stem, count in (("step-000100", 2), ("step-000200", 2), ("real", 1)):
        add_sounds(folder, stem, count)
    page = parse(folder)
    assert faults(page) == []
    assert [(e.attributes["aria-label"], e.attributes["preload"]) for e in page.all("audio")] == [
        ("Sample 1 at step 100", "none"), ("Sample 2 at step 100", "none"), ("Sample 1 at step 200", "none"),
        ("Sample 2 at step 200", "none"), ("Real sample 1, held out", "none"),
    ]  # fmt: skip
    assert ["hidden" in slide.attributes for slide in page.by_class("slide")] == [True, False]
    assert "left out" not in page.one("samples").text
    assert "not embedded" not in page.one("samples").text
    assert page.by_class("past")[0].attributes["href"] == "#curves"
    buttons = page.by_class("sound")
    assert [e.attributes["aria-label"] for e in buttons][::4] == [
        "Play sample 1 at step 100",
        "Play real sample 1, held out",
    ]
    assert all("hidden" in e.attributes for e in buttons), "until the script is there"
    assert page.by_class("time")[0].text == "0.05 s"


def test_sounds_without_a_picture_have_the_player_too(make_run: MakeRun, add_sounds: AddSounds) -> None:
    folder = make_run(previews=0)
    for step in (100, 200, 300):
        add_sounds(folder, f"step-{step:06d}", 1)
    page = parse(folder)
    assert faults(page) == []
    assert [e.attributes["data-label"] for e in page.by_class("slide")] == ["step 100", "step 200", "step 300"]
    assert not page.all("img")
    assert not [e for e in page.by_class("empty") if "No picture" in e.text]
    (slider,) = [e for e in page.all("input") if e.attributes.get("aria-valuetext") == "step 300"]
    assert slider.attributes["max"] == "2"


def test_clips_get_the_player_of_their_kind(make_run: MakeRun) -> None:
    folder = make_run(previews=1)
    samples = folder / "samples"
    frames = [Image.new("RGB", (16, 16), (shade, 0, 0)) for shade in (0, 255)]
    frames[0].save(samples / "step-000100-0000.gif", save_all=True, append_images=frames[1:], duration=80)
    frames[0].save(samples / "step-000100-0001.webp")
    (samples / "step-000100-0002.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(64))
    (samples / "step-000100-0003.webm").write_bytes(b"\x1aE\xdf\xa3B\x82\x84webm" + bytes(64))
    page = parse(folder)
    assert faults(page) == []
    assert [e.attributes["alt"] for e in page.all("img")[1:]] == [
        "Sample 1 at step 100: 2 frames in rows", "Sample 2 at step 100",
    ]  # fmt: skip
    strip = page.all("img")[1].attributes
    told = ("data-frames", "data-columns", "data-milliseconds", "data-width")
    assert [strip[name] for name in told] == ["2", "2", "80", "160"]
    assert [e.attributes["aria-label"] for e in page.all("video")] == ["Sample 3 at step 100", "Sample 4 at step 100"]
    for clip in page.all("video"):
        assert {"controls", "loop", "muted", "playsinline"} <= set(clip.attributes)
    assert "hidden" in page.by_class("clips")[0].attributes, "until the script is there"


def test_what_only_calls_itself_a_sound_is_named_and_left_out(make_run: MakeRun, add_sounds: AddSounds) -> None:
    folder = make_run(previews=1)
    add_sounds(folder, "step-000100", 3)
    (folder / "samples" / "step-000100-0000.wav").write_text("<!doctype html><script>alert(1)</script>")
    (folder / "samples" / "step-000100-0001.wav").write_bytes(b"")
    page = parse(folder)
    assert faults(page) == []
    assert [e.attributes["aria-label"] for e in page.all("audio")] == ["Sample 3 at step 100"]
    health = page.one("health").text
    assert "samples/step-000100-0000.wav is left out: no sound or clip by what is in it." in health
    assert "samples/step-000100-0001.wav is left out: nothing in it." in health


def test_names_of_hostile_files_stay_text(make_run: MakeRun, add_sounds: AddSounds) -> None:
    folder = make_run(previews=1)
    add_sounds(folder, "step-000100", 1)
    sound = (folder / "samples" / "step-000100-0000.wav").read_bytes()
    hostile = '"><script>alert(1)<\N{DIVISION SLASH}script><img src=x onerror=alert(2)>{{ 7*7 }}'
    for name in (hostile, "a\nb", "\udcff", "x" * 200):
        (folder / "samples" / f"step-000100-{name}.wav").write_bytes(sound)
        (folder / "samples" / f"real-{name}.wav").write_bytes(b"<script>alert(1)</script>")
    page = parse(folder)
    assert faults(page) == []
    labels = [e.attributes["aria-label"] for e in page.all("audio")]
    assert len(labels) == 5
    assert f"{hostile} at step 100" in labels
    assert "left out: no sound or clip" in page.one("health").text


def test_numbers_come_with_their_intervals_and_protocol(make_run: MakeRun) -> None:
    rows = [
        {"metric": "frechet", "value": "distance", "better": "lower", "generated": 12.1, "interval": [11.8, 12.4],
         "excess": [11.0, 10.7, 11.3], "floor": 1.1, "baselines": {"gaussian": 88.0}},
        {"metric": "recall", "value": "recall", "generated": 0.61, "interval": None, "excess": None, "floor": 0.98},
        {"metric": "torn", "value": "torn", "generated": 5, "interval": [1], "excess": "x", "floor": 2},
    ]  # fmt: skip
    evaluation = {
        "step": 600, "n": 10_000, "reference_n": 360, "repeats": 5, "seed": 0, "heldout": "test", "rows": rows,
        "fingerprint": "a1b2c3d4e5f6a7b8", "extractors": {"inception": "0123456789abcdef"},
        "failures": {"pesq": "needs the package pesq"},
    }  # fmt: skip
    page = parse(make_run(evaluation=evaluation))
    assert faults(page) == []
    metrics = " ".join(page.one("metrics").text.split())
    assert (
        "On held-out data: step 600, samples 10,000, held-out samples 360, repeats 5, seed 0, held out test, "
        "data a1b2c3d4e5f6. Features by inception 0123456789ab. In brackets: the 95 % interval." in metrics
    )
    cells = [e.text.replace("\N{EN DASH}", "none") for e in page.all("td") if "number" in e.attributes.get("class", "")]
    assert cells == [
        "1.1", "12.1 [11.8, 12.4]", "11 [10.7, 11.3]", "88", "0.98", "0.61", "none", "none", "2", "5", "none", "none",
    ]  # fmt: skip
    assert "The metric pesq was not measured: needs the package pesq" in page.one("health").text


def test_an_evaluation_without_intervals_looks_as_it_did(make_run: MakeRun) -> None:
    page = parse(make_run())
    heads = [e.text for e in page.all("th") if e.attributes.get("scope") == "col"]
    assert heads[-9:-3] == ["metric", "better", "floor", "this run", "gaussian baseline", "between them"]
    assert "On held-out data: step 600, samples 1,000, seed 0. The floor is" in page.one("metrics").text


def test_a_whole_evaluation_is_told(tmp_path: Path, write_rich_run: Callable[[Path], Path]) -> None:
    page = parse(write_rich_run(tmp_path / "rich"))
    assert faults(page) == []
    metrics = " ".join(page.one("metrics").text.split())
    for words in ("FIDskipped: no weights: give --weights FILE", "pesqfailed: needs the package pesq",
                  "resizebilinear, antialiased", "By class or step", "zero0.7", "one0.35",
                  "The same metrics at 3 checkpoints", "distance (frechet)"):  # fmt: skip
        assert words in metrics
    assert page.by_class("whisker")
    samples = " ".join(page.one("samples").text.split())
    assert (
        "Shown are the nearest of 1,000. The median distance of all is 3.5; that of real held-out samples to the "
        "training data is 3."
    ) in samples
    assert "Distances, in the order of the samples: 3.1, 2.9." in samples
    assert "along a great circle" in samples
    labels = [e.attributes["data-label"] for e in page.by_class("slide")]
    assert labels[6:] == ["0 %", "25 %", "50 %", "75 %", "100 %"]
    assert len(page.all("img")) == 6 + 1 + 3 + 5 + 1 + 2, "steps, real, clips, walk, sliders, neighbours"


def test_samples_nearer_than_real_ones_are_said_to_repeat_the_training_data(
    tmp_path: Path, write_rich_run: Callable[[Path], Path]
) -> None:
    folder = write_rich_run(tmp_path / "rich")
    evaluation = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    told = "Less than half of it, as of a generator that repeats training samples."
    # The nearest of many are near in any case, which says nothing.
    evaluation["neighbours"]["distances"] = [0.1, 0.2]
    (folder / "evaluation.json").write_text(json.dumps(evaluation), encoding="utf-8")
    assert told not in text_of(parse(folder))
    evaluation["neighbours"]["median"] = 1.4
    (folder / "evaluation.json").write_text(json.dumps(evaluation), encoding="utf-8")
    assert told in text_of(parse(folder))


@pytest.mark.parametrize("path", ["../secret.png", "/etc/passwd", "", None, 3, "a\0b", "evaluations", "gone.png"])
def test_neighbours_outside_the_run_are_not_shown(
    tmp_path: Path, write_rich_run: Callable[[Path], Path], path: object
) -> None:
    folder = write_rich_run(tmp_path / "rich")
    Image.new("L", (8, 8), 77).save(tmp_path / "secret.png")
    evaluation = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    evaluation["neighbours"]["training"] = path
    (folder / "evaluation.json").write_text(json.dumps(evaluation), encoding="utf-8")
    page = parse(folder)
    assert faults(page) == []
    assert "Nearest training samples" not in text_of(page)


def test_a_picture_of_neighbours_that_cannot_be_read_is_named(
    tmp_path: Path, write_rich_run: Callable[[Path], Path]
) -> None:
    folder = write_rich_run(tmp_path / "rich")
    (folder / "evaluations" / "nearest-training.png").write_bytes(b"no picture")
    text = text_of(parse(folder))
    assert "evaluations/nearest-training.png is left out: no picture that can be read." in text
    assert "Nearest training samples" not in text


def test_the_environment_tells_what_was_really_done(make_run: MakeRun) -> None:
    done = {"capture": "recorded", "micro_batch": 32, "fallbacks": {"critic": "an operation waits for the device"}}
    facts = {"capture": "planned so", "done": done, "spent": {"data": 0.1, "critic": 0.9, "torn": "x"}}
    environment = parse(make_run(facts=facts)).one("environment").text
    words = "recorded, but the critic's run one operation after another (an operation waits for the device)"
    assert f"Steps{words}; batches in parts of 32" in environment.replace("\n", "")
    assert "critic 90%, data 10%" in environment
    assert "planned so" not in environment


def test_a_run_that_tells_nothing_of_what_was_done_shows_what_was_planned(make_run: MakeRun) -> None:
    assert "planned so" in parse(make_run(facts={"capture": "planned so"})).one("environment").text


def test_a_trivial_solution_that_wins_heads_the_page_and_stands_in_the_table(make_run: MakeRun) -> None:
    row = {
        "metric": "error", "value": "mse", "better": "lower", "generated": 9.0, "floor": 0.0,
        "baselines": {"copy-last": 5.0}, "beaten_by": ["copy-last"],
    }  # fmt: skip
    words = "the baseline copy-last does as well as the generator or better: mse 5 (generated 9)"
    page = parse(make_run(evaluation={"rows": [row], "defeats": [words, {"not": "text"}]}))
    told = [note.text for note in page.by_class("bad")]
    assert any(words[1:] in text for text in told)
    (mark,) = page.by_class("beaten")
    assert mark.text == "no better than copy-last"
