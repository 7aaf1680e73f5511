"""Options of every part of the plugins that come with wganx, wrong in every way that their types allow."""

from __future__ import annotations

import math

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from wganx import Architecture, Config, Dataset, Extractor, Metric, Task
from wganx.cli import main
from wganx.evaluation.extractors import STANDARD_EXTRACTORS
from wganx.evaluation.metrics import STANDARD
from wganx.plugins import load

PLUGINS = ("points", "image", "audio", "video")
CATALOGS = {plugin: load([plugin]) for plugin in PLUGINS}


def _parts(plugin: str) -> dict[tuple[str, str], type[Config]]:
    catalog = CATALOGS[plugin]
    return {
        **{("dataset", offer.name): offer.config for offer in catalog.offers(Dataset)},
        **{("task", offer.name): offer.config for offer in catalog.offers(Task)},
        **{(offer.role, offer.name): offer.config for offer in catalog.offers(Architecture)},
        **{("metrics", offer.name): offer.config for offer in (*STANDARD.values(), *catalog.offers(Metric))},
        **{
            ("extractors", offer.name): offer.config
            for offer in (*STANDARD_EXTRACTORS.values(), *catalog.offers(Extractor))
        },
    }


PARTS = {(plugin, *part): config for plugin in PLUGINS for part, config in _parts(plugin).items()}
OPTIONS = [(*part, option) for part, config in PARTS.items() for option in config.model_fields]
ANYTHING = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.booleans(), st.none(), st.text(max_size=12),
    st.lists(st.one_of(st.integers(), st.text(max_size=3)), max_size=3).map(str), st.just("{a: {b: [1]}}"),
    st.sampled_from(["[", "{", "&a", "!!python/object:os.system", "\t", "1e400", "0x10", "~", "-"]),
)  # fmt: skip


def _wish(section: str, part: str, option: str, value: object) -> list[str]:
    """The settings that choose a part and give its option a value."""
    if section == "metrics":
        return [f"evaluate.metrics=[{{name: {part}, {option}: {value}}}]"]
    if section == "extractors":
        return [f"evaluate.extractors.{part}.{option}={value}"]
    return [f"{section}.name={part}", f"{section}.{option}={value}"]


@pytest.mark.parametrize("plugin", PLUGINS)
@settings(max_examples=60)
@given(data=st.data())
def test_a_wrong_value_is_told_with_its_name_and_ends_with_2(plugin: str, data: st.DataObject) -> None:
    _, section, part, name = data.draw(st.sampled_from([option for option in OPTIONS if option[0] == plugin]))
    wishes = [f"--set={wish}" for wish in _wish(section, part, name, data.draw(ANYTHING))]
    told = CliRunner().invoke(main, ["config", "show", f"--plugin={plugin}", *wishes])
    assert isinstance(told.exception, SystemExit | None), told.exception
    assert told.exit_code in (0, 2), told.output
    assert "Traceback" not in told.output
    if told.exit_code == 2:
        assert "wganx:" in told.output or "Error:" in told.output
        assert name in told.output or section in told.output


@pytest.mark.parametrize(("plugin", "section", "part"), PARTS)
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_no_option_takes_what_is_not_finite(plugin: str, section: str, part: str, value: float) -> None:
    config = PARTS[plugin, section, part]
    for option in config.model_fields:
        with pytest.raises(ValidationError) as refused:
            config(**{option: value})
        assert option in {error["loc"][0] for error in refused.value.errors() if error["loc"]}
