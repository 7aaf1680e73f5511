"""What goes wrong between here and the Hub, and what a stranger's repository may not do: one line each."""

from __future__ import annotations

import json
import pickle
import socket
from pathlib import Path

import pytest
import yaml

import wganx
from wganx.errors import UsageError, WganxError
from wganx.hub import contents

pytest.importorskip("huggingface_hub", reason="the extra hub")

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

STATE = "checkpoints/step-000004/state.json"
WEIGHTS = "checkpoints/step-000004/weights.safetensors"


@pytest.fixture(scope="session")
def pushed(trained, tmp_path_factory):
    """The files that a push sends, without a Hub."""
    from wganx.hub.bundle import make_bundle

    folder = tmp_path_factory.mktemp("pushed")
    bundle = make_bundle(trained, "anna/rings", folder, checkpoint="last", licence=None, warn=print)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in bundle.files()}


def test_without_a_login_nothing_is_begun(hub, trained, call, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    said = call("push", trained, "anna/rings", code=2)
    assert said.startswith("wganx: nobody is logged in to 127.0.0.1:")
    assert "log in with hf auth login, or set HF_TOKEN, with a token that may write" in said
    assert not hub.requests


@pytest.mark.parametrize(
    ("repository", "faults", "code", "words"),
    [
        ("anna/rings", [("POST", "repos/create", 401)], 2, "does not know the token of this login (any longer)"),
        ("ben/rings", [], 2, "this login may not write to ben/rings at 127.0.0.1"),
        ("anna/rings", [("POST", "commit", 403)], 2, "it takes a token with that right, of anna or of a member"),
        ("anna/rings", [("POST", "commit", 409)], 1, "anna/rings was changed by someone else at the same time"),
        ("anna/rings", [("POST", "commit", 412)], 1, "anna/rings was changed by someone else at the same time"),
        ("anna/rings", [("GET", "api/models", 429)], 1, "has had too many requests of this login; wait"),
        ("anna/rings", [("POST", "batch", 503)], 1, "failed (503)"),
        ("anna/rings", [("PUT", "lfs", 500)], 1, "failed (500)"),
        ("anna/rings", [("POST", "commit", 400)], 1, "refused anna/rings (400): on request"),
        ("anna/rings", [("POST", "validate-yaml", 400)], 1, "did not take anna/rings: Invalid metadata in README.md."),
        ("anna/rings", [("POST", "preupload", 413)], 1, "does not take as much for anna/rings: on request"),
    ],
)
def test_what_the_hub_refuses_to_take(hub, trained, call, repository, faults, code, words):
    hub.faults = faults
    assert words in call("push", trained, repository, code=code)
    assert not any(hub.files(name) for name in hub.repositories)


def test_what_the_hub_does_not_give(hub, pushed, call, monkeypatch):
    hub.add("anna/rings", pushed)
    hub.add("ben/gated", pushed)
    assert "there is no model anna/ring at" in call("pull", "anna/ring", code=2)
    assert "anna/rings has no such revision" in call("pull", "anna/rings", "--revision", "v9", code=2)
    hub.faults = [("GET", "ben/gated", 403)]
    assert "ben/gated is gated: ask for access on its page at 127.0.0.1" in call("pull", "ben/gated", code=2)
    hub.faults = [("GET", "anna/rings", 403)]
    assert "this login may not read anna/rings at 127.0.0.1" in call("pull", "anna/rings", code=2)
    hub.faults = [("GET", "anna/rings", 500)]
    assert "failed (500): on request; it may be back in some minutes" in call("pull", "anna/rings", code=1)
    hub.faults = [("GET", WEIGHTS, "cut")]
    assert "broke off before anna/rings was through" in call("pull", "anna/rings", code=1)
    hub.faults = [("GET", WEIGHTS, "alter")]
    assert f"{WEIGHTS} of anna/rings came damaged: its hash is another" in call("pull", "anna/rings", code=1)
    hub.faults = [("HEAD", WEIGHTS, 500)]
    assert "anna/rings could not be fetched whole from 127.0.0.1" in call("pull", "anna/rings", code=1)
    assert not Path("rings").exists()
    hub.faults = []
    assert "6 files" in call("pull", "anna/rings")  # nothing damaged was kept in the cache
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")
        assert "cannot be reached (" in call("pull", "anna/rings", "--out", "again", code=1)
        assert "check the network and HF_ENDPOINT" in call("push", "rings", "anna/rings", code=1)


def test_what_is_there_already_is_left_alone(hub, pushed, call):
    hub.add("anna/rings", pushed)
    Path("rings").mkdir()
    call("pull", "anna/rings")
    Path("rings", "own.txt").write_text("mine")
    assert "rings is there already; give another --out" in call("pull", "anna/rings", code=2)
    assert "own.txt is there already" in call("pull", "anna/rings", "--out", "rings/own.txt", code=2)
    assert not list(Path().glob(".*writing"))


class _Bomb:
    def __reduce__(self):
        return Path.touch, (Path("exploded"),)


_BOMB = "\n".join(
    ["a0: &a0 [x, x]", *(f"a{level}: &a{level} [*a{level - 1}, *a{level - 1}]" for level in range(1, 60))]
).encode()
"""60 lines that stand for more values than there is memory."""


@pytest.mark.parametrize(
    ("path", "data", "words"),
    [
        ("weights.pkl", pickle.dumps(_Bomb()), "holds weights.pkl, which is code or may run some"),
        ("mine.py", b"open('exploded', 'w')", "holds mine.py, which is code"),
        ("samples/x.PT", b"", "holds samples/x.PT, which is code"),
        ("../outside.json", b"{}", "holds '../outside.json', a path that leads out of its folder"),
        ("samples/../../outside.png", b"", "a path that leads out of its folder"),
        ("C:\\outside.png", b"", "a path that leads out of its folder"),
        ("/outside.png", b"", "a path that leads out of its folder"),
        ("config.yaml", b"- a list", "config.yaml of anna/rings does not hold a mapping"),
        ("config.yaml", b"a: !!python/object/apply:os.system ['touch exploded']", "config.yaml of anna/rings cannot"),
        ("run.json", b"[" * 100_000, "run.json of anna/rings cannot be read"),
        ("config.yaml", _BOMB, "config.yaml of anna/rings cannot be read"),
        (STATE, b'{"x": ' + b"[" * 400 + b"]" * 400 + b"}", "anna/rings"),
        (WEIGHTS, b"other weights", "holds weights that are not those its state.json tells of"),
    ],
    ids=lambda value: value if isinstance(value, str) and "/" not in value and " " not in value else "",
)  # fmt: skip
def test_a_hostile_repository_is_refused(hub, pushed, call, path, data, words):
    hub.add("anna/rings", {**pushed, path: data})
    assert words in call("pull", "anna/rings", code=1)
    assert not Path("rings").exists()
    assert not any(Path(name).exists() for name in ("exploded", "outside.json", "../outside.json", "outside.png"))


def test_a_huge_file_is_refused_before_it_is_asked_for(hub, pushed, call):
    hub.add("anna/rings", pushed)
    for path, size, words in (
        ("run.json", 3_000_000, "holds run.json of 3.0 MB, and at most 2.0 MB are taken of it"),
        (WEIGHTS, 10**12, "at most 20,000.0 MB are taken"),
    ):
        hub.told_sizes = {path: size}
        assert words in call("pull", "anna/rings", code=1)
    hub.told_sizes = {WEIGHTS: 19 * 10**9}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda path: type("Free", (), {"free": 10**9}))
        assert "has 19,000.0 MB, and 1,000.0 MB are free below" in call("pull", "anna/rings", code=1)
    assert not [path for method, path, _ in hub.requests if "resolve" in path]


