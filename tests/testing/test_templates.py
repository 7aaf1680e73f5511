"""``wganx plugins new``: packages that work, and refusals that say why. .ci/scaffolds installs and trains them all."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from wganx.cli import main
from wganx.errors import UsageError
from wganx.templates import KINDS, render

EVERY = [
    ("modality", None),
    ("dataset", "image"),
    ("dataset", "points"),
    ("architecture", "image"),
    ("architecture", "points"),
    ("metric", "image"),
    ("constraint", None),
    ("observer", None),
]
NAMES = ("a", "quite-a-long-name-for-a-plugin")


@pytest.fixture
def rendered(tmp_path):
    return lambda name, kind, modality: render(name, kind, modality, tmp_path / f"{name}-{kind}-{modality}")


def test_every_kind_is_tried():
    assert {kind for kind, _ in EVERY} == set(KINDS)


@pytest.mark.parametrize(("kind", "modality"), EVERY)
def test_what_is_written_is_a_whole_package(rendered, kind, modality):
    folder = rendered("spectro-b", kind, modality)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files >= {
        "pyproject.toml",
        "README.md",
        ".gitignore",
        ".github/workflows/ci.yml",
        "src/wganx_spectro_b/__init__.py",
        "src/wganx_spectro_b/py.typed",
        "tests/test_conformance.py",
    }
    assert 'spectro-b = "wganx_spectro_b"' in (folder / "pyproject.toml").read_text(encoding="utf-8")
    assert not any("$" in path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("kind", "modality"), EVERY)
def test_what_is_written_is_well_formed(rendered, kind, modality, name):
    """By the rendered package's own rules, however long its name."""
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip("ruff is not installed")
    folder = rendered(name, kind, modality)
    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        done = subprocess.run([ruff, *command, "."], cwd=folder, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_parts_are_small(rendered):
    """What an author reads and changes: some 30 to 50 lines for one part, some 150 for a whole modality."""
    for kind, modality in EVERY:
        lines = [
            line
            for path in (rendered("spectro", kind, modality) / "src").rglob("*.py")
            for line in path.read_text(encoding="utf-8").splitlines()
            if line.strip()
        ]
        assert len(lines) < (140 if kind == "modality" else 60), kind


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A dataset for points, rendered, built and unpacked, which is all that installing a pure wheel does."""
    pytest.importorskip("hatchling", reason="builds the package")
    folder = tmp_path_factory.mktemp("scaffold")
    package = render("kit-curve", "dataset", "points", folder / "package")
    build = "import sys, hatchling.build; print(hatchling.build.build_wheel(sys.argv[1]))"
    made = subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=package, check=True, capture_output=True, text=True
    )
    with zipfile.ZipFile(folder / made.stdout.split()[-1]) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def wganx(site, folder, *arguments):
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", "from wganx.cli import main; main()", *arguments]
    return subprocess.run(command, cwd=folder, env=environ, check=False, capture_output=True, text=True)


@pytest.mark.slow
def test_it_passes_its_checks_and_trains_as_its_readme_says(site, tmp_path):
    checked = wganx(site, tmp_path, "plugins", "check", "kit-curve")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    readme = (site.parent / "package" / "README.md").read_text(encoding="utf-8")
    (line,) = [line for line in readme.splitlines() if line.startswith("wganx train")]
    small = ["train.steps=3", "train.batch_size=8", "preview.count=4"]
    done = wganx(site, tmp_path, *line.split()[1:], *[word for value in small for word in ("--set", value)])
    assert done.returncode == 0, done.stdout + done.stderr
    assert list((tmp_path / "runs").glob("*/report.html"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["Spectro"], "'Spectro' is no name for a plugin: lower-case words joined by '-', like 'spectro'"),
        (["class"], "'class' is no name for a plugin"),
        (["image"], "'image' is the name of plugin 'image' (wganx "),
        (
            ["x", "--kind", "datasets"],
            "no kind 'datasets'; kinds: modality, dataset, architecture, metric, constraint, ",
        ),
        (["x", "--kind", "datasets"], "did you mean 'dataset'?"),
        (["x", "--kind", "dataset"], "a dataset is for one modality: say --modality image or points"),
        (["x", "--kind", "metric", "--modality", "imge"], "modalities: image, points; did you mean 'image'?"),
        (["x", "--modality", "image"], "modality 'image' is there already; add to it with --kind dataset"),
        (["x", "--modality", "A B"], "'A B' is no name for a modality"),
        (["x", "--kind", "observer", "--modality", "sound"], "observers belong to no modality; leave --modality out"),
    ],
)
def test_refusals(tmp_path, arguments, says):
    done = CliRunner().invoke(main, ["plugins", "new", *arguments, "--out", str(tmp_path / "new")])
    assert done.exit_code == 2
    assert says in done.output
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_there(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is there already; give another --out, or remove it"):
        render("spectro", out=tmp_path)


def test_the_command_says_what_to_do_next(tmp_path):
    done = CliRunner().invoke(main, ["plugins", "new", "spectro", "--out", str(tmp_path / "new")])
    assert done.exit_code == 0, done.output
    assert f"pip install -e {tmp_path / 'new'}" in done.output
    assert "wganx plugins check spectro" in done.output
