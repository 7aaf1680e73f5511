"""Code that something stored names runs where the user has agreed to it, and nowhere else."""

from __future__ import annotations

import json
import os
import py_compile
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import yaml
from click.testing import CliRunner, Result

import wganx
from wganx import trust
from wganx.cli import main
from wganx.errors import UsageError

_MINE = """
from pathlib import Path
with (Path(__file__).parent / "ran").open("a") as file:
    file.write("x")
WGANX_API = 1
"""
_FORGOTTEN = ("mine_of_trust", "evil", "helper_of_evil", "deeper_of_evil")
_TINY = (
    "train.steps=2", "train.batch_size=8", "dataset.count=100", "generator.width=4", "critic.width=4",
    "preview.walk=0", "preview.sliders=0", "preview.count=2", "evaluate.metrics=[modes]", "evaluate.n=8",
)  # fmt: skip


@pytest.fixture(autouse=True)
def own_agreements(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Nothing is agreed to, and modules of files are forgotten, as in a process that begins."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("APPDATA", str(tmp_path / "own"))
    monkeypatch.setattr(trust, "_here", {})
    before = [*sys.path]
    yield
    sys.path[:] = before
    for name in [name for name in sys.modules if name.partition(".")[0] in _FORGOTTEN]:
        sys.modules.pop(name)


def _begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "_here", {})
    sys.modules.pop("mine_of_trust", None)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run without code of its own."""
    out = tmp_path_factory.mktemp("trust") / "run"
    result = call("train", "--plugin", "points", *(f"--set={setting}" for setting in _TINY), "--out", out)
    assert result.exit_code == 0, result.output
    return out


@pytest.fixture
def stranger(trained: Path, tmp_path: Path) -> Path:
    """The run, as a stranger hands it over: its configuration names a file beside it."""
    run = shutil.copytree(trained, tmp_path / "run")
    (run / "evil.py").write_text(_MINE, encoding="utf-8")
    config = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
    config["extensions"] = [str(run / "evil.py")]
    (run / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return run


@pytest.mark.parametrize(
    "command",
    [
        ("sample", "RUN", "-n", "2"),
        ("evaluate", "RUN"),
        ("resume", "RUN", "--set", "train.steps=4"),
        ("demo", "RUN"),
        ("distance", "RUN", "RUN"),
        ("report", "RUN", "--listen"),
        ("export", "RUN", "--format", "safetensors", "--what", "critic"),
        ("train", "--out", "RUN", "--resume"),
        ("train", "--config", "RUN/config.yaml", "--out", "new"),
        ("train", "--config", "RUN/config.yaml", "--dry-run"),
        ("train", "--config", "RUN/config.yaml", "--nproc", "2", "--out", "new"),
        ("compare", "--config", "RUN/config.yaml", "--seeds", "1", "--vary", "train.ema=0,0.5", "--out", "new"),
        (
            "tune",
            "--config",
            "RUN/config.yaml",
            "--search",
            "train.ema=0,0.5",
            "--metric",
            "modes",
            "--trials",
            "1",
            "--out",
            "new",
        ),
        ("config", "show", "--config", "RUN/config.yaml"),
        ("config", "schema", "--config", "RUN/config.yaml"),
    ],
    ids=" ".join,
)
def test_no_command_runs_what_a_stored_configuration_names(
    stranger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = call(*(word.replace("RUN", str(stranger)) for word in command))
    assert result.exit_code == 2, result.output
    assert f"names {stranger / 'evil.py'}, a file of code, which would be executed; read it" in result.output
    assert "--trust" in result.output
    assert not (stranger / "ran").exists()
    assert not (tmp_path / "new").exists()


def test_what_can_do_without_the_code_does(stranger: Path) -> None:
    for picture in stranger.glob("samples/*"):
        picture.unlink()
    report = call("report", stranger)
    assert report.exit_code == 0
    assert "no walk through the noise" in report.output
    pushed = call("push", stranger, "anna/x", "--dry-run")
    assert "no samples go along" in pushed.output
    assert "evil.py, a file of code" in report.output
    assert not (stranger / "ran").exists()


def test_a_checkpoint_runs_nothing_either(stranger: Path, trained: Path) -> None:
    shutil.copy(trained / "config.yaml", stranger / "config.yaml")
    for record in stranger.glob("checkpoints/*/state.json"):
        state = json.loads(record.read_text(encoding="utf-8"))
        state["about"]["plugins"] += [{"name": str(stranger / "evil.py"), "distribution": "", "version": ""}]
        record.write_text(json.dumps(state), encoding="utf-8")
    for command in (
        ("sample", stranger), ("export", stranger, "--format", "safetensors"),
        ("pretrained", "sample", stranger, "--out", stranger / "drawn"),
    ):  # fmt: skip
        result = call(*command)
        assert result.exit_code == 2, result.output
        assert f"a checkpoint of {stranger} names {stranger / 'evil.py'}" in result.output
    with pytest.raises(UsageError, match=r"evil\.py, a file of code"):
        wganx.load_generator(stranger)
    assert not (stranger / "ran").exists()
    wganx.load_generator(stranger, trust=True)
    assert (stranger / "ran").exists()


def test_trust_is_said_once_and_kept_for_this_file(stranger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("sample", stranger, "-n", "1", "--trust").exit_code == 0
    assert (stranger / "ran").exists()
    _begin_anew(monkeypatch)
    assert call("sample", stranger, "-n", "1").exit_code == 0
    (stranger / "evil.py").write_text(_MINE + "more = 1\n", encoding="utf-8")
    assert call("sample", stranger, "-n", "1").exit_code == 2
    sys.modules.pop("evil")
    sys.path.remove(str(stranger))
    copy = shutil.copytree(stranger, stranger.parent / "copy")
    text = (copy / "config.yaml").read_text(encoding="utf-8").replace(str(stranger), str(copy))
    (copy / "config.yaml").write_text(text, encoding="utf-8")
    (copy / "evil.py").write_text(_MINE, encoding="utf-8")
    with pytest.raises(UsageError, match="copy/evil.py".replace("/", r"[/\\\\]")):
        wganx.load_run(copy)
    wganx.load_run(copy, trust=True)


def _with_helpers(stranger: Path) -> list[Path]:
    """The stranger's code imports other files, in every way that a statement has."""
    (stranger / "evil.py").write_text(
        _MINE + "import helper_of_evil\nlazy = 'named_by_evil:Network'\n", encoding="utf-8"
    )
    (stranger / "helper_of_evil.py").write_text("from deeper_of_evil import more\n", encoding="utf-8")
    (stranger / "named_by_evil.py").write_text("Network = 1\n", encoding="utf-8")
    (stranger / "never_named.py").write_text("", encoding="utf-8")
    package = stranger / "deeper_of_evil"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "more.py").write_text("from . import most\n", encoding="utf-8")
    (package / "most.py").write_text("import os.path, json\n", encoding="utf-8")
    return [
        package / "__init__.py", package / "more.py", package / "most.py", stranger / "helper_of_evil.py",
        stranger / "named_by_evil.py",
    ]  # fmt: skip


