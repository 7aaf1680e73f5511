"""What docs/guides/sharing.md shows in Python, executed against the stand-in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import wganx

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "sharing.md"


def test_the_python_of_the_guide_runs(trained: Path, hub: object) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    Path("runs").mkdir()
    Path("runs/first").symlink_to(trained)
    found: dict[str, object] = {"wganx": wganx}
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), found)
    assert len(blocks) == 1
    assert found["samples"].shape == (16, 2)  # type: ignore[attr-defined]
