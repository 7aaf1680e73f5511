"""Files that change under a training; folders of 200,000: ``python benchmarks/reliability.py scale``."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from tests.reliability.scale import CHANGES, changing

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="children are forked and limited as Linux does it")


def test_files_that_change_under_a_training_are_named(tmp_path: Path) -> None:
    kinds = [change for change in CHANGES if change.__name__ in ("_become_a_pipe",)]
    faults = [outcome for outcome in changing(tmp_path, random.Random(0), kinds, ("all",)) if not outcome.good]
    assert not faults, "\n".join(f"{fault.result}: {fault.case}\n{fault.said[-800:]}" for fault in faults)
