"""The plugins of the second distribution keep the contracts, as a stranger's package would."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from wganx.testing import iter_checks

PACKAGE = Path(__file__).parents[1] / "second_distribution"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Its wheel, unpacked, which is all that installing a pure wheel does."""
    pytest.importorskip("hatchling", reason="builds the package")
    folder = tmp_path_factory.mktemp("site")
    build = "import sys, hatchling.build; print(hatchling.build.build_wheel(sys.argv[1]))"
    made = subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=PACKAGE, check=True, capture_output=True, text=True
    )
    with zipfile.ZipFile(folder / made.stdout.split()[-1]) as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["tones", "films", "tones-domains", "tones-free", "tones-growing", "tones-rules", "tones-watch"]
)
def test_it_keeps_the_contracts(site, monkeypatch, name):
    monkeypatch.syspath_prepend(str(site))
    results = [check.result() for check in iter_checks(name)]
    assert [result.text for result in results if result.status == "failed"] == []
    assert any(result.status == "ok" for result in results)