def test_a_repository_of_something_else(hub, pushed, trained, call):
    hub.add("anna/other", {"README.md": b"# Other", "model.safetensors": b"x"})
    assert "anna/other holds no run of wganx: it has no config.yaml" in call("pull", "anna/other", code=1)
    hub.add("anna/bare", {path: data for path, data in pushed.items() if path != WEIGHTS})
    assert "it has no checkpoint" in call("pull", "anna/bare", code=1)
    hub.add("anna/torch", {"model.pt": b"x"})
    said = call("push", trained, "anna/torch", code=2)
    assert "anna/torch holds model.pt, which is no part of a run" in said
    # What lies beside a run and can do no harm is not taken, and no reason to refuse.
    hub.add("anna/rings", {**pushed, "LICENSE": b"MIT", "docs/more.md": b"more", "samples/.hidden.png": b"x"})
    call("pull", "anna/rings")
    assert sorted(path.name for path in Path("rings").iterdir()) == [
        "checkpoints", "config.yaml", "evaluation.json", "run.json", "samples",
    ]  # fmt: skip


def test_a_plugin_that_is_a_file_is_named_and_never_run(hub, pushed, call):
    bomb = "from pathlib import Path\nPath('exploded').touch()\nWGANX_API = 1\n"
    Path("mine.py").write_text(bomb)  # of the same name, where the command is called
    Path("deep").mkdir()
    Path("deep", "read_by_me.py").write_text(bomb)
    for plugin in ("./mine.py", "mine.py", str(Path("deep/read_by_me.py").absolute())):
        config = yaml.safe_load(pushed["config.yaml"]) | {"extensions": [plugin]}
        state = json.loads(pushed[STATE])
        state["about"]["plugins"].append({"name": Path(plugin).stem, "distribution": "", "version": "", "file": plugin})
        name = Path(plugin).name
        files = {**pushed, "config.yaml": yaml.safe_dump(config).encode(), STATE: json.dumps(state).encode()}
        hub.add("anna/rings", files)
        out = Path(f"rings-{plugin.count('/')}").absolute()
        said = call("pull", "anna/rings", "--out", out)
        assert f"it needs {out}/{name}, code that is never fetched: ask whoever made it" in said
        assert f"no plugin file {out}/{name}" in call("sample", out, "-n", 2, code=2)
        with pytest.raises(UsageError, match=r"no plugin file .*\.py"):
            wganx.load_generator(out)
    assert not Path("exploded").exists()
    Path(out, name).write_text("WGANX_API = 1\n")  # who has read it puts it there
    assert f"names {out}/{name}, a file of code" in call("sample", out, "-n", 2, code=2)
    assert "2 samples" in call("sample", out, "-n", 2, "--out", "drawn", "--trust")


