"""The page in a real browser, where one is installed: ``WGANX_CHROMIUM`` or a chromium on PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from wganx.report import write_report

NAMES = (os.environ.get("WGANX_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for found in map(shutil.which, filter(None, NAMES)) if found), None)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium: set WGANX_CHROMIUM or put one on PATH")


def open_headless(page: Path, profile: Path) -> tuple[str, list[str]]:
    """The document after its script ran, and what the console said."""
    assert CHROMIUM is not None
    quiet = ("background-networking", "component-update", "sync", "gpu", "quic", "dev-shm-usage")
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--no-first-run", *(f"--disable-{part}" for part in quiet),
            f"--user-data-dir={profile}", "--enable-logging=stderr", "--v=0", "--virtual-time-budget=2000",
            "--dump-dom", page.as_uri(),
        ],
        capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=120, check=True,
    )  # fmt: skip
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def test_the_page_runs_its_script_under_its_policy_without_a_word(
    make_run: Callable[..., Path], tmp_path: Path
) -> None:
    page = write_report(make_run())
    document, console = open_headless(page, tmp_path / "profile")
    assert console == []
    assert 'aria-label="Reading the curves" data-scripted="">' in document  # shown by the script

    tampered = tmp_path / "tampered.html"
    tampered.write_text(page.read_text(encoding="utf-8").replace('"use strict";', '"use strict"; '), encoding="utf-8")
    document, console = open_headless(tampered, tmp_path / "profile")
    assert len(console) == 1
    assert "Content Security Policy" in console[0]
    assert 'aria-label="Reading the curves" data-scripted="" hidden' in document


def test_sounds_are_loaded_under_the_policy_and_nothing_else_is_allowed(
    make_run: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_run(previews=1)
    with wave.open(str(folder / "samples" / "step-000100-0000.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(3200))
    page = write_report(folder)
    _, console = open_headless(page, tmp_path / "profile")
    assert console == []

    tampered = tmp_path / "tampered.html"
    tampered.write_text(page.read_text(encoding="utf-8").replace("media-src data:; ", ""), encoding="utf-8")
    _, console = open_headless(tampered, tmp_path / "profile")
    assert console
    assert all("Content Security Policy" in line for line in console)
