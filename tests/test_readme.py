"""The README: its example runs, and its commands exist."""

import re
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from wganx.cli import main

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_python_example_trains_towards_its_data(capsys):
    code = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    assert "steps=2000" in code
    torch.manual_seed(0)
    scope: dict[str, object] = {}
    exec(compile(code.replace("steps=2000", "steps=300"), "README.md", "exec"), scope)
    assert capsys.readouterr().out.startswith("tensor(")
    mean = scope["trainer"].sample(500).mean(0)
    assert (mean - 3).abs().max() < 2.5, "started at 0, the data is at 3"


@pytest.mark.slow
def test_the_distances_are_what_their_comments_say(capsys):
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "exact_w1" in block]
    torch.manual_seed(0)
    exec(compile(code, "README.md", "exec"), {})
    plug_in, certified = map(float, capsys.readouterr().out.split())
    assert plug_in == pytest.approx(3.8, abs=0.1)
    assert 1.6 < certified < 2.1


@pytest.mark.parametrize("command", sorted(set(re.findall(r"^(?:pip .* && )?wganx ([a-z]+)", README, re.MULTILINE))))
def test_the_commands_exist(command):
    assert CliRunner().invoke(main, [command, "--help"]).exit_code == 0


def test_the_two_commands():
    blocks = re.findall(r"```\n(.*?)\n```", README, re.DOTALL)
    assert blocks[0] == "pip install . && wganx train --plugin image"
    assert blocks[1] == 'pip install ".[test]" && pytest'