def test_what_agreed_code_imports_is_agreed_to_with_it(stranger: Path) -> None:
    """And asks anew once it has changed."""
    helpers = _with_helpers(stranger)
    beside = ", ".join(str(path.relative_to(stranger)) for path in helpers)
    refused = call("sample", stranger, "-n", "1")
    assert (
        f"evil.py, a file of code, which would be executed, and so would what it imports beside it ({beside}); read "
        "them, and if you trust them say --trust" in refused.output
    )
    told = json.loads(call("doctor", "--security", stranger, "--json").output)
    assert told["executes"][0]["imports"] == [str(path) for path in helpers]
    assert f"which imports {helpers[0]}, " in call("doctor", "--security", stranger).output
    file = stranger / "evil.py"
    for helper in helpers:
        trust.agree(file)
        assert trust.agreed(file)
        helper.write_text(helper.read_text(encoding="utf-8") + "\nmore = 1\n", encoding="utf-8")
        assert not trust.agreed(file), helper
    (stranger / "never_named.py").write_text("changed = 1\n", encoding="utf-8")
    trust.agree(file)
    assert trust.agreed(file)
    (stranger / "json.py").write_text("", encoding="utf-8")  # may be imported now, for all that is known
    assert not trust.agreed(file)


def test_what_is_installed_is_not_shadowed_by_what_lies_beside_code(stranger: Path) -> None:
    (stranger / "evil.py").write_text(_MINE + "import json, numpy, wave\n", encoding="utf-8")
    for name in ("json", "numpy", "wave"):
        (stranger / f"{name}.py").write_text("raise SystemExit('planted')\n", encoding="utf-8")
    sys.modules.pop("wave", None)
    assert call("sample", stranger, "-n", "1", "--trust").exit_code == 0
    assert (stranger / "ran").exists()


