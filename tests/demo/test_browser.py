"""The demo in a real browser, by clicking: pictures, sounds and clips, drawn and made of files."""

from __future__ import annotations

import io
import json
import wave
from contextlib import contextmanager
from threading import Event

import numpy as np
import pytest
from PIL import Image

PHONE, DESK = {"width": 375, "height": 800}, {"width": 1280, "height": 900}
SHOWN = "#result .take"


@pytest.fixture(scope="module")
def faces(trained, served):
    with served(trained("image", "faces-tiny", task__labels=False)) as (demo, visitor):
        yield demo, f"http://127.0.0.1:{visitor.port}/"


@pytest.fixture(scope="module")
def styles(trained, served):
    with served(trained("image", "style-transfer-tiny"), max_upload=0.1) as (demo, visitor):
        yield demo, f"http://127.0.0.1:{visitor.port}/"


@pytest.fixture(scope="module")
def voices(trained, served):
    with served(trained("audio", "emotion-tiny", dataset__count=32)) as (demo, visitor):
        yield demo, f"http://127.0.0.1:{visitor.port}/"


@pytest.fixture(scope="module")
def between(trained, served):
    with served(trained("video", "interpolation-tiny", dataset__count=16)) as (demo, visitor):
        yield demo, f"http://127.0.0.1:{visitor.port}/"


@contextmanager
def opened(browser, address, **options):
    """The page in a context of its own; what it said, threw or asked elsewhere for is in ``page.heard``."""
    context = browser.new_context(**{"viewport": DESK, **options})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.heard = []
    page.on("console", lambda message: page.heard.append(message.text))
    page.on("pageerror", lambda error: page.heard.append(str(error)))
    page.on("request", lambda asked: asked.url.startswith((address, "data:")) or page.heard.append(asked.url))
    try:
        page.goto(address)
        yield page
    finally:
        context.close()


def serious(page):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]


def make(page):
    page.get_by_role("button", name="Make it").click()
    page.wait_for_selector("#result .take, #refused:not([hidden])")
    assert page.locator("#refused").is_hidden(), page.locator("#refused").text_content()


def picture_shown(page):
    return page.locator("#result .slide:not([hidden]) img").first.get_attribute("src")


def png(color="tomato", size=(24, 20)):
    content = io.BytesIO()
    Image.new("RGB", size, color).save(content, "png")
    return content.getvalue()


def tone(rate=8000):
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((8000 * np.sin(np.arange(4096) / 5)).astype(np.int16).tobytes())
    return content.getvalue()


def clip():
    content = io.BytesIO()
    frames = [Image.new("L", (16, 16), shade) for shade in range(0, 250, 25)]
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:], duration=100, loop=0)
    return content.getvalue()


def send(page, name, content, kind="application/octet-stream"):
    page.locator("#file").set_input_files({"name": name, "mimeType": kind, "buffer": content})


def test_a_seed_is_drawn_walked_from_and_slid_along(browser, faces):
    with opened(browser, faces[1]) as page:
        page.get_by_label("Seed", exact=True).fill("3")
        page.get_by_label("How many").fill("4")
        make(page)
        assert page.locator("#result h3").text_content() == "4 samples, seed 3"
        third = picture_shown(page)
        with page.expect_download() as taken:
            page.get_by_role("link", name="Download").click()
        assert taken.value.suggested_filename.endswith("-seed-3.zip")

        page.get_by_label("Seed", exact=True).fill("4")
        page.get_by_label("Seed", exact=True).press("Enter")
        page.get_by_role("heading", name="4 samples, seed 4").wait_for()
        fourth = picture_shown(page)
        assert fourth != third

        page.get_by_label("Walk").check()
        page.get_by_label("Seed", exact=True).fill("3")
        page.get_by_label("To seed").fill("4")
        make(page)
        page.get_by_role("heading", name="A walk from seed 3 to seed 4").wait_for()
        assert picture_shown(page) == third
        slider = page.get_by_role("group", name="Stops").locator("input")
        slider.press("End")
        page.wait_for_function("() => !document.querySelector('#result .slide:last-child').hidden")
        assert picture_shown(page) == fourth
        assert slider.get_attribute("aria-valuetext") == "seed 4"

        page.get_by_label("Slide", exact=True).check()
        assert page.get_by_label("To seed").is_hidden()
        page.get_by_label("Along").select_option("2")
        make(page)
        page.get_by_role("heading", name="Along way 2, seed 3").wait_for()
        middle = picture_shown(page)
        page.get_by_role("group", name="Stops").locator("input").press("Home")
        page.wait_for_function("() => !document.querySelector('#result .slide').hidden")
        assert picture_shown(page) != middle
        assert page.heard == []


