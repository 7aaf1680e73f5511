"""Modules under names that `torch.nn.ModuleDict` refuses."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from wganx.nn import ByName

WORDS = ("type", "half", "train", "keys", "items", "values", "skin.tone", "skin_tone", "type_", "training", "names")


def linears(names: tuple[str, ...]) -> dict[str, nn.Linear]:
    return {name: nn.Linear(1, 1 + number) for number, name in enumerate(names)}


def test_any_word_finds_its_own_module_in_the_order_given() -> None:
    given = linears(WORDS)
    by_name = ByName(given)
    assert list(by_name) == list(WORDS)
    assert dict(by_name.items()) == given
    assert list(by_name.values()) == list(given.values())
    assert len(by_name) == len(WORDS)
    assert all(by_name[name] is module for name, module in given.items())


def test_every_module_is_reached_as_torch_reaches_them() -> None:
    by_name = ByName(linears(WORDS))
    weights = {name: torch.zeros_like(value) for name, value in by_name.state_dict().items()}
    assert len(weights) == 2 * len(WORDS)
    by_name.load_state_dict(weights)
    assert all((module.weight == 0).all() for _, module in by_name.items())
    for name, _ in by_name.named_parameters():
        assert isinstance(by_name.get_parameter(name), nn.Parameter)  # as torch.func.functional_call does


def test_ordinary_names_are_stored_as_a_module_dict_stores_them() -> None:
    given = linears(("style", "season"))
    assert list(ByName(given).state_dict()) == list(nn.ModuleDict(given).state_dict())


def test_a_name_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="style"):
        ByName(linears(("season",)))["style"]
