"""The followed page in a real browser."""

from __future__ import annotations

from wganx.lock import locked
from wganx.watching.following import FollowedPage
from wganx.watching.serving import serving


def test_an_open_page_is_loaded_again_when_it_changed_and_only_then(browser, begun, reach):
    with locked(begun):
        page, said, loaded = browser.new_page(), [], []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: loaded.append(request.url.rpartition("/")[2]))
        page.clock.install()  # the page's own seconds pass at once
        followed = FollowedPage(begun)
        with serving(followed) as address:
            page.goto(address)
            report = page.frame_locator("iframe")
            report.get_by_text("3 of 9").first.wait_for()
            page.clock.run_for(10_000)
            assert loaded.count("report.html") == 1
            assert "version" in loaded
            inner = page.frames[1]
            inner.evaluate("scrollTo(0, 300)")
            inner.wait_for_function("scrollY > 200")
            reach(6)
            followed.refresh()
            page.clock.run_for(10_000)
            report.get_by_text("6 of 9").first.wait_for()
            page.frames[1].wait_for_function("scrollY > 200")
            assert loaded.count("report.html") == 2
            assert page.title() == "<b>run, followed"
            assert said == [], "its policy and that of the page let through what they need, and there is nothing else"
        page.clock.run_for(10_000)
        page.get_by_text("No longer followed").wait_for()
        page.close()
