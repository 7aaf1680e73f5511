"""Options of every audio part, wrong in every way that their types allow, and the docs' table of corpora."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from wganx_audio.configs.datasets import CORPORA
from wganx_audio.configs.tasks import GenerateConfig

from wganx import Architecture, Config, Dataset, Extractor, Task
from wganx.cli import main
from wganx.plugins import load

CATALOG = load(["audio"])
PARTS: dict[tuple[str, str], type[Config]] = {
    **{("dataset", offer.name): offer.config for offer in CATALOG.offers(Dataset)},
    **{("task", offer.name): offer.config for offer in CATALOG.offers(Task)},
    **{(offer.role, offer.name): offer.config for offer in CATALOG.offers(Architecture)},
    **{("extractor", offer.name): offer.config for offer in CATALOG.offers(Extractor)},
}
OPTIONS = [
    (section, part, option) for (section, part), config in PARTS.items() for option in config.model_fields
    if section != "extractor"
]  # fmt: skip
ANYTHING = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.booleans(), st.none(), st.text(max_size=12),
    st.lists(st.one_of(st.integers(), st.text(max_size=3)), max_size=3).map(str), st.just("{a: {b: [1]}}"),
    st.sampled_from(["[", "{", "&a", "!!python/object:os.system", "\t", "1e400", "0x10", "~", "-"]),
)  # fmt: skip


@settings(max_examples=100)
@given(option=st.sampled_from(OPTIONS), value=ANYTHING)
def test_a_wrong_value_is_told_with_its_name_and_ends_with_2(option, value) -> None:
    section, part, name = option
    wish = f"{section}.{name}={value}"
    told = CliRunner().invoke(main, ["config", "show", "--plugin=audio", f"--set={section}.name={part}", "--set", wish])
    assert isinstance(told.exception, SystemExit | None), told.exception
    assert told.exit_code in (0, 2), told.output
    assert "Traceback" not in told.output
    if told.exit_code == 2:
        assert "wganx:" in told.output or "Error:" in told.output
        assert name in told.output or section in told.output


@pytest.mark.parametrize(("section", "part"), PARTS)
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_no_option_takes_what_is_not_finite(section, part, value) -> None:
    config = PARTS[section, part]
    needed = {"root": "somewhere"} if "root" in config.model_fields else {}
    for option in config.model_fields:
        with pytest.raises(ValidationError):
            config(**{**needed, option: value})


def test_more_bands_than_bins_are_refused() -> None:
    with pytest.raises(ValidationError, match="200 bands cannot be made of the 128 bins of window=256; take fewer"):
        GenerateConfig(representation="mel", window=256, bands=200)
    assert GenerateConfig(representation="linear", window=64, hop=16).bands == 80


def test_the_table_of_the_docs_names_every_corpus_with_its_licence() -> None:
    page = Path(__file__).parents[2] / "docs" / "guides" / "sound-datasets.md"
    rows = {}
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for name in re.findall(r"`([a-z0-9-]+)`", cells[0]) if line.startswith("| `") else ():
            rows[name] = cells
    assert rows.keys() == CORPORA.keys()
    for name, cells in rows.items():
        *_, licence, _ = CORPORA[name]
        assert cells[-1] == licence
        assert "/" in cells[1]
