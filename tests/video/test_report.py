"""The clips of a preview on the page of a run, in a real browser where one is installed."""

import json

import pytest
import torch
from wganx_video.writers import preview_clips

from wganx import Batch, SampleFormat
from wganx.report import write_report
from wganx.runs.looking import write_picture

FRAMES, PAST = 6, 3
FORMAT = SampleFormat(
    axes=("frame", "channel", "height", "width"), shape=(FRAMES - PAST, 1, 24, 24), value_range=(0.0, 1.0),
    rate_hz=10.0, signal={"given": list(range(PAST)), "made": list(range(PAST, FRAMES))},
)  # fmt: skip
LIT = """canvases => canvases.map(canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  for (let at = 0; at < data.length; at += 4) sum += data[at];
  return sum;
})"""
"""How bright what is drawn on each canvas is."""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A run of three clips that grow brighter from frame to frame, and noise for what was made."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "samples").mkdir()
    films = torch.linspace(0.1, 0.9, FRAMES).view(1, FRAMES, 1, 1, 1).expand(3, FRAMES, 1, 24, 24)
    batch = Batch(films[:, PAST:].contiguous(), {"past": films[:, :PAST].contiguous()})
    noise = 0.2 * torch.rand(batch.real.shape, generator=torch.Generator().manual_seed(0))
    for stem, made in (("step-000010", batch.real * 0.8 + noise), ("real", batch.real)):
        found = preview_clips(made, batch, FORMAT, folder / "samples", stem)
        write_picture(found.picture, folder / "samples" / f"{stem}.png")
    (folder / "run.json").write_text(json.dumps({"status": "finished", "step": 10, "steps": 10, "plugin": "video"}))
    (folder / "config.yaml").write_text("plugin: video\n")
    return write_report(folder)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_all_clips_show_the_same_frame_and_nothing_is_cut_off(browser, report, scheme, width):
    context = browser.new_context(
        offline=True, viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    heard = []
    # That canvases are read is this test's doing.
    page.on("console", lambda message: "willReadFrequently" in message.text or heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or heard.append(request.url))
    page.goto(report.as_uri())
    page.wait_for_function("() => document.querySelectorAll('#player canvas').length === 6")
    clips = page.locator("#player canvas")
    controls = page.get_by_role("group", name="Clips")
    seen = []
    for frame in range(FRAMES):
        controls.locator("input").fill(str(frame))
        seen.append(clips.evaluate_all(LIT))
    # Each clip is as bright as its films are at that frame: all grow with every step, none stays or runs ahead.
    for clip in zip(*seen):
        assert list(clip) == sorted(set(clip))
    assert controls.locator("input").get_attribute("max") == str(FRAMES - 1)
    controls.get_by_role("button", name="One frame on").click()  # and round again, all together
    assert clips.evaluate_all(LIT) == seen[0]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # Three films beside each other are wide enough for what is written above them.
    assert min(clips.evaluate_all("all => all.slice(0, 3).map(each => each.getBoundingClientRect().width)")) >= 250
    assert heard == []
    context.close()
