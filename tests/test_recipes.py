"""The recipes in configs/: each is a valid configuration."""

from pathlib import Path

import pytest

from wganx.config import resolve

RECIPES = sorted((Path(__file__).parents[1] / "configs").rglob("*.yaml"))


def test_there_are_recipes():
    assert RECIPES


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_resolves_and_says_what_to_expect(path):
    assert resolve(config=path, environ={}).run.train.steps > 0
    assert "Expected" in path.read_text(encoding="utf-8")
