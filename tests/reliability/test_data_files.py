"""Damaged data, a few cases of every damage's code; ten thousand: ``python benchmarks/reliability.py data_files``."""

from __future__ import annotations

import sys

import pytest

from tests.reliability.data_files import cases
from tests.reliability.data_sets import KINDS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="children are forked and limited as Linux does it")


def test_damaged_data_is_refused_or_survived() -> None:
    cheap = [kind for kind in KINDS if kind.name in ("points", "pictures in classes")]
    faults = [outcome for outcome in cases(14, 0, cheap) if not outcome.good]
    assert not faults, "\n".join(f"{fault.result}: {fault.case}\n{fault.said[-500:]}" for fault in faults)
