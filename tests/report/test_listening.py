"""What is refused before a listening page is written."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

import wganx
from wganx.cli import main


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    out = tmp_path_factory.mktemp("points") / "run"
    return wganx.train("points", overrides={"train.steps": 2, "preview.every": 2}, out=out, device="cpu").folder.path


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--listen"], "there is nothing to be heard in samples of modality 'points'; wganx report shows them"),
        (["-n", "3"], "-n is for --listen: the report shows what the training drew"),
        (["--listen", "--follow"], "--follow serves the report alone; give --listen without it"),
    ],
)
def test_a_wrong_call_says_why(points, options, said):
    result = CliRunner().invoke(main, ["report", str(points), *options])
    assert result.exit_code == 2
    assert said in result.output
    assert not (points / "listen.html").exists()
