"""The comparison of formulations: what it asks is a question that `wganx compare` would carry out."""

import importlib.util
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
