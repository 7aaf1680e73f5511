"""``compare.html`` in a real browser, as the tests of reports open theirs."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from wganx.comparison import compare_found
from wganx.report.comparing import write_comparison

SPEC = importlib.util.spec_from_file_location(
    "of_reports_test_browser", Path(__file__).parents[1] / "report" / "test_browser.py"
)
browsing = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(browsing)


@pytest.fixture(scope="module")
def report(tmp_path_factory, write_run):
    folder = tmp_path_factory.mktemp("comparison")
    runs = [
        write_run(folder / f"{name}-{seed}", name, seed, w1=w1 + seed / 50)
        for seed in range(3)
        for name, w1 in (("gradient-penalty", 0.5), ("clip", 0.8), ("r1", 0.6))
    ]
    runs.append(write_run(folder / "clip-3", "clip", 3, status="failed", error="WX021", evaluation=None))
    return write_comparison(compare_found(runs, out=folder, reach={"w1": 0.6}), folder / "compare.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_the_page_is_silent(browser, report, scheme):
    with browsing.opened(browser, report, color_scheme=scheme) as page:
        assert browsing.serious(page) == []
        assert page.heard == []


def test_one_slider_moves_the_samples_of_all_runs(browser, report):
    with browsing.opened(browser, report) as page:
        slider = page.get_by_role("group", name="Samples of all runs").locator("input")
        slider.focus()
        shown = page.locator("#player .slide:not([hidden])")
        for key, step in (("Home", "25"), ("ArrowRight", "50"), ("End", "100")):
            page.keyboard.press(key)
            page.wait_for_function(
                "label => document.querySelector('#player .slide:not([hidden])').dataset.label === label",
                arg=f"step {step}",
            )
            assert slider.get_attribute("aria-valuetext") == f"step {step}"
            assert shown.count() == 1
            loaded = "images => images.every((image) => image.complete && image.naturalWidth > 0)"
            assert shown.locator("img").evaluate_all(loaded)
            assert shown.locator("img").count() == 10
        assert page.heard == []


def test_a_phone_shows_it_without_scrolling_aside(browser, report):
    with browsing.opened(browser, report, viewport=browsing.PHONE) as page:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.heard == []


def test_without_scripts_the_numbers_and_the_latest_samples_are_there(browser, report):
    with browsing.opened(browser, report, java_script_enabled=False) as page:
        assert page.locator(".seeds circle.seed").count() == 18
        assert page.locator(".gallery img").first.is_visible()
