"""Files, names and processes as Windows has them, simulated; `windows` has the rules."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from wganx import storage
from wganx.comparison.variants import Variant, parse_variants
from wganx.engine import ranks
from wganx.engine.checkpoint import Checkpoint, CheckpointStore
from wganx.errors import UsageError
from wganx.storage import remove_folder, take_place, whole_folder, write_whole

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SOURCES = sorted(
    path for folder in ("wganx", "plugins", "benchmarks", "docs/_ext") for path in (ROOT / folder).rglob("*.py")
)


_OF_INTEREST = re.compile(r"\bopen\(|_text\(|subprocess|fork|link|getuid|mkfifo|start_method|DataLoader|Process|Pool")


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="what is open is looked up in /proc")
def test_a_run_is_begun_stopped_resumed_sampled_and_reported(tmp_path):
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONIOENCODING", "PYTHONUTF8")}
    done = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-W", "ignore", HERE / "elsewhere.py", tmp_path],
        env={**environ, "WGANX_CACHE": str(tmp_path / "cache")}, capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    said, failed = done.stdout.decode("cp1252"), done.stderr.decode("utf-8", "replace")
    assert done.returncode == 0, said + failed
    assert "Traceback" not in failed
    assert "cannot be removed" not in failed, "a training holds files of the checkpoint it went on from"
    assert "finished 6 steps" in said
    assert "\\u2212 --help" in said, "a letter that an old console lacks is written out"
    assert json.loads(said.splitlines()[-1]) == {"strange": [], "open": []}
    kept = sorted(path.name for path in (tmp_path / "run é" / "checkpoints").iterdir())
    assert kept == ["step-000006"]


@pytest.fixture
def held(monkeypatch):
    """Makes os.`name` fail so many times as Windows does where a file is open; tells how often it was called."""

    def hold(name, times):
        plain, calls = getattr(os, name), []

        def refusing(*arguments, **options):
            calls.append(arguments)
            if len(calls) <= times:
                raise PermissionError(13, "The process cannot access the file because it is being used", arguments[0])
            return plain(*arguments, **options)

        monkeypatch.setattr(os, name, refusing)
        return calls

    monkeypatch.setattr(storage, "_system_exchange", lambda: None)
    monkeypatch.setattr(storage, "_PATIENCE", 0.3)
    return hold


@pytest.mark.parametrize("times", [1, 3])
def test_who_lets_go_soon_is_waited_for(tmp_path, held, times):
    calls = held("replace", times)
    write_whole(tmp_path / "report.html", "new")
    assert len(calls) == times + 1
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "new"
    (tmp_path / "aside").write_text("newer", encoding="utf-8")
    calls.clear()
    take_place(tmp_path / "aside", tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "newer"


def test_folders_are_waited_for(tmp_path, held):
    (tmp_path / "entry").mkdir()
    held("rename", 2)
    with whole_folder(tmp_path / "entry") as aside:
        (aside / "new").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["entry", "new"]
    remove_folder(tmp_path / "entry")
    assert not list(tmp_path.iterdir())


def test_who_never_lets_go_is_an_error_soon_and_the_old_file_stays(tmp_path, held):
    (tmp_path / "report.html").write_text("old", encoding="utf-8")
    held("replace", 10**6)
    begun = time.monotonic()
    with pytest.raises(PermissionError, match="being used"):
        write_whole(tmp_path / "report.html", "new")
    assert time.monotonic() - begun < 2
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_elsewhere_nobody_waits_for_what_is_forbidden(tmp_path, held, monkeypatch):
    monkeypatch.setattr(storage, "_PATIENCE", 0.0)
    calls = held("replace", 10**6)
    with pytest.raises(PermissionError):
        write_whole(tmp_path / "report.html", "new")
    assert len(calls) == 1


def test_a_checkpoint_that_is_open_elsewhere_ends_no_training_and_goes_later(tmp_path, held):
    told: list[str] = []
    store = CheckpointStore(tmp_path, keep=1, warn=told.append)
    checkpoint = Checkpoint({"a": torch.ones(2)}, {"b": torch.ones(2)}, {"step": 1})
    store.save(checkpoint, 1)
    plain = Path.rename

    def rename(own, target):
        if own.name == "step-000001":
            raise PermissionError(13, "it is being used")
        return plain(own, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        store.save(checkpoint, 2)
    assert told == [f"{tmp_path / 'step-000001'} cannot be removed yet (it is being used); the next save tries again"]
    assert store.steps() == [1, 2]
    store.save(checkpoint, 3)
    assert store.steps() == [3]


@pytest.mark.parametrize("name", ["nul", "CON", "aux.1", "com1"])
def test_a_variant_that_is_called_like_a_device_has_files(name):
    assert Variant(name, {}).slug == f"variant-{name}"
    assert Variant("console", {}).slug == "console"


def test_variants_that_differ_in_case_alone_are_refused():
    with pytest.raises(UsageError, match="two variants are called"):
        parse_variants([], ["Slow:optimizer.lr=1e-4", "slow:optimizer.lr=1e-3"])


@pytest.fixture(scope="module")
def calls():
    """Every call in files that read, write or start something: where it stands, the node, its name, its options."""
    found = []
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if _OF_INTEREST.search(text) else ():
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                where = f"{path.relative_to(ROOT)}:{node.lineno}: {name}"
                found.append((where, node, name, {keyword.arg: keyword.value for keyword in node.keywords}))
    return found


def is_text(node, name, options):
    """Whether a call reads or writes text, in an encoding that is the system's unless it is said."""
    if name in ("read_text", "write_text"):
        return True
    if name in ("run", "Popen", "check_output"):
        return bool({"text", "universal_newlines", "encoding"} & options.keys())
    if name not in ("open", "fdopen", "NamedTemporaryFile") or ast.unparse(node.func).endswith("_av.open"):
        return False
    mode = options.get("mode") or next((each for each in node.args if isinstance(each, ast.Constant)), None)
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and set(mode.value) <= set("rwaxt+")


