"""The page in a real browser, where one is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from wganx.report import write_report

PHONE, DESK = {"width": 375, "height": 800}, {"width": 1280, "height": 900}

Open = Callable[..., Any]
Page = Any
"""Of Playwright, which may not be there."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, write_rich_run: Callable[[Path], Path]) -> Path:
    return write_report(write_rich_run(tmp_path_factory.mktemp("run") / "rich"))


@contextmanager
def opened(browser: Any, report: Path, *, anchor: str = "", **options: Any) -> Iterator[Page]:
    """The page in a context of its own; what it said, asked for or threw is in ``page.heard``."""
    options.setdefault("viewport", DESK)
    context = browser.new_context(offline=True, **options)
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.heard = []
    page.on("console", lambda message: page.heard.append(message.text))
    page.on("pageerror", lambda error: page.heard.append(str(error)))
    page.on("dialog", lambda dialog: page.heard.append(dialog.message))
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or page.heard.append(request.url))
    try:
        page.goto(report.as_uri() + anchor)
        yield page
    finally:
        context.close()


def serious(page: Page) -> list[str]:
    """What axe-core finds of impact serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['html'][:200]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_the_page_is_silent(browser: Any, report: Path, scheme: str) -> None:
    with opened(browser, report, color_scheme=scheme) as page:
        page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        page.locator("#only-differences").uncheck()
        assert serious(page) == []
        assert page.heard == []


def test_axe_finds_what_it_should(browser: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text('<html><body><h1>x</h1><img src="data:,"><input><p style="color:#ccc">pale</p></body></html>')
    with opened(browser, broken) as page:
        assert {each.partition(":")[0] for each in serious(page)} >= {"image-alt", "label", "color-contrast"}


def test_a_page_that_was_changed_runs_nothing(browser: Any, report: Path, tmp_path: Path) -> None:
    tampered = tmp_path / "tampered.html"
    tampered.write_text(report.read_text(encoding="utf-8").replace('"use strict";', '"use strict"; ', 1), "utf-8")
    with opened(browser, tampered) as page:
        assert page.heard
        assert all("Content Security Policy" in line for line in page.heard)
        assert page.locator(".stepper").first.is_hidden()


def test_the_policy_refuses_what_is_not_in_the_page(browser: Any, report: Path) -> None:
    with opened(browser, report) as page:
        page.evaluate("""() => {
            const image = "<img src='https://example.org/x.png' onerror='window.ran = 1'>";
            document.body.insertAdjacentHTML("beforeend", image);
            const script = document.createElement("script");
            script.textContent = "window.ran = 2";
            document.body.append(script);
        }""")
        assert page.evaluate("fetch('https://example.org').then(() => 'went', () => 'refused')") == "refused"
        assert page.evaluate("window.ran") is None


def test_the_slider_goes_by_keys_and_says_where_it_is(browser: Any, report: Path) -> None:
    with opened(browser, report) as page:
        slider = page.get_by_role("group", name="Samples during training").locator("input")
        shown = page.locator("#player .slide:not([hidden])")
        slider.focus()
        for key, step in (("Home", "100"), ("ArrowRight", "200"), ("End", "600"), ("ArrowLeft", "500")):
            page.keyboard.press(key)
            page.wait_for_function("id => !document.getElementById(id).hidden", arg=f"step-{step}")
            assert slider.get_attribute("aria-valuetext") == f"step {step}"
            assert shown.count() == 1
            assert shown.locator("img").first.evaluate("image => image.complete && image.naturalWidth > 0")
        assert page.url.endswith("#step-500")
        assert page.heard == []


def test_a_link_leads_to_a_step(browser: Any, report: Path) -> None:
    with opened(browser, report, anchor="#step-300") as page:
        page.wait_for_function("() => !document.getElementById('step-300').hidden")
        assert page.locator("#player .slide:not([hidden])").count() == 1


def test_a_page_that_is_loaded_anew_stays_where_it_was(browser: Any, report: Path) -> None:
    with opened(browser, report) as page:
        slider = page.get_by_role("group", name="Samples during training").locator("input")
        for key, shown, hash in (("ArrowLeft", "step-500", "#step-500"), ("End", "step-600", "")):
            slider.press(key)
            page.wait_for_function("id => !document.getElementById(id).hidden", arg=shown)
            assert page.evaluate("location.hash") == hash
            page.evaluate("scrollTo(0, 0)")
            page.reload()
            page.wait_for_function("id => !document.getElementById(id).hidden", arg=shown)
            assert page.evaluate("scrollY") == 0
        assert page.heard == []


def test_play_goes_on_and_stops_when_the_focus_leaves(browser: Any, report: Path) -> None:
    with opened(browser, report) as page:
        group = page.get_by_role("group", name="Samples during training")
        group.get_by_role("button", name="Play").click()
        page.wait_for_function("() => !document.getElementById('step-200').hidden")
        page.locator("#curves .reader input").focus()
        assert group.get_by_role("button", name="Play").count() == 1


def test_the_walk_begins_at_one_noise(browser: Any, report: Path) -> None:
    with opened(browser, report) as page:
        slider = page.get_by_role("group", name="Walk through the noise").locator("input")
        assert slider.get_attribute("aria-valuetext") == "0 %"
        slider.press("End")
        assert slider.get_attribute("aria-valuetext") == "100 %"


def test_sounds_have_one_button_each_and_one_is_heard_at_a_time(browser: Any, report: Path) -> None:
    with opened(browser, report) as page:
        buttons = page.locator("#player .slide:not([hidden]) .sound, .real .sound")
        assert buttons.count() == 4
        assert page.locator("audio").count() == 0, "one player for all, that is not on the page"
        for index in range(4):
            buttons.nth(index).click()
            page.wait_for_function(
                "() => [...document.querySelectorAll('.playing .place')].some(p => p.getAttribute('x1') > 0)"
            )
            assert page.locator(".sound[aria-pressed=true]").count() == 1
            assert buttons.nth(index).get_attribute("aria-pressed") == "true"
        buttons.nth(3).press("Enter")
        page.wait_for_function("() => !document.querySelector('.sound[aria-pressed=true]')")
        buttons.nth(0).click()
        page.get_by_role("group", name="Samples during training").locator("input").press("Home")
        page.wait_for_function("() => !document.querySelector('.sound[aria-pressed=true]')")
        assert page.heard == []


PIXEL = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 1, 1).data].join()"


def test_clips_step_together_and_move_in_view_alone(browser: Any, report: Path) -> None:
    with opened(browser, report, reduced_motion="reduce") as page:
        clips = page.locator("#player .slide:not([hidden]) canvas, .real canvas")
        page.wait_for_function("() => document.querySelectorAll('canvas').length >= 2")
        assert clips.count() == 2
        controls = page.get_by_role("group", name="Clips")
        controls.scroll_into_view_if_needed()
        first = [clips.nth(index).evaluate(PIXEL) for index in range(2)]
        assert controls.get_by_role("button", name="Play").count() == 1, "nothing moves by itself"
        controls.get_by_role("button", name="One frame on").click()
        second = [clips.nth(index).evaluate(PIXEL) for index in range(2)]
        assert first[0] == first[1] != second[0] == second[1]
        assert controls.locator("input").get_attribute("aria-valuetext") == "frame 2"
    with opened(browser, report) as page:
        page.wait_for_function("() => document.querySelectorAll('canvas').length >= 2")
        page.get_by_role("group", name="Clips").scroll_into_view_if_needed()
        pause = page.get_by_role("group", name="Clips").get_by_role("button", name="Pause")
        pause.click()
        assert page.heard == []


def test_charts_are_read_and_zoomed_by_keys(browser: Any, report: Path) -> None:
    with opened(browser, report) as page:
        chart = page.locator("#curves .plot").first
        told = page.locator("#curves .reader output")
        data = chart.locator("svg.data")
        whole = data.get_attribute("viewBox")
        chart.focus()
        page.keyboard.press("Home")
        assert told.text_content() == (
            "step 10: Distance to the data, as the critic reads it raw 4.18, corrected 3.173"
        )
        page.keyboard.press("ArrowRight")
        assert told.text_content().startswith("step 20:")
        page.keyboard.press("End")
        for _ in range(3):
            page.keyboard.press("+")
        assert data.get_attribute("viewBox") != whole
        others = page.locator("#curves svg.data").nth(1).get_attribute("viewBox").split()
        assert others[:1] + others[2:3] == data.get_attribute("viewBox").split()[::2][:2], "zoom is shared"
        slider = page.locator("#curves .reader input")
        slider.focus()
        page.keyboard.press("Home")
        assert slider.get_attribute("aria-valuetext") == told.text_content().partition(":")[0]
        page.keyboard.press("0")
        assert data.get_attribute("viewBox") == whole
        page.get_by_role("group", name="Reading the curves").get_by_role("button", name="Zoom in").click()
        assert data.get_attribute("viewBox") != whole


def test_charts_are_read_and_zoomed_by_pointer(browser: Any, report: Path) -> None:
    with opened(browser, report) as page:
        chart = page.locator("#curves .plot > svg").first
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
        assert page.locator("#curves .reader output").text_content().startswith("step 2,0")
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 3 / 4, box["y"] + 50)
        page.mouse.up()
        start, _, width, _ = (float(n) for n in chart.locator("svg.data").get_attribute("viewBox").split())
        assert (start, width) == (pytest.approx(1995, abs=12), pytest.approx(998, abs=12))


def test_lines_can_be_hidden_and_scaled_by_logarithm(browser: Any, report: Path) -> None:
    with opened(browser, report) as page:
        chart = page.locator("#curves .chart").first
        button = chart.get_by_role("button", name="raw")
        button.click()
        assert button.get_attribute("aria-pressed") == "false"
        assert chart.locator("path.ink-2").first.is_hidden()
        before = chart.locator("path.ink-1").first.get_attribute("d")
        page.get_by_role("button", name="Log scale").first.click()
        after = chart.locator("path.ink-1").first.get_attribute("d")
        assert after != before
        ticks = chart.locator(".rows text").all_text_contents()
        assert [float(tick) for tick in ticks] == [0.1, 1.0, 10.0]
        page.get_by_role("button", name="Log scale").first.click()
        assert chart.locator("path.ink-1").first.get_attribute("d") == before


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_nothing_is_wider_than_the_screen(browser: Any, report: Path, size: dict[str, int]) -> None:
    with opened(browser, report, viewport=size) as page:
        page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        page.locator("#only-differences").uncheck()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_no_control_has_more_than_one_stop(browser: Any, report: Path) -> None:
    with opened(browser, report) as page:
        controls = page.evaluate("""() => [...document.querySelectorAll("a, button, input, summary, [tabindex]")]
            .filter(e => e.checkVisibility({ visibilityProperty: true })).length""")
        page.keyboard.press("Tab")
        stops, seen = 0, page.evaluate("document.activeElement.className")
        assert seen == "skip"
        while page.evaluate("document.activeElement !== document.body") and stops <= controls:
            stops += 1
            page.keyboard.press("Tab")
        assert stops <= controls


def test_without_scripts_the_page_is_whole(browser: Any, report: Path) -> None:
    with opened(browser, report, java_script_enabled=False) as page:
        assert page.locator("#player .slide:visible").count() == 5
        assert page.locator("#player .slide:visible img").first.is_visible()
        assert page.locator("audio:visible").count() == 6
        assert page.locator("button:visible").count() == 0
        assert page.locator(".chart svg.data path").first.is_visible()
        assert page.locator("#metrics table").first.is_visible()


def test_on_paper_controls_vanish_and_a_few_steps_stand_side_by_side(browser: Any, report: Path) -> None:
    with opened(browser, report, color_scheme="dark") as page:
        assert page.pdf().startswith(b"%PDF")
        page.emulate_media(media="print", color_scheme="dark")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator(".controls:visible, nav:visible, .sound:visible").count() == 0
        assert page.locator("#player .slide:visible").count() == 5
        assert page.locator("#command").is_visible()
        assert page.locator("details:not([open])").count() == 0
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_the_command_is_copied_or_selected(browser: Any, report: Path) -> None:
    with opened(browser, report) as page:
        page.get_by_role("button", name="Copy").click()
        page.wait_for_function(
            "() => ['Copied', 'Selected'].includes(document.querySelector('[data-copy]').textContent)"
        )