@pytest.mark.parametrize("unchecked", [False, True])
def test_code_runs_as_it_can_be_read(stranger: Path, unchecked: bool) -> None:
    """Compiled files beside it that say something else, and that Python would take for it, are not executed."""
    helpers = [stranger / "evil.py", *_with_helpers(stranger)[:4]]
    for file in helpers:
        text = file.read_text(encoding="utf-8")
        planted = f"open({str(stranger / 'planted')!r}, 'w').close()\n" + text
        file.write_text(planted, encoding="utf-8")
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH if unchecked else py_compile.PycInvalidationMode.TIMESTAMP
        compiled = Path(str(py_compile.compile(str(file), doraise=True, invalidation_mode=mode)))
        facts = file.stat()
        file.write_text(text + "#" * (len(planted) - len(text)), encoding="utf-8")
        os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        assert compiled.is_file()
    assert call("sample", stranger, "-n", "1", "--trust").exit_code == 0
    assert "deeper_of_evil.most" in sys.modules
    assert (stranger / "ran").exists()
    assert not (stranger / "planted").exists()


def test_who_started_a_run_goes_on_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine_of_trust.py").write_text(_MINE, encoding="utf-8")
    begun = call(
        "train", "--plugin", "points", "--extension", "./mine_of_trust.py", *(f"--set={each}" for each in _TINY),
        "--out", "run",
    )  # fmt: skip
    assert begun.exit_code == 0, begun.output
    for command in (("resume", "run", "--set", "train.steps=3"), ("sample", "run", "-n", "1")):
        _begin_anew(monkeypatch)
        assert call(*command).exit_code == 0
    # An edit is one more word, and none where the call names the file itself.
    (tmp_path / "mine_of_trust.py").write_text(_MINE + "more = 1\n", encoding="utf-8")
    _begin_anew(monkeypatch)
    assert call("sample", "run", "-n", "1").exit_code == 2
    named = call("sample", "run", "-n", "1", "--extension", str(tmp_path / "mine_of_trust.py"))
    assert named.exit_code == 0, named.output


def test_processes_that_are_started_know_what_was_agreed_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine.py"
    file.write_text("", encoding="utf-8")
    (tmp_path / "own").write_text("no folder", encoding="utf-8")  # where nothing can be kept
    trust.agree(file)
    assert trust.agreed(file)
    told = {**os.environ, **trust.for_others()}
    program = f"import pathlib; from wganx.trust import agreed; print(agreed(pathlib.Path({str(file)!r})))"
    assert subprocess.check_output([sys.executable, "-c", program], env=told, text=True).strip() == "True"
    monkeypatch.setattr(trust, "_here", {})
    assert trust.for_others() == {}
    assert not trust.agreed(file)
    with pytest.raises(UsageError, match="a file of code"):
        trust.check_code(file, "x")
    with trust.trusting():
        told = trust.for_others()
    assert told == {trust.ALL: "1"}
    monkeypatch.setenv(*next(iter(told.items())))
    trust.check_code(file, "x")
    assert trust.agreed(file)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"x": 1}', "\x00", '{"x": {}}'])