def test_whoever_reads_or_writes_text_says_its_encoding(calls):
    texts = [(where, options) for where, node, name, options in calls if is_text(node, name, options)]
    assert len(texts) > 50
    assert not [where for where, options in texts if "encoding" not in options]


def test_processes_are_spawned_and_nothing_is_forked_or_linked(calls):
    posix = ("fork", "forkpty", "symlink", "link", "symlink_to", "hardlink_to", "getuid", "mkfifo", "set_start_method")
    assert not [where for where, _, name, options in calls if name in posix or "preexec_fn" in options]
    starts = ("DataLoader", "Process", "Pool", "get_context")
    workers = [options for where, _, name, options in calls if name in starts and not where.startswith("benchmarks")]
    methods = [ast.unparse(each.get("multiprocessing_context", ast.Constant(None))) for each in workers]
    assert methods == ["'spawn' if self._workers else None"]


def test_a_torch_that_is_built_for_one_process_trains_in_one(monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_available", lambda: False)
    spec = importlib.util.spec_from_file_location("ranks_alone", ranks.__file__)
    alone = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(alone)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert alone.join().count == 1
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="this torch is built for one process; unset WORLD_SIZE"):
        alone.join()


@pytest.mark.parametrize(("nccl", "carried"), [(False, "gloo"), (True, "cpu:gloo,cuda:nccl")])
def test_gloo_carries_what_lies_on_gpus_where_there_is_no_nccl(monkeypatch, nccl, carried):
    def meet(backend, **options):
        raise RuntimeError(f"asked for {backend}.")

    for name, value in (("WORLD_SIZE", "2"), ("RANK", "0"), ("LOCAL_WORLD_SIZE", "1")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda: nccl)
    monkeypatch.setattr(torch.distributed, "init_process_group", meet)
    with pytest.raises(UsageError, match=f"the processes cannot be joined: asked for {carried}\\."):
        ranks.join()


def test_processes_that_cannot_meet_are_told_of_in_a_line(tmp_path, monkeypatch):
    import click
    from torch.distributed.elastic.rendezvous import RendezvousConnectionError

    from wganx.cli import launch

    def refuse(nproc, arguments):
        cause = RuntimeError("use_libuv was requested but PyTorch was built without libuv support\nat somewhere")
        raise RendezvousConnectionError("The connection to the C10d store has failed.") from cause

    monkeypatch.setattr(launch, "_run_once", refuse)
    with pytest.raises(click.ClickException) as error:
        launch._supervise(2, [], tmp_path, resume=False)
    assert error.value.message == (
        "several processes cannot meet on this machine: use_libuv was requested but PyTorch was built without libuv "
        "support; train in one, without --nproc"
    )


def test_ctrl_break_asks_like_ctrl_c(monkeypatch):
    monkeypatch.setattr(signal, "SIGBREAK", signal.SIGUSR1, raising=False)
    monkeypatch.delattr(signal, "SIGHUP")
    from wganx.engine import stopping

    spec = importlib.util.spec_from_file_location("stopping_there", stopping.__file__)
    there = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(there)
    before = signal.getsignal(signal.SIGUSR1)
    with there.StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(0.01)
        assert stop.requested
    assert signal.getsignal(signal.SIGUSR1) == before
