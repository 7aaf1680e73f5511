"""The source archive and the wheel: all files in them, a description that holds by itself, and what they tell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

import wganx
from wganx.commit import commit_of

from .conftest import ROOT, Build

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"(?<=\]\()[^)\s]+|(?<=href=\")[^\"]+|(?<=src=\")[^\"]+")


def tracked(*folders: str) -> set[str]:
    """Files of the checkout that these tests are in, as git has them."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("no checkout, or no git, to compare with")
    command = ["git", "ls-files", "-z", "--cached", *folders]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    return {name for name in listed.split("\0") if name and (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def metadata(installed: Path) -> Message:
    (file,) = installed.glob("*.dist-info/METADATA")
    return message_from_bytes(file.read_bytes())


@pytest.fixture(scope="module")
def description(metadata: Message) -> str:
    body = metadata.get_payload(decode=True)
    assert isinstance(body, bytes)
    return body.decode()


def test_the_source_archive_has_every_file(unpacked: Path) -> None:
    packed = {file.relative_to(unpacked).as_posix() for file in unpacked.rglob("*") if file.is_file()}
    assert tracked() - packed == set(), "name them in [tool.hatch.build.targets.sdist]"


def test_the_wheel_has_every_file_of_the_packages(wheel: Path) -> None:
    """Scenarios, templates, styles of the report: what is no module is forgotten most easily."""
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {name.removeprefix("plugins/") for name in tracked("wganx", "plugins")}
    assert expected - packed == set()
    assert "wganx/commit.txt" in packed
    assert {name.split("/")[0] for name in packed} == {
        "wganx", "wganx_audio", "wganx_image", "wganx_mlflow.py", "wganx_points", "wganx_video", "wganx_wandb.py",
    }  # fmt: skip


def test_the_wheel_of_the_source_archive_is_that_of_the_tree(wheel: Path, build: Build, tmp_path: Path) -> None:
    direct = build("wheel", ROOT, tmp_path)
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(direct) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())
        assert one.read("wganx/commit.txt") == other.read("wganx/commit.txt")


def told_version(site: Path, elsewhere: Path) -> str:
    """What ``wganx --version`` says from a folder where the package lies as an installer puts it."""
    code = f"import sys; sys.path.insert(0, {str(site)!r}); from wganx.cli import main; main(['--version'])"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=elsewhere, env={**os.environ, "PYTHONPATH": ""}, capture_output=True,
        text=True, check=True, timeout=60,
    )  # fmt: skip
    return done.stdout.strip()


def test_the_installed_wheel_tells_version_and_commit(installed: Path, tmp_path: Path) -> None:
    recorded = commit_of(ROOT) or (ROOT / "wganx/commit.txt").read_text(encoding="ascii").strip() or "unknown"
    assert told_version(installed, tmp_path) == f"wganx, version {wganx.__version__} (commit {recorded})"


def test_built_from_files_that_do_not_say_the_commit_is_unknown(unpacked: Path, build: Build, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(unpacked, tree, ignore=shutil.ignore_patterns("tests", "docs", "benchmarks", "commit.txt"))
    (tmp_path / "out").mkdir()
    with zipfile.ZipFile(build("wheel", tree, tmp_path / "out", path="/nowhere")) as archive:
        archive.extractall(tmp_path / "site")
    assert told_version(tmp_path / "site", tmp_path) == f"wganx, version {wganx.__version__} (commit unknown)"
    assert not (tree / "wganx/commit.txt").exists(), "nothing is written into the tree"


def test_entry_points(installed: Path) -> None:
    (file,) = installed.glob("*.dist-info/entry_points.txt")
    text = file.read_text(encoding="utf-8")
    assert "[console_scripts]\nwganx = wganx.cli:main\n" in text
    for name, target in PROJECT["project"]["entry-points"]["wganx"].items():
        assert f"\n{name} = {target}\n" in f"{text}\n"


def test_metadata(metadata: Message) -> None:
    assert metadata["Version"] == wganx.__version__
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Description-Content-Type"] == "text/markdown"
    urls = dict(line.split(", ", 1) for line in metadata.get_all("Project-URL", []))
    assert list(urls) == ["Homepage", "Documentation", "Source", "Changelog", "Issues"]
    assert all(url.startswith("https://") for url in urls.values())
    classifiers = metadata.get_all("Classifier", [])
    pythons = {line.rpartition(" ")[2] for line in classifiers if re.search(r"Python :: 3\.\d+$", line)}
    assert pythons == {"3.11", "3.12", "3.13"}, "as README and CONTRIBUTING say"
    for needed in ("Development Status", "Environment :: GPU", "Operating System", "Topic", "Typing :: Typed"):
        assert any(line.startswith(needed) for line in classifiers)


def test_the_description_needs_no_repository(description: str) -> None:
    """An index shows it beside no file: every link is whole, and what it tells to type works there."""
    assert description.startswith("# wganx\n")
    for link in LINK.findall(description):
        assert re.match(r"https://|#|mailto:", link), link
    assert "pip install wganx && wganx train --plugin image" in description
    assert not re.search(r"pip install [\"']?\.", description)
    assert "&& pytest" not in description, "tests are not in the wheel: mark it as of the repository"
    assert "HFPR" not in description


def test_links_of_the_readme_are_files_and_stay_so_on_an_index(description: str) -> None:
    here = {link for link in LINK.findall(README) if not re.match(r"[a-z]+:|#", link)}
    assert here
    for link in here:
        path = link.removeprefix("./").partition("#")[0]
        assert (ROOT / path).exists(), link
        tag = f"wganx/v{wganx.__version__}/{path}" if Path(path).suffix in (".png", ".gif", ".svg", ".jpg") else None
        assert (tag or f"blob/v{wganx.__version__}/{path}") in description


def test_the_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [heading.split()[0] for heading in headings] == ["0.2.0", "0.1.0"]
    assert headings[0].split()[0] == wganx.__version__
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"date-released: {headings[0].split()[1].strip('()')}\n" in citation