def test_truncation_is_sent_once_it_is_moved(browser, faces):
    with opened(browser, faces[1]) as page:
        make(page)
        assert page.locator("#result h3").text_content() == "16 samples, seed 0"
        page.get_by_label("Truncation").press("Home")
        make(page)
        page.get_by_role("heading", name="16 samples, seed 0, truncation 0.1").wait_for()
        assert page.get_by_text("--truncation 0.1").count() == 1


def test_a_picture_is_sent_and_shown_beside_what_was_made_of_it(browser, styles):
    demo, address = styles
    (choice,) = demo.workshop.offer.choices
    with opened(browser, address) as page:
        page.get_by_label("Your own file").check()
        page.get_by_role("button", name="Make it").click()
        assert page.locator("#refused").text_content() == "Choose a file first."
        page.get_by_label(choice.name).select_option(choice.format.classes[1])
        send(page, "my photo.png", png())
        make(page)
        assert page.locator("#result h3").text_content() == f"my photo.png, {choice.name} {choice.format.classes[1]}"
        sizes = page.locator("#result .pair img").evaluate_all("all => all.map(i => [i.width, i.height])")
        assert len(sizes) == 2
        assert sizes[0] == sizes[1]
        with page.expect_download() as taken:
            page.get_by_role("link", name="Download my photo-made.png").click()
        with Image.open(taken.value.path()) as picture:
            assert picture.size == (24, 20)

        send(page, "huge.png", bytes(100_001))
        page.get_by_role("button", name="Make it").click()
        page.get_by_role("alert").wait_for()
        assert (
            "huge.png is larger than 0.1 MB, the most that this demo takes" in page.get_by_role("alert").text_content()
        )
        send(page, "letter.png", b"Dear friend")
        page.get_by_role("button", name="Make it").click()
        page.locator("#refused", has_text="letter.png").wait_for()
        assert "/tmp" not in page.locator("#refused").text_content()
        assert page.heard == []


def test_a_sound_is_sent_and_both_are_heard_one_at_a_time(browser, voices):
    with opened(browser, voices[1]) as page:
        page.get_by_label("Your own file").check()
        for name in ("emotion", "speaker", "word"):
            if page.get_by_label(name, exact=True).count():
                page.get_by_label(name, exact=True).select_option(index=1)
        send(page, "word.wav", tone())
        make(page)
        buttons = page.locator("#result .sound")
        assert buttons.count() == 2
        for index in range(2):
            buttons.nth(index).click()
            page.wait_for_function("() => document.querySelectorAll('.playing').length === 1")
            assert buttons.nth(index).get_attribute("aria-pressed") == "true"
        make(page)
        page.wait_for_function("() => document.querySelectorAll('.playing').length === 0")
        assert page.heard == []


def test_a_number_is_said_only_where_it_was_moved(browser, voices):
    with opened(browser, voices[1]) as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url) if "/jobs?" in request.url else None)
        page.get_by_label("How many").fill("1")
        make(page)
        page.get_by_role("slider", name="intensity").press("End")
        make(page)
        page.get_by_text("--given intensity=1.5").wait_for()
        assert ["given.intensity" in url for url in asked] == [False, True]


