"""The reference names everything public."""

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import wganx
import wganx.wasserstein

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"


@pytest.mark.parametrize("name", [name for name in wganx.__all__ if name not in wganx.wasserstein.__all__])
def test_every_name_of_the_package_is_on_the_page_of_the_api(extension: Callable[[str], ModuleType], name: str) -> None:
    # Names of wganx.wasserstein, wganx.nn and wganx.data are taken from their __all__ when the page is built.
    page = extension("from_code").fill(PAGE.read_text(encoding="utf-8"))
    assert re.search(rf"(?<!\w){name}(?!\w)", page)
