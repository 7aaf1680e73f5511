"""The README: its examples run, its commands and links exist; the Chinese one shows the same."""

import re
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from wganx.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh.md").read_text(encoding="utf-8")
LARGEST = 150_000
"""Bytes of a picture."""


def blocks(text: str) -> list[str]:
    """Its blocks of code, each with its language, without the comments, which are translated."""
    found = re.findall(r"^```(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [re.sub(r"\s+# .*$", "", block, flags=re.MULTILINE) for block in found]


@pytest.mark.slow
def test_the_python_example_comes_near_its_data(capsys):
    code = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    torch.manual_seed(0)
    scope: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), scope)
    assert capsys.readouterr().out.startswith("tensor(")
    mean = scope["trainer"].sample(1000).mean(0)
    assert (mean - 3).abs().max() < 0.3, "started at 0, the data is at 3"


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


def test_the_chinese_one_has_the_same_code():
    assert len(blocks(README)) == 6
    assert blocks(CHINESE) == blocks(README)


def test_the_chinese_one_has_the_same_sections_pictures_and_table():
    def shape(text: str) -> tuple[list[int], list[str], list[str]]:
        outside = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
        levels = [len(marks) for marks in re.findall(r"^(#+) ", outside, re.MULTILINE)]
        return levels, re.findall(r'src="([^"]+)"', outside), re.findall(r"^\| (`\w+`) \|", outside, re.MULTILINE)

    assert shape(CHINESE) == shape(README)


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_links_and_pictures_are_there(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    pictures = re.findall(r'<img src="([^"]+)"', text)
    assert all((ROOT / link).is_file() for link in links), links
    assert {"README.md", "README.zh.md"} - {name} <= set(links), "each leads to the other"
    assert len(pictures) >= 3
    assert all((ROOT / picture).stat().st_size < LARGEST for picture in pictures)


def test_it_is_short():
    assert len(README.splitlines()) <= 115
