"""The commands: help with an example, exit codes, one line an error."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import wganx
from wganx.cli import main

SMALL = [
    "--set", "train.steps=6", "--set", "train.batch_size=16", "--set", "train.critic_steps=2",
    "--set", "dataset.count=100", "--set", "generator.width=8", "--set", "critic.width=8",
    "--set", "log.every=2", "--set", "preview.every=3", "--set", "preview.count=9", "--set", "checkpoint.every=3",
    "--device", "cpu",
]  # fmt: skip


def call(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "run"
    output = call("train", "--plugin", "points", "--scenario", "ring-labels", *SMALL, "--out", folder)
    return folder, output


def commands(group, name=("wganx",)):
    for key, command in group.commands.items():
        yield (*name, key), command
        if hasattr(command, "commands"):
            yield from commands(command, (*name, key))


@pytest.mark.parametrize("path", [path for path, _ in commands(main)], ids=" ".join)
def test_every_command_has_help_with_an_example(path):
    output = call(*path[1:], "--help")
    assert "Example:" in output
    assert f"wganx {path[1]}" in output.split("Example:")[1]


def test_train_says_what_it_does(run):
    folder, output = run
    assert "points / ring-labels  seed 0  on cpu" in output
    assert "data  resident: 100 items" in output
    assert "held out: 100" in output
    assert "step 2/6  W1 raw" in output
    assert "steps/s" in output
    assert f"wganx sample {folder} -n 16" in output
    assert (folder / "report.html").stat().st_size > 10_000


def test_a_training_that_came_to_nothing_does_not_end_as_one_that_went_well(tmp_path):
    small = [word.replace("train.steps=6", "train.steps=40") for word in SMALL]
    folder = tmp_path / "diverged"
    output = call("train", "--plugin", "points", *small, "--set", "optimizer.lr=100", "--out", folder, code=1)
    assert "WX021 the training diverged before step" in output
    assert "again after a roll-back; lower the learning rate (optimizer.lr)" in output
    assert not any(word in output for word in ("finished", "WX012", "nothing to mend"))
    records = (folder / "metrics.jsonl").read_text()
    assert not any(word in records for word in ("Infinity", "NaN", "WX012"))
    assert json.loads((folder / "run.json").read_text())["status"] == "failed"

    free = ["--set", "constraint.name=none", "--set", "optimizer.critic_lr=0.3"]
    output = call("train", "--plugin", "points", *small, *free, "--out", tmp_path / "free")
    assert "finished 40 steps" in output
    assert "\nvoid    WX002 stands: nothing keeps the critic's slope small; choose a constraint" in output


def test_resume_and_more_steps(run):
    folder, _ = run
    output = call("resume", folder, "--set", "train.steps=8")
    assert "resuming after step 6" in output
    assert "finished 8 steps" in output
    assert "finished 8 steps" in call("train", "--resume", "--out", folder)


def test_sample_writes_files_and_a_grid(run, tmp_path):
    folder, _ = run
    output = call("sample", folder, "-n", 5, "--seed", 3, "--class", "mode 2", "--out", tmp_path / "drawn")
    assert "5 samples" in output
    assert (tmp_path / "drawn/grid.png").exists()
    assert list((tmp_path / "drawn").glob("sample*"))
    assert "no class 'x'; classes: mode 0, mode 1" in call("sample", folder, "--class", "x", code=2)
    assert "no checkpoint '5'" in call("sample", folder, "--checkpoint", "5", code=1)


def test_samples_are_not_put_into_a_folder_that_is_named_like_a_file(run, tmp_path):
    folder, _ = run
    told = call("sample", folder, "-n", 2, "--out", tmp_path / "one.png", code=2)
    assert "one.png is the name of a file, and samples are files in a folder" in told
    assert not (tmp_path / "one.png").exists()


def test_weights_are_given_to_an_extractor_by_its_name(run, tmp_path):
    folder, _ = run
    told = call("evaluate", folder, "-n", 20, "--weights", "own=net.pth", code=2)
    assert "--weights own=...: extractor 'own' takes no file; leave it out" in told
    assert "no extractor named 'owl'" in call("evaluate", folder, "--weights", "owl=net.pth", code=2)
    # Without a name it is Inception's, and so is a file with an equals sign in its own.
    odd = tmp_path / "a=b.pth"
    odd.write_bytes(b"nothing")
    for given in (tmp_path / "none.pth", odd):
        told = call("evaluate", folder, "-n", 20, "--metric", "exact-w1", "--weights", given, code=2)
        assert "--weights is for fid, kid, inception-score, and none of them is asked for" in told


def test_evaluate_prints_a_table_or_json(run):
    folder, _ = run
    table = call("evaluate", folder, "-n", 20)
    assert "floor" in table
    assert "gaussian" in table
    data = json.loads(call("evaluate", folder, "-n", 20, "--metric", "exact-w1", "--json"))
    assert data["n"] == 20
    assert [row["metric"] for row in data["rows"]] == ["exact-w1"]
    assert "no metric named 'w2'" in call("evaluate", folder, "--metric", "w2", code=2)


def test_report(run, tmp_path):
    folder, _ = run
    (folder / "report.html").unlink()
    assert call("report", folder).strip() == str(folder / "report.html")
    assert "there is no run in" in call("report", tmp_path / "nowhere", code=2)


def test_config_show_tells_where_every_value_comes_from(monkeypatch):
    monkeypatch.setenv("WGANX__TRAIN__EMA", "0.5")
    shown = call("config", "show", "--plugin", "points", "--set", "train.steps=7", "--origins")
    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in shown.splitlines()}
    assert rows["train.steps"] == ["7", "--set train.steps=7"]
    assert rows["train.ema"] == ["0.5", "env WGANX__TRAIN__EMA"]
    assert rows["train.accumulate"] == ["1", "default"]
    assert rows["dataset.name"][1].startswith("scenario 'ring' of plugin 'points' (ring.yaml:")


def test_config_show_is_itself_an_input(run, tmp_path):
    shown = call("config", "show", "--plugin", "points", "--set", "train.steps=7")
    (tmp_path / "mine.yaml").write_text(shown, encoding="utf-8")
    assert call("config", "show", "--config", tmp_path / "mine.yaml") == shown
    schema = json.loads(call("config", "schema", "--plugin", "points"))
    assert "train" in schema["properties"]


def test_config_errors_come_all_at_once():
    output = call(
        "train", "--plugin", "points", "--set", "train.step=5", "--set", "constraint.weight=-1", "--set",
        "objective.name=wassertein", code=2,
    )  # fmt: skip
    assert "train.step: no such option; did you mean 'steps'?" in output
    assert "constraint.weight" in output
    assert "from --set constraint.weight=-1" in output
    assert "did you mean 'wasserstein'?" in output


def test_plugins_list_and_show():
    assert "points" in call("plugins")
    rows = {row["name"]: row for row in json.loads(call("plugins", "list", "--json", "--strict"))}
    assert rows["points"]["status"] == rows["image"]["status"] == "ok"
    shown = call("plugins", "show", "points")
    assert "moons-to-ring" in shown
    assert "cost_weight" in shown
    offers = json.loads(call("plugins", "show", "image", "--json"))["offers"]
    assert {"kind": "dataset", "name": "digits"}.items() <= next(o for o in offers if o["name"] == "digits").items()
    assert "PydanticUndefined" not in call("plugins", "show", "image", "--json")
    folder = next(o for o in offers if (o["kind"], o["name"]) == ("dataset", "folder"))
    assert folder["options"]["root"] == "(required)"
    assert folder["options"]["size"] == "auto"
    assert "root=(required)" in call("plugins", "show", "image")
    assert "no plugin named 'imag'" in call("plugins", "show", "imag", code=2)


def test_a_broken_plugin_is_a_row(fake_distribution, only_fake_plugins):
    fake_distribution("wganx-broken", "0.3", {"broken": "wx_broken"}, {"wx_broken": "import nonexistent_dep"})
    assert "broken" in call("plugins")
    assert "nonexistent_dep" in call("plugins", "list", "--strict", code=1)
    output = call("train", "--plugin", "broken", code=2)
    assert output.startswith("wganx: plugin 'broken' (wganx-broken 0.3, wx_broken) does not import: ")
    assert output.count("\n") == 1


def test_commands_of_a_plugin(fake_distribution, only_fake_plugins):
    source = """
    import click
    from wganx import hookimpl
    WGANX_API = 1

    @click.command()
    def hello():
        click.echo("hello from the plugin")

    @hookimpl
    def wganx_commands():
        return [hello]
    """
    fake_distribution("wganx-polite", "0.1", {"polite": "wx_polite"}, {"wx_polite": source})
    assert "hello from the plugin" in call("polite", "hello")
    assert "No such command" in call("rude", "hello", code=2)


def test_doctor():
    findings = json.loads(call("doctor", "--json"))
    assert findings["penalty self-test"].startswith("ok")
    assert findings["wganx"] == wganx.__version__
    assert "torch" in call("doctor")


def test_data_scan(tmp_path):
    from PIL import Image

    for name in ("cats/a.png", "cats/b.png", "dogs/c.png"):
        path = tmp_path / "pets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6), (len(name), 2, 3)).save(path)
    (tmp_path / "pets/dogs/torn.png").write_bytes(b"\x89PNG nothing")
    (tmp_path / "pets/notes.txt").write_text("hello")
    output = call("data", "scan", tmp_path / "pets", "--plugin", "image")
    assert "4 files" in output
    assert "cats" in output
    assert "8x6 3" in output
    assert "dogs/torn.png" in output
    assert "not read: 1 .txt" in output
    report = json.loads(call("data", "scan", tmp_path / "pets", "--plugin", "image", "--json"))
    assert report["duplicates"] == [["cats/a.png", "cats/b.png", "dogs/c.png"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train"], "no plugin is chosen: say which with --plugin NAME"),
        (["train", "--plugin", "imagee"], "no plugin named 'imagee'"),
        (["train", "--plugin", "image", "--data", "nowhere"], "nowhere"),
        (["train", "--plugin", "points", "--scenario", "rings"], "did you mean 'ring'?"),
        (["train", "--plugin", "points", "--device", "gpu"], "'gpu' cannot be used: there is no kind of that name"),
        (["train", "--plugin", "points", "--config", "nowhere.yaml"], "cannot read the configuration nowhere.yaml"),
        (["resume", "nowhere"], "there is no run in nowhere: it has no config.yaml"),
        (["sample", "nowhere"], "there is no run in nowhere"),
        (["data", "scan", "nowhere", "--plugin", "image"], "nowhere"),
        (["data", "scan", "nowhere"], "say whose files they are, with --plugin image"),
        (["train", "--no-such-flag"], "No such option"),
    ],
    ids=" ".join,
)
def test_wrong_calls_end_with_2_and_a_message(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in call(*arguments, code=2)
    assert list(Path(tmp_path).iterdir()) == []


def test_an_empty_folder_is_an_error_not_a_hang(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "empty" in call("train", "--plugin", "image", "--data", tmp_path / "empty", code=2)


def test_debug_shows_the_traceback():
    result = CliRunner().invoke(main, ["--debug", "resume", "nowhere"])
    assert result.exit_code == 2
    assert "Traceback" in result.stderr


def test_an_export_lies_in_its_run_where_no_folder_is_named(run, tmp_path):
    folder, _ = run
    call("export", folder, "--format", "safetensors")
    assert (folder / "exports" / "generator-safetensors" / "card.json").is_file()
    assert "is there already" in call("export", folder, "--format", "safetensors", code=2)
    call("export", tmp_path / "none", "--format", "safetensors", code=2)
    assert not (tmp_path / "none").exists()


def test_a_path_with_a_nul_is_a_wrong_call():
    tried = 0
    for name, command in commands(main):
        for option in command.params:
            if isinstance(option.type, click.Path):
                named = [] if isinstance(option, click.Argument) else [option.opts[0]]
                output = call(*name[1:], *named, "a\0b", code=2)
                assert "holds no NUL" in output, (name, option.name)
                tried += 1
    assert tried > 20
