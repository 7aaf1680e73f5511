"""The table of exports: that nothing of the built-in plugins is missing in it, and what it looks like."""

from __future__ import annotations

import importlib

import pytest

from wganx.config import resolve
from wganx.plugins import load
from wganx.plugins.descriptors import Architecture, Task

PLUGINS = ("points", "image", "audio", "video")


@pytest.fixture(scope="module")
def exports():
    return importlib.import_module("exports")


@pytest.fixture(scope="module")
def covered(exports):
    """The tasks and networks of all cases."""
    found = set()
    for case in exports.CASES.values():
        run = resolve(plugin=case.plugin, scenario=case.scenario, overrides=case.settings, environ={}).run
        found |= {(case.plugin, "task", run.task.name), (case.plugin, "generator", run.generator.name)}
        found.add((case.plugin, "critic", run.critic.name))
    return found


def test_every_task_and_every_network_has_a_case(covered):
    for plugin in PLUGINS:
        offered = load([plugin])
        tasks = {(plugin, "task", task.name) for task in offered.offers(Task)}
        networks = {(plugin, each.role, each.name) for each in offered.offers(Architecture)}
        assert tasks | networks <= covered


def test_the_table_has_a_line_a_network(exports):
    told = ("ring", "points", "ring", "generate", "mlp", "generator")
    rows = [
        exports.Row(*told, "safetensors", 0.0, 2.0, "", None, 0.25),
        exports.Row(*told, "onnx", 1.23e-7, 2.0, "", 0.125, 0.75),
    ]
    assert exports.table(rows).splitlines()[2:] == [
        "| ring | points | generate | mlp | generator | - | 0 | - | - | 1e-07 | 0.12 | 0.5 |"
    ]
