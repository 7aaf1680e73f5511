"""A run sent to a stand-in of the Hub and fetched from it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

import wganx
from wganx.hub import pull, push

pytest.importorskip("huggingface_hub", reason="the extra hub")

# How huggingface_hub sends files to its own HTTP library.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


def test_a_pulled_run_draws_the_bits_of_the_pushed_one(hub, trained, call, tmp_path):
    said = call("push", trained, "anna/rings", "--licence", "cc-by-4.0")
    assert re.search(
        r"sent 7 files, .* kB, step 4, to http.*/anna/rings \(public\); to fetch it: wganx pull anna/rings", said
    )
    assert "named in it: the classes of label: mode 0, mode 1" in said
    said = call("pull", "anna/rings")
    assert "7 files" in said
    assert "its card: rings/README.md" in said
    folder = tmp_path / "rings"
    one, other = wganx.load_generator(trained), wganx.load_generator(folder)
    assert not other.module.training
    assert torch.equal(one.draw(6, given={"label": "mode 3"}), other.draw(6, given={"label": "mode 3"}))
    assert "4 samples" in call("sample", folder, "-n", 4, "--class", "mode 1", "--out", tmp_path / "drawn")
    assert torch.equal(wganx.load_run(trained).sample(5), wganx.load_run(folder).sample(5))
    assert (folder / "report.html").exists() is False
    assert "report.html" in call("report", folder)


def test_nothing_is_sent_but_what_draws(hub, trained, call):
    call("push", trained, "anna/rings", "--message", "the first")
    files = hub.files("anna/rings")
    assert sorted(files) == [
        "README.md", "checkpoints/step-000004/state.json", "checkpoints/step-000004/weights.safetensors", "config.yaml",
        "evaluation.json", "run.json", "samples/grid.png",
    ]  # fmt: skip
    assert hub.repositories["anna/rings"].commits[-1][2] == "the first"
    from safetensors.torch import load

    weights = load(files["checkpoints/step-000004/weights.safetensors"])
    assert {name.partition("/")[0] for name in weights} == {"average"}
    state = json.loads(files["checkpoints/step-000004/state.json"])
    assert sorted(state) == ["about", "digests", "format", "step", "wganx"]
    assert list(state["digests"]) == ["weights.safetensors"]


def test_what_is_sent_names_no_machine_path_or_token(hub, trained, tmp_path):
    run = tmp_path / "home" / "anna" / "runs" / "faces"
    shutil.copytree(trained, run)
    (run / "mine.py").write_text("import wganx\nWGANX_API = 1\n")
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["extensions"] = [str(run / "mine.py")]
    config["train"]["init"] = "/secret/place/weights.pth"
    config["train"]["init_sha256"] = None
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    facts = json.loads((run / "run.json").read_text())
    facts |= {"notes": ["read /secret/place"], "command": "wganx --data /secret/place", "host": "secret-host"}
    facts["data"]["source"] = "C:\\secret\\photos"
    (run / "run.json").write_text(json.dumps(facts))
    for name in (".env", "token", "notes.txt", "samples/real.png"):
        (run / name).write_text("secret hf_ofAnna")
    heard = []
    sent = push(run, "anna/rings", warn=heard.append)
    assert sent.files_needed == ("mine.py",)
    everything = b"".join(hub.files("anna/rings").values())
    for word in (b"secret", b"/anna/runs", str(tmp_path).encode(), b"hf_ofAnna"):
        assert word not in everything, word
    assert yaml.safe_load(hub.files("anna/rings")["config.yaml"])["extensions"] == ["./mine.py"]


def test_a_dry_run_needs_neither_login_nor_network(hub, trained, call, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    said = call("push", trained, "anna/rings", "--dry-run", "--checkpoint", 2)
    assert "checkpoints/step-000002/weights.safetensors" in said
    assert "evaluation.json" not in said  # those numbers are of step 4
    assert said.endswith("step 2, to anna/rings; nothing was sent\n")
    assert not hub.requests
    assert 'pip install "wganx[hub]"' in call("push", trained, "anna/rings", code=1)
    assert 'pip install "wganx[hub]"' in call("pull", "anna/rings", code=1)


def test_a_later_push_takes_the_place_of_an_earlier_one(hub, trained, call):
    call("push", trained, "anna/rings", "--checkpoint", 2)
    first = hub.repositories["anna/rings"].commits[-1][0]
    said = call("push", trained, "anna/rings")
    assert "of an earlier push 2 files were taken away" in said
    steps = {path.split("/")[1] for path in hub.files("anna/rings") if path.startswith("checkpoints")}
    assert steps == {"step-000004"}
    call("pull", "anna/rings", "--revision", first, "--out", "earlier")
    assert [path.name for path in Path("earlier/checkpoints").iterdir()] == ["step-000002"]
    assert json.loads(Path("earlier/run.json").read_text())["pulled"] == {"repository": "anna/rings", "revision": first}


def test_private_is_private_or_nothing_is_sent(hub, trained, call, monkeypatch):
    assert "(private)" in call("push", trained, "anna/mine", "--private")
    assert hub.repositories["anna/mine"].private
    hub.add("anna/seen")
    assert "anna/seen is there and public" in call("push", trained, "anna/seen", "--private", code=2)
    assert not hub.files("anna/seen")
    call("pull", "anna/mine", "--out", "own")
    monkeypatch.setenv("HF_TOKEN", "hf_ofBen")
    assert "there is no model anna/mine at 127.0.0.1" in call("pull", "anna/mine", "--out", "other", code=2)
    assert not Path("other").exists()


def test_a_card_that_was_changed_on_the_hub_is_kept(hub, trained, call):
    call("push", trained, "anna/rings", "--checkpoint", 2)
    found = hub.repositories["anna/rings"]
    ours = found.commits[-1][1]
    call("push", trained, "anna/rings")  # unchanged: written anew
    assert found.commits[-1][1]["README.md"] != ours["README.md"]
    edited = found.commits[-1][1]["README.md"].replace(b"## Use\n", b"## Use\n\nAsk Anna.\n")
    found.commit({**found.commits[-1][1], "README.md": edited})
    assert "was changed there and is kept" in call("push", trained, "anna/rings", "--checkpoint", 2)
    assert found.commits[-1][1]["README.md"] == edited
    assert "checkpoints/step-000002/state.json" in found.commits[-1][1]


def test_a_licence_chosen_on_the_hubs_page_holds(hub, trained, call):
    hub.add("anna/rings", {"README.md": b"---\nlicense: mit\n---\n", ".gitattributes": b""})
    call("push", trained, "anna/rings")
    assert b"license: mit\n" in hub.files("anna/rings")["README.md"]
    call("push", trained, "anna/rings", "--licence", "apache-2.0")
    assert b"license: apache-2.0\n" in hub.files("anna/rings")["README.md"]


def test_a_download_that_broke_off_is_gone_on_with(hub, trained, call, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 100)
    call("push", trained, "anna/rings")
    hub.faults = [("GET", "weights.safetensors", "cut once")]
    call("pull", "anna/rings")
    name = "checkpoints/step-000004/weights.safetensors"
    asked = [
        headers.get("range", headers.get("Range"))
        for method, path, headers in hub.requests
        if method == "GET" and name in path
    ]
    assert asked[0] is None
    assert int(asked[1].removeprefix("bytes=").removesuffix("-")) > 0
    assert Path("rings", name).read_bytes() == hub.files("anna/rings")[name]


def test_offline_the_cache_serves_and_nothing_is_asked(hub, trained, call, tmp_path):
    call("push", trained, "anna/rings")
    call("pull", "anna/rings", "--out", "online")
    asked = len(hub.requests)
    alone = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1", "HF_ENDPOINT": hub.url}
    script = (
        "import sys; from click.testing import CliRunner; from wganx.cli import main\n"
        "for name, out in (('anna/rings', 'offline'), ('anna/other', 'none')):\n"
        "    print(CliRunner().invoke(main, ['pull', name, '--out', out]).output)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], env=alone, capture_output=True, text=True, timeout=120)
    assert "7 files" in done.stdout, done.stdout + done.stderr
    assert "anna/other is not whole in the cache of the Hub, and HF_HUB_OFFLINE forbids to fetch it" in done.stdout
    assert done.stdout.endswith("False\n")  # fetching needs no torch
    assert len(hub.requests) == asked
    for path in Path("online").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == Path("offline", path.relative_to("online")).read_bytes()


def test_offline_a_cache_that_is_not_whole_is_none(hub, trained, call, monkeypatch):
    push(trained, "anna/rings", warn=print)
    pull("anna/rings", out="online")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE is set, so nothing is sent to 127.0.0.1" in call("push", trained, "anna/rings", code=2)
    (cached,) = Path("hf").rglob("state.json")
    cached.unlink()
    assert "anna/rings is not whole in the cache of the Hub" in call("pull", "anna/rings", "--out", "offline", code=2)
    assert not Path("offline").exists()


def test_the_client_says_whose_it_is_and_to_whom_the_token_goes(hub, trained):
    push(trained, "anna/rings", warn=print)
    pull("anna/rings", out="here")
    for method, path, headers in hub.requests:
        sent = {name.lower(): value for name, value in headers.items()}
        if not path.startswith("/lfs/"):  # where files lie, not the Hub
            assert sent["authorization"] == "Bearer hf_ofAnna", (method, path)
            assert sent["user-agent"].startswith(f"wganx/{wganx.__version__}"), (method, path)


@pytest.mark.parametrize(
    "name", ["rings", "anna/", "/rings", "anna/a/b", "../x", "anna/..", "anna/a--b", "an na/x", "anna/x.git"]
)
def test_a_name_that_is_none_is_refused_before_anything(name, trained, call):
    for command in (("push", trained, name), ("pull", name)):
        assert f"{name!r} is no name of a repository: write OWNER/NAME" in call(*command, code=2)