@pytest.mark.parametrize("name", ["mine.py", "/tmp/mine.py", "a b", ""])
def test_a_checkpoint_names_plugins_by_words(hub, pushed, call, name):
    state = json.loads(pushed[STATE])
    state["about"]["plugins"] = [{"name": name, "distribution": "", "version": "", "file": None}]
    hub.add("anna/rings", {**pushed, STATE: json.dumps(state).encode()})
    assert "state.json of anna/rings names a plugin" in call("pull", "anna/rings", code=1)


def test_a_plugin_that_is_not_installed_is_named(hub, pushed, call):
    state = json.loads(pushed[STATE])
    state["about"]["plugins"] = [{"name": "spectra", "distribution": "wganx-spectra", "version": "2.1", "file": None}]
    config = yaml.safe_load(pushed["config.yaml"]) | {"plugin": "wganx-spectra:spectra"}
    files = {"config.yaml": yaml.safe_dump(config).encode(), STATE: json.dumps(state).encode()}
    hub.add("anna/rings", {**pushed, **files})
    said = call("pull", "anna/rings")
    assert "it needs the plugin spectra (wganx-spectra 2.1), which is not installed here" in said
    assert "no plugin named 'wganx-spectra:spectra'" in call("sample", "rings", code=2)


def test_a_strangers_paths_are_none_of_this_machine(hub, pushed, call):
    config = yaml.safe_load(pushed["config.yaml"])
    config["train"]["init"] = "/etc/weights.pth"
    config["evaluate"]["extractors"] = {"own": {"weights": "/etc/passwd"}}
    hub.add("anna/rings", {**pushed, "config.yaml": yaml.safe_dump(config).encode()})
    call("pull", "anna/rings")
    assert "/etc" not in Path("rings/config.yaml").read_text()
    assert "2 samples" in call("sample", "rings", "-n", 2, "--out", "drawn")


def test_a_checkpoint_that_is_not_whole_is_not_sent(trained, tmp_path, call):
    import shutil

    run = tmp_path / "run"
    shutil.copytree(trained, run)
    weights = run / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    assert "weights.safetensors is damaged" in call("push", run, "anna/rings", "--dry-run", code=1)
    assert "no checkpoint '7'" in call("push", run, "anna/rings", "--dry-run", "--checkpoint", 7, code=1)
    assert "there is no run in" in call("push", tmp_path, "anna/rings", "--dry-run", code=2)
    words = "'My Own' is no name that the Hub has for a licence"
    assert words in call("push", run, "anna/rings", "--dry-run", "--licence", "My Own", code=2)


def test_too_many_files_are_refused():
    entries = [contents.Entry(f"samples/{index}.png", 1) for index in range(65)]
    with pytest.raises(WganxError, match="holds 65 files of a run, and at most 64 are taken"):
        contents.chosen(entries, "anna/rings")
