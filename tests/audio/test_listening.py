"""The listening page of sounds: real ones beside generated ones, conversions in threes, and nothing but one file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import wganx
from wganx.cli import main
from wganx.report.listening import write_listening
from wganx.runs import Run

SHORT = {"dataset.count": 32, "train.steps": 2, "checkpoint.every": 2, "log.every": 1, "preview.every": 2}


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("listening")
    for name in ("digits-tiny", "emotion-tiny"):
        wganx.train("audio", name, overrides=SHORT, out=folder / name, device="cpu")
    return {"generate": folder / "digits-tiny", "convert": folder / "emotion-tiny"}


def heard(page: str) -> list[str]:
    """What each player of the page is called."""
    assert len(re.findall(r'<audio controls preload="none" src="data:audio/', page)) == page.count("<audio ")
    return re.findall(r'<li class="audio">\n<span aria-hidden="true">([^<]+)</span>', page)


def test_real_sounds_of_the_same_labels_stand_beside_generated_ones(runs):
    result = CliRunner().invoke(main, ["report", str(runs["generate"]), "--listen", "-n", "3"])
    assert result.exit_code == 0, result.output
    page = (runs["generate"] / "listen.html").read_text(encoding="utf-8")
    assert result.output.splitlines()[-1] == str(runs["generate"] / "listen.html")
    assert heard(page) == ["generated", "real"] * 3
    assert len(re.findall(r'<h2 id="row-\d">word ', page)) == 3
    assert page.count("<figcaption><b>Generated</b>") == 3
    assert page.count("<figcaption><b>Real, held out") == 3
    assert "only with their consent" in page
    assert "http" not in re.sub(r"data:[^\"]+", "", page.replace('http-equiv="Content-Security-Policy"', ""))


def test_a_conversion_is_shown_with_its_source_and_the_wanted_voice(runs):
    page = write_listening(Run.load(runs["convert"], only_looked_at=True), count=2).read_text(encoding="utf-8")
    assert heard(page) == ["source", "converted", "real"] * 2
    assert page.count("<h2 id=") == 3
    assert "emotion " in page


def test_the_same_seed_gives_the_same_page(runs):
    run = Run.load(runs["generate"], only_looked_at=True)
    first = write_listening(run, count=2, seed=5).read_bytes()
    assert write_listening(run, count=2, seed=5).read_bytes() == first != write_listening(run, count=2).read_bytes()


def test_the_model_card_tells_of_data_licence_and_consent(runs):
    card = (runs["generate"] / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "- data set: formant-speech, from rendered when opened, by the seed" in card
    assert "- licence of the data: MIT" in card
    assert "- steps: 2\n" in card
    assert "- seed: 0\n" in card
    assert card.endswith(
        "A voice belongs to its owner: learn from it, and imitate it, only with their consent, and say of what you "
        "publish that it is synthetic.\n"
    )


@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_is_played_at_a_desk_and_on_a_phone(runs, browser, width):
    page_at = write_listening(Run.load(runs["convert"], only_looked_at=True), count=2)
    context = browser.new_context(viewport={"width": width, "height": 800}, offline=True)
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(page_at.as_uri())
    # The first moment of playing is watched, since such a sound is over before anyone could ask.
    page.evaluate("new MutationObserver(() => { window.played = true; }).observe(document.querySelector('.sound'), "
                  "{attributes: true, attributeFilter: ['aria-pressed']})")  # fmt: skip
    page.locator("button.sound").first.click()
    page.wait_for_function("window.played === true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    context.close()
