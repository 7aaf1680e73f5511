"""Evaluations as tables in a terminal."""

import io

import pytest
from rich.console import Console

from wganx.cli.numbers import curve_table, evaluation_table, notes
from wganx.evaluation import Evaluation, Row


def row(metric, value, better, generated, **others):
    return Row(metric, value, better, generated, 0.5, {"noise": 9.0, "mean": 7.0, "blurred": 8.0}, **others)


EVALUATION = Evaluation(
    step=300, n=45, seed=1, heldout=360, repeats=4, extractors={"own": "cea0321234"},
    rows=(
        row("frechet", "frechet_distance", "lower", 1.25, interval=(1.0, 1.5), extractor="own"),
        row("classes", "classes", "higher", 10.0, interval=(9.0, 11.0), extractor="own", n=20),
        row("pairs", "distance", None, 3.0),
        row("others", "distance", "lower", 4.0),
    ),
    skipped={"fid": "no weights", "kid": "no weights"},
)  # fmt: skip


def shown(table, width):
    console = Console(width=width, file=io.StringIO())
    console.print(table)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_name_or_number_is_cut_however_narrow_the_terminal(width):
    text = shown(evaluation_table(EVALUATION, width), width)
    assert "…" not in text
    lines = {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}
    assert lines["frechet_distance"][:6] == ["frechet_distance", "↓", "1.25", "1", "..", "1.5"]
    assert lines["classes"][1] == "↑"
    assert "pairs/distance" in lines
    assert "others/distance" in lines


def test_baselines_that_do_not_fit_give_way_to_the_worst_of_them():
    wide, narrow = (shown(evaluation_table(EVALUATION, width), width) for width in (200, 60))
    assert all(name in wide for name in ("noise", "mean", "blurred"))
    assert "ceiling" not in wide
    lines = {line.split()[0]: line.split()[-1] for line in narrow.splitlines() if line.strip()}
    assert lines["frechet_distance"] == "9"  # lower is better, and noise is the worst
    assert lines["classes"] == "7"
    assert lines["pairs/distance"] == "-"
    assert "ceiling: the worst of noise, mean, blurred" in " ".join(narrow.split())


def test_a_curve_has_a_column_a_step():
    later = Evaluation(**{**vars(EVALUATION), "step": 600, "rows": EVALUATION.rows[1:]})
    lines = {
        line.split()[0]: line.split()[1:]
        for line in shown(curve_table([EVALUATION, later]), 80).splitlines()
        if line.strip()
    }
    assert lines["frechet_distance"] == ["↓", "1.25", "-", "0.5"]
    assert lines["classes"] == ["↑", "10", "10", "0.5"]


def test_features_fewer_rows_and_what_was_skipped_are_said():
    said = list(notes(EVALUATION))
    assert "features of own@cea032: frechet_distance, classes" in said
    assert "20 rows a side: classes" in said
    assert "fid, kid skipped: no weights" in said


def test_a_number_that_a_baseline_beats_is_marked():
    beaten = Evaluation(
        step=1, n=2, seed=0, heldout=9, rows=(row("error", "mse", "lower", 8.0, beaten_by=("mean",)),)
    )  # fmt: skip
    (line,) = [line for line in shown(evaluation_table(beaten, 200), 200).splitlines() if "mse" in line]
    assert line.split()[:4] == ["mse", "↓", "8", "!"]
    assert beaten.defeats() == ["the baseline mean does as well as the generator or better: mse 7 (generated 8)"]
