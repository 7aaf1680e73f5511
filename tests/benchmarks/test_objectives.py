"""The comparison of objectives: every training in it is a run that can be made, and the table says what was found."""

import pytest

import wganx
from wganx.config import resolve


@pytest.fixture(scope="module")
def objectives(_importable):
    import objectives

    return objectives


@pytest.mark.parametrize("name", ["ring", "grid", "digits"])
def test_every_training_is_a_run_that_can_be_made(objectives, name):
    data = objectives.DATA[name]
    for objective in objectives.OBJECTIVES:
        overrides = objectives.overrides(data, objective, quick=False)
        resolved = resolve(plugin=data.plugin, scenario=name, device="cpu", overrides=overrides, environ={})
        assert resolved.objective.name == objective.partition("+")[0].replace("wgan-gp", "wasserstein").replace(
            "scenario", "wasserstein"
        )
        assert resolved.objective.trains_critic == (objective in ("wgan-gp", "scenario") or "+critic" in objective)
        assert set(data.metrics) <= set(resolved.every_metric())
    assert resolved.constraint.name == wganx.LipschitzPenalty.name


def test_the_table_has_medians_and_the_worst(objectives):
    found = [
        {"objective": "energy", "steps": 90, "scores": {"modes": modes, "high_quality": 0.5, "w1": w1},
         "floors": {"modes": 8, "high_quality": 1.0, "w1": 0.1}}
        for modes, w1 in ((8, 0.2), (7, 0.4), (8, 0.3))
    ]  # fmt: skip
    told = objectives.table("ring", {"energy": 0.01, "wgan-gp": 0.04}, found)
    assert "| `energy` | 90 | 0.25 | 8 (7) | 0.5 (0.5) | 0.3 (0.4) |" in told
    assert "| real samples | | | 8 | 1 | 0.1 |" in told


def test_other_data_is_a_wrong_call(objectives, capsys):
    with pytest.raises(SystemExit):
        objectives.main(["faces"])
    assert "no data faces; choose from ring, grid, digits" in capsys.readouterr().err
