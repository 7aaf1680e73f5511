"""Fixtures that several test folders share, and the house rules of every test process.

Tests run in a process a core, each with one torch thread, and with a home and a cache of its own: they neither see nor
touch those of whoever runs them.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Neither imports torch.
from wganx.plugins import discovery
from wganx.testing.fixtures import fake_distribution as fake_distribution

# Before anything imports torch, and for the processes that tests start: threads gain nothing on networks this small,
# and lose a lot where every core has a test of its own.
os.environ["OMP_NUM_THREADS"] = "1"

# A suite that was started in the background ignores Ctrl-C, and so would every process that tests start and stop by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_HOME = Path(tempfile.mkdtemp(prefix="wganx-tests-"))
_FOLDERS = {
    "HOME": "home", "XDG_CACHE_HOME": "home/.cache", "WGANX_CACHE": "cache",
    "TORCH_HOME": "torch", "TORCHINDUCTOR_CACHE_DIR": "inductor", "TRITON_CACHE_DIR": "triton",
}  # fmt: skip
for _name, _folder in _FOLDERS.items():
    (_HOME / _folder).mkdir(parents=True, exist_ok=True)
    os.environ[_name] = str(_HOME / _folder)
# The fonts are looked for once, by whichever process is first, and not by every worker in its new home.
os.environ.setdefault("MPLCONFIGDIR", str(_HOME / "matplotlib"))
for _name in [name for name in os.environ if name.startswith("WGANX__")]:
    del os.environ[_name]  # settings of the user's own runs

# How long an example takes says nothing where every core is busy.
settings.register_profile("wganx", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("wganx")


def pytest_configure(config: pytest.Config) -> None:
    config.add_cleanup(lambda: shutil.rmtree(_HOME, ignore_errors=True))


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Without pytest-xdist (``-p no:xdist``) the options of pyproject.toml that are meant for it mean nothing."""
    if not pluginmanager.hasplugin("xdist"):
        group = parser.getgroup("xdist", "pytest-xdist, which is not loaded")
        for option in ("--numprocesses", "--dist"):
            group.addoption(option, help="no effect")


def usable_cores(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """The cores that this process may use: of those it is bound to, as many as its container is granted time for."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        granted, period = quota.read_text(encoding="ascii").split()
        return max(1, min(bound, round(int(granted) / int(period))))
    except (OSError, ValueError):  # no such file, or "max 100000": no limit
        return bound


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """A worker a core. Its own guess counts physical cores, one of the two of a small machine.

    None leaves it to PYTEST_XDIST_AUTO_NUM_WORKERS. Single tests, named by ``file::test``, need no workers, and those
    of ``-m gpu`` share one device.
    """
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    alone = config.option.markexpr == "gpu" or all("::" in argument for argument in config.args)
    return 0 if alone else usable_cores()


@pytest.fixture
def only_fake_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the plugins that are really installed: discovery looks for another group, and so do the fakes."""
    monkeypatch.setattr(discovery, "GROUP", "wganx-under-test")


_OUTSIDE = Path(__file__).parent / "second_distribution"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of wganx-tones, unpacked into a folder of its own, which is all that installing a pure wheel does."""
    pytest.importorskip("hatchling", reason="builds the package")
    folder = tmp_path_factory.mktemp("site")
    build = "import sys, hatchling.build; print(hatchling.build.build_wheel(sys.argv[1]))"
    made = subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=_OUTSIDE, check=True, capture_output=True, text=True
    )
    wheel = folder / made.stdout.split()[-1]
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    wheel.unlink()
    return folder


_BROWSERS = (os.environ.get("WGANX_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
_QUIET = ("gpu", "quic", "background-networking", "component-update", "sync", "dev-shm-usage")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser of Playwright's: ``WGANX_CHROMIUM``, or a chromium on PATH.

    With ``WGANX_REQUIRE_BROWSER=1`` a missing browser or package is a failure, so that no CI forgets these tests.
    """
    executable = next((found for found in map(shutil.which, filter(None, _BROWSERS)) if found), None)
    absent = [name for name in ("playwright", "axe_playwright_python") if find_spec(name) is None]
    if absent or executable is None:
        reason = (
            f"no {' and no '.join(absent)}: pip install 'wganx[test]'"
            if absent
            else "no chromium: set WGANX_CHROMIUM or put one on PATH"
        )
        (pytest.fail if os.environ.get("WGANX_REQUIRE_BROWSER") == "1" else pytest.skip)(reason)
    from playwright.sync_api import sync_playwright

    options = ["--no-sandbox", "--no-first-run", *(f"--disable-{part}" for part in _QUIET)]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=options)
        yield launched
        launched.close()
