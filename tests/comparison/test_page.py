"""``compare.html`` without a browser: what it shows, and that it is well formed, sealed and labelled."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from wganx.comparison import compare_found
from wganx.errors import WganxError
from wganx.report.comparing import write_comparison
from wganx.report.comparing.samples import draw_gallery
from wganx.report.reading import read_run

LARGEST = 8_000_000


def sibling(name: str) -> ModuleType:
    """A file of the tests of reports: what no page of ours may have is told there, once."""
    path = Path(__file__).parents[1] / "report" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"of_reports_{name}", path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


checks = sibling("test_page")


def page_of(comparison, tmp_path):
    target = write_comparison(comparison, tmp_path / "compare.html")
    text = target.read_text(encoding="utf-8")
    page = checks.Page()
    page.feed(text)
    page.close()
    assert not page._open
    assert len(text) <= LARGEST
    return page


def test_a_whole_page_is_well_formed_sealed_and_labelled(nine_runs, tmp_path):
    page = page_of(compare_found(nine_runs, reach={"w1": 0.6}, out=tmp_path), tmp_path)
    assert checks.faults(page) == []
    assert page.all("title")[0].text == "9 runs of 3 variants · wganx comparison"


def test_the_question_comes_first_and_no_variant_is_set_above_another(nine_runs, tmp_path):
    page = page_of(compare_found(nine_runs, out=tmp_path), tmp_path)
    sections = [each.attributes["id"] for each in page.all("section")]
    assert sections == ["question", "said", "numbers", "differences", "curves", "samples", "cost", "runs"]
    variants = [row.text for row in page.all("th") if row.attributes.get("scope") == "row"]
    asked = ["gradient-penalty", "clip", "lipschitz-penalty"]
    assert [name for name in variants if name in asked][:3] == asked  # as asked, not by their numbers
    text = checks.text_of(page).lower()
    assert "winner" not in text
    assert "best" not in text
    assert not page.all("b", "strong") or all(element.inside[-1] == "span" for element in page.all("b"))


def test_every_seed_is_a_dot_on_an_axis_with_floor_and_ceiling(nine_runs, tmp_path):
    page = page_of(compare_found(nine_runs, metrics=["w1"], out=tmp_path), tmp_path)
    dots = [float(dot.attributes["cx"].rstrip("%")) for dot in page.by_class("seed")]
    assert len(dots) == 9
    lines = {name: {line.attributes["x1"] for line in page.by_class(name)} for name in ("floor", "ceiling")}
    assert lines == {"floor": {"4.0%"}, "ceiling": {"96.0%"}}  # one axis for all rows
    # from the floor 0.1 to the ceiling 2.0, with a margin of 4 % on either side
    assert dots[0] == pytest.approx(4 + 92 * (0.50 - 0.1) / 1.9, abs=0.01)
    assert len(page.by_class("whisker")) == 3
    assert "0.500, 0.520, 0.540" in checks.text_of(page)


def test_a_run_that_failed_is_marked_at_the_worse_end_and_told(make_run, tmp_path):
    runs = [make_run(f"gp-{seed}", seed=seed) for seed in range(3)]
    runs += [make_run("clip-0", "clip", 0), make_run("clip-1", "clip", 1, w1=9.0)]
    runs += [make_run("clip-2", "clip", 2, status="failed", error="WX021 not finite", evaluation=None)]
    page = page_of(compare_found(runs, metrics=["w1", "high_quality"], out=tmp_path), tmp_path)
    assert checks.faults(page) == []
    marks = [mark for mark in page.by_class("failed") if mark.tag == "text"]
    assert [mark.attributes["x"] for mark in marks] == ["98.0%", "98.0%", "2.0%", "2.0%"]
    assert "clip: 2 of 3 runs failed" in checks.text_of(page)
    assert "failed: WX021 not finite" in checks.text_of(page)


def test_curves_are_a_thin_line_a_seed_and_a_bold_median(nine_runs, tmp_path):
    page = page_of(compare_found(nine_runs, metrics=["w1"], out=tmp_path), tmp_path)
    charts = page.by_class("chart")
    titles = [chart.attributes["data-title"] for chart in charts]
    assert titles == ["exact-w1/w1", "Gradient norm of the critic"] * 2  # by updates, and by seconds
    assert len(page.by_class("thin")) == 4 * 9
    named = [path for path in page.all("path") if "data-read" in path.attributes]
    assert len(named) == 4 * 3
    groups = page.by_class("chart-group")
    assert [group.attributes["data-unit"] for group in groups] == ["step", "second"]
    # 100 steps of 10 ms and of 4 ms: the axis of seconds ends with the slower ones
    assert int(groups[1].attributes["data-first"]) + int(groups[1].attributes["data-span"]) == 1000


def test_samples_of_all_runs_are_under_one_slider(nine_runs, tmp_path):
    page = page_of(compare_found(nine_runs, out=tmp_path), tmp_path)
    labels = [slide.attributes["data-label"] for slide in page.by_class("slide")]
    assert labels == ["step 25", "step 50", "step 75", "step 100"]
    pictures = page.all("img")
    assert len(pictures) == 4 * 9
    assert pictures[-1].attributes["alt"] == "Samples of lipschitz-penalty, seed 2, at step 100"


def test_runs_of_other_lengths_are_shown_at_the_same_share(make_run, tmp_path):
    runs = [make_run("a"), make_run("b", "clip")]
    for path in sorted((runs[1] / "samples").glob("*.png"))[2:]:
        path.unlink()
    comparison = compare_found(runs)
    records = {(group.name, 0): read_run(group.outcomes[0].folder) for group in comparison.groups}
    gallery = draw_gallery(comparison.groups, records)
    assert [slide.label for slide in gallery.slides] == [
        "step 25", "50% of the updates of each", "75% of the updates of each", "100% of the updates of each",
    ]  # fmt: skip
    assert [cell.step for _, (cell,) in gallery.slides[-1].rows] == [100, 50]


def test_moments_are_left_out_before_the_page_grows_too_large(nine_runs):
    comparison = compare_found(nine_runs)
    records = {(g.name, one.seed): read_run(one.folder) for g in comparison.groups for one in g.outcomes}
    whole = draw_gallery(comparison.groups, records)
    size = sum(len(c.picture.source) for slide in whole.slides for _, cells in slide.rows for c in cells)
    some = draw_gallery(comparison.groups, records, budget=size // 2 + 10)
    assert [slide.label for slide in some.slides] == ["step 75", "step 100"]
    assert some.left_out == 2
    assert draw_gallery(comparison.groups, records, budget=10).slides == ()


def test_fifteen_runs_with_large_pictures_stay_under_eight_megabytes(make_run, tmp_path):
    runs = []
    for seed in range(5):
        for name in ("gradient-penalty", "clip", "r1"):
            runs.append(make_run(f"{name}-{seed}", name, seed, w1=0.5 + seed / 100))
            pixels = np.random.default_rng(seed).integers(0, 256, (256, 256, 3), dtype=np.uint8)
            for path in (runs[-1] / "samples").glob("*.png"):
                Image.fromarray(pixels).save(path)
            lines = [json.dumps({"step": s, "w1_corrected": s % 97 / seed if seed else 1.0}) for s in range(1, 2001)]
            (runs[-1] / "metrics.jsonl").write_text("\n".join(lines), encoding="utf-8")
    page = page_of(compare_found(runs, out=tmp_path), tmp_path)
    assert checks.faults(page) == []
    assert page.all("img")


def test_strangers_text_stays_text(make_run, tmp_path):
    hostile = "</script><script>window.ran=1</script><img src=x onerror=window.ran=2>"
    runs = [make_run("a"), make_run("b", "clip", status="failed", error=hostile, evaluation=None)]
    page = page_of(compare_found(runs, out=tmp_path), tmp_path)
    assert checks.faults(page) == []
    assert hostile in "".join(cell.text for cell in page.all("td"))


def test_a_comparison_without_a_finished_run_says_so(make_run, tmp_path):
    runs = [make_run(name, name, status="failed", error="broken", evaluation=None) for name in ("clip", "r1")]
    page = page_of(compare_found(runs, out=tmp_path), tmp_path)
    assert checks.faults(page) == []
    assert "No run is finished and measured yet." in checks.text_of(page)


def test_a_place_that_cannot_be_written_is_named(nine_runs, tmp_path):
    with pytest.raises(WganxError, match=r"cannot write .*nowhere.compare\.html: No such file or directory; free"):
        write_comparison(compare_found(nine_runs), tmp_path / "nowhere" / "compare.html")


def test_a_variant_has_one_look_in_every_chart(make_run, tmp_path):
    runs = [make_run("a", seed=0), make_run("b", "clip", 0), make_run("c", "r1", 0)]
    lines = (runs[0] / "metrics.jsonl").read_text(encoding="utf-8").replace("gradient_norm", "other")
    (runs[0] / "metrics.jsonl").write_text(lines, encoding="utf-8")  # the first one has no such reading
    page = page_of(compare_found(runs, out=tmp_path), tmp_path)
    looks = {}
    for path in page.all("path"):
        if "data-read" in path.attributes:
            looks.setdefault(path.attributes["data-line"], set()).add(path.attributes["class"].split()[0])
    assert looks == {"gradient-penalty": {"ink-1"}, "clip": {"ink-2"}, "r1": {"ink-3"}}
