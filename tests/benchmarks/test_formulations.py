"""The comparison of formulations: what it asks is a question that `wganx compare` would carry out."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from wganx.cli.compare import compare
from wganx.comparison import ask, parse_variants

PATH = Path(__file__).parents[2] / "benchmarks" / "formulations.py"
SPEC = importlib.util.spec_from_file_location("formulations", PATH)
formulations = sys.modules[SPEC.name] = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(formulations)


@pytest.mark.parametrize("budget", ["updates", "seconds"])
@pytest.mark.parametrize("data", formulations.SETTINGS, ids="-".join)
def test_every_comparison_is_a_question_that_can_be_asked(data, budget, tmp_path):
    command = formulations.arguments(data, budget, tmp_path)
    told = compare.make_context("compare", command[1:]).params
    variants = parse_variants((), told["variants"])
    assert [variant.name for variant in variants] == list(formulations.FORMULATIONS)
    question = ask(
        variants, seeds=told["seeds"], seconds=told["seconds"], baseline=told["baseline"], metrics=told["metrics"],
        plugin=told["plugin"], scenario=told["scenario"], settings=told["settings"], device=told["device"],
    )  # fmt: skip
    assert (question.seconds is None) == (budget == "updates")
    assert len(set(question.steps.values())) == (budget == "updates")
    assert question.metrics == formulations.SETTINGS[data].metrics


@pytest.mark.parametrize(
    ("typed", "scenarios"), [([], ["grid", "digits"]), (["points"], ["grid"]), (["digits"], ["digits"])]
)
def test_without_a_word_all_data_is_compared(typed, scenarios, monkeypatch):
    called = []

    def run(command, check):
        called.append(command[command.index("--scenario") + 1])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(formulations.subprocess, "run", run)
    assert formulations.main([*typed, "--budget", "updates"]) == 0
    assert called == scenarios


def test_other_data_is_a_wrong_call(capsys):
    with pytest.raises(SystemExit):
        formulations.main(["faces"])
    assert "no data faces; choose from points, digits" in capsys.readouterr().err
