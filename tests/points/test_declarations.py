"""The plugin is declared without torch, and whatever it declares exists."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import wganx_points
import yaml
from wganx_points.configs import MlpCriticConfig, MlpGeneratorConfig

from wganx import BuildContext, Config, SampleFormat, Scenario


def test_listing_everything_imports_no_torch() -> None:
    code = (
        "import sys, wganx_points as plugin\n"
        "for name in dir(plugin):\n"
        "    if name.startswith('wganx_'): [*getattr(plugin, name)()]\n"
        "loaded = {'torch', 'numpy', 'PIL', 'sklearn', 'ot'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_default_scenario_is_the_ring() -> None:
    assert next(iter(wganx_points.wganx_scenarios())).name == "ring"


@pytest.mark.parametrize("scenario", [*wganx_points.wganx_scenarios()], ids=lambda scenario: scenario.name)
def test_scenarios_name_what_the_plugin_offers(scenario: Scenario) -> None:
    assert isinstance(scenario.config, Path)
    run = yaml.safe_load(scenario.config.read_text(encoding="utf-8"))
    offered: dict[str, dict[str, type[Config]]] = {
        "dataset": {dataset.name: dataset.config for dataset in wganx_points.wganx_datasets()},
        "task": {task.name: task.config for task in wganx_points.wganx_tasks()},
        "generator": {"mlp": MlpGeneratorConfig},
        "critic": {"mlp": MlpCriticConfig},
    }
    for section, configs in offered.items():
        settings = dict(run[section])
        config = configs[settings.pop("name")]
        settings.pop("noise", None)
        config(**settings)


def test_the_declared_networks_are_those_of_the_package() -> None:
    context = BuildContext(sample=SampleFormat(axes=("coordinate",), shape=(2,), value_range=None), noise=(3,))
    built = {
        (architecture.role, architecture.name): type(
            architecture.factory("build")(architecture.config(), context)
        ).__name__
        for architecture in wganx_points.wganx_architectures()
    }
    assert built == {
        ("generator", "mlp"): "MlpGenerator",
        ("critic", "mlp"): "MlpCritic",
        ("critic", "lipschitz-mlp"): "LipschitzMLP",
    }