def test_a_clip_is_sent_with_an_option_and_moves_beside_what_was_made_of_it(browser, between):
    with opened(browser, between[1], reduced_motion="reduce") as page:
        page.get_by_label("Your own file").check()
        page.get_by_text("More for files").click()
        page.get_by_label("factor", exact=True).fill("2")
        send(page, "ball.gif", clip())
        make(page)
        page.wait_for_function("() => document.querySelectorAll('#result canvas').length === 2")
        controls = page.get_by_role("group", name="Clips")
        pixel = "canvas => canvas.getContext('2d').getImageData(0, 0, 1, 1).data[0]"
        before = page.locator("#result canvas").first.evaluate(pixel)
        for _ in range(3):
            controls.get_by_role("button", name="One frame on").click()
        assert page.locator("#result canvas").first.evaluate(pixel) > before
        assert [line for line in page.heard if "getImageData" not in line] == [], "reading a pixel is the test's own"
        with page.expect_download() as taken:
            page.get_by_role("link", name="Download ball-made.gif").click()
        with Image.open(taken.value.path()) as film:
            assert film.n_frames > 15


def test_who_waits_sees_how_many_are_before_and_can_leave(browser, faces, monkeypatch):
    demo, address = faces
    begun, go = Event(), Event()
    draw = type(demo.workshop)._draw

    def wait(self, wish, folder):
        begun.set()
        while not go.wait(0.01):
            self._look_up()
        return draw(self, wish, folder)

    monkeypatch.setattr(type(demo.workshop), "_draw", wait)
    with opened(browser, address) as first, opened(browser, address) as second:
        first.get_by_role("button", name="Make it").click()
        first.get_by_text("Being made").wait_for()
        second.get_by_role("button", name="Make it").click()
        second.get_by_text("1 before you").wait_for()
        assert second.locator("#made").get_attribute("aria-busy") == "true"
        second.get_by_role("button", name="Leave the line").click()
        second.get_by_text("You left the line").wait_for()
        second.get_by_role("button", name="Make it").click()
        second.get_by_text("1 before you").wait_for()
        first.goto("about:blank")  # whoever closes the page makes room
        second.get_by_text("Being made").wait_for()
        go.set()
        second.wait_for_selector(SHOWN)
        assert second.heard == []


def test_a_demo_that_ended_is_said(browser, trained, served):
    with served(trained("image", "faces-tiny", task__labels=False)) as (_, visitor):
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{visitor.port}/")
    page.get_by_role("button", name="Make it").click()
    page.get_by_text("The demo does not answer. It may have ended.").wait_for()
    assert page.locator("#made").get_attribute("aria-busy") == "false"
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_a_phone_is_wide_enough(browser, styles, faces, scheme):
    with opened(browser, faces[1], color_scheme=scheme, viewport=PHONE) as page:
        page.get_by_label("Walk").check()
        make(page)
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        assert page.locator("#made").evaluate("part => part.getBoundingClientRect().top < innerHeight")
    with opened(browser, styles[1], color_scheme=scheme, viewport=PHONE) as page:
        page.get_by_label("Your own file").check()
        page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        send(page, "a.png", png(size=(300, 40)))
        make(page)
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_everything_is_reached_by_keys(browser, faces):
    with opened(browser, faces[1]) as page:
        page.keyboard.press("Tab")  # the link to the content
        for reached in ("draw", "seed", "another", "count", "truncation", "Make it"):
            page.keyboard.press("Tab")
            here = "e => e.id || e.value || e.textContent"
            assert page.evaluate_handle("document.activeElement").evaluate(here) == reached
        page.get_by_label("Draw").focus()
        page.keyboard.press("ArrowRight")
        assert page.get_by_label("To seed").is_visible()
        page.keyboard.press("Enter")
        page.wait_for_selector(SHOWN)


def test_the_page_asks_nobody_else(browser, faces):
    with opened(browser, faces[1]) as page:
        refused = "fetch('https://example.org').then(() => 'went', () => 'refused')"
        assert page.evaluate(refused) == "refused"
        assert any("Content Security Policy" in line for line in page.heard)
        assert (
            json.loads(page.evaluate("JSON.stringify(performance.getEntriesByType('resource').map(e => e.name))")) == []
        )