def test_agreements_that_are_damaged_are_none(tmp_path: Path, content: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text("x = 1", encoding="utf-8")
    kept = trust.agreements_file()
    kept.parent.mkdir(parents=True)
    kept.write_text(content, encoding="utf-8")
    assert not trust.agreed(file)
    trust.agree(file)
    assert list(json.loads(kept.read_text(encoding="utf-8"))) == [str(file)]
    if os.name == "posix":
        assert kept.stat().st_mode & 0o777 == 0o600
        kept.chmod(0o666)  # anybody could have written it
        trust._here.clear()
        assert not trust.agreed(file)


@pytest.mark.parametrize("name", ["net.pt", "net.bin"])
def test_a_network_as_a_program_asks_too(stranger: Path, trained: Path, name: str) -> None:
    """By its name, and under any other by what it holds."""
    shutil.copy(trained / "config.yaml", stranger / "config.yaml")
    network = stranger / name
    with zipfile.ZipFile(network, "w") as archive:
        archive.writestr("net/constants.pkl", b"no TorchScript")
    config = yaml.safe_load((stranger / "config.yaml").read_text(encoding="utf-8"))
    config["evaluate"]["metrics"] = [{"name": "frechet", "extractor": str(network)}]
    (stranger / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    assert f"names {network}, a file of code" in call("evaluate", stranger).output
    # What the call names is read at once.
    named = call("evaluate", stranger, "--extractor", network, "--metrics", "frechet")
    assert ("cannot be read as a network" if name == "net.pt" else "holds weights, and no network") in named.output


def test_doctor_says_what_a_run_would_execute(stranger: Path, trained: Path) -> None:
    clean = call("doctor", "--security", trained)
    assert clean.exit_code == 0
    assert (
        clean.output == f"opening {trained} executes nothing of its own: its plugins are installed, the rest is data\n"
    )
    (stranger / "samples" / "link.png").symlink_to("/etc/passwd")
    found = call("doctor", "--security", stranger)
    assert found.exit_code == 1
    assert f"config.yaml names {stranger / 'evil.py'}, a file of code: you have not agreed to it" in found.output
    assert "link.png is a link to /etc/passwd; a run makes none" in found.output
    told = json.loads(call("doctor", "--security", stranger, "--json").output)
    assert told["executes"] == [
        {"file": str(stranger / "evil.py"), "named_by": "config.yaml", "agreed": False, "imports": []}
    ]
    assert not (stranger / "ran").exists()
    trust.agree(stranger / "evil.py")
    assert "you agreed to it" in call("doctor", "--security", stranger).output
    (stranger / "evil.py").unlink()
    assert "it is not there" in call("doctor", "--security", stranger).output
    assert "there is no run in" in call("doctor", "--security", stranger / "samples").output


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (
            {"optimizer": {"class": "os:system", "betas": [0, 0.9]}},
            "the optimizer 'os:system', which is not wganx's own",
        ),
        ({"objective": ["os.system", {}]}, "the objective 'os.system', which is not wganx's own"),
        ({"constraint": [["clip", {"run": "x"}]]}, "its rules are no rules of a trainer"),
        ({"noise": 3}, "its rules are no rules of a trainer"),
        (None, "state.json is damaged: rules"),
    ],
)
def test_a_checkpoint_names_no_class_to_be_called(tmp_path: Path, rules: object, said: str) -> None:
    """As Lightning's `_instantiator` did (Lightning-AI/pytorch-lightning#21832), read from data and called."""
    networks = torch.nn.Linear(2, 2), torch.nn.Linear(2, 1)
    wganx.Trainer(*networks, noise=(2,), device="cpu").save(tmp_path / "x")
    record = tmp_path / "x" / "state.json"
    state = json.loads(record.read_text(encoding="utf-8"))
    state["rules"] = {**state["rules"], **rules} if isinstance(rules, dict) else rules
    record.write_text(json.dumps(state), encoding="utf-8")
    with pytest.raises(wganx.WganxError, match=re.escape(said)):
        wganx.Trainer.load(tmp_path / "x", *networks)
