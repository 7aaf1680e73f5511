"""Reading files, environment and settings; what is no configuration is refused with its place."""

from __future__ import annotations

import pytest

from wganx.config.sources import Layer, add_settings, read_environment, read_file
from wganx.errors import ConfigError


def refused(read, *arguments) -> str:
    with pytest.raises(ConfigError) as failure:
        read(*arguments)
    return str(failure.value)


def settings(*texts: str) -> Layer:
    layer = Layer()
    add_settings(layer, texts)
    return layer


def test_every_key_of_a_file_knows_its_line(write):
    path = write("# a comment\ntrain:\n  steps: 5\n\n  ema: 0.9\noptimizer: {betas: [0, 0.9], lr: 1e-4}\n")
    layer = read_file(path)
    assert layer.values == {"train": {"steps": 5, "ema": 0.9}, "optimizer": {"betas": [0, 0.9], "lr": "1e-4"}}
    assert layer.origins == {
        ("train",): f"{path}:2",
        ("train", "steps"): f"{path}:3",
        ("train", "ema"): f"{path}:5",
        ("optimizer",): f"{path}:6",
        ("optimizer", "betas"): f"{path}:6",
        ("optimizer", "lr"): f"{path}:6",
    }


@pytest.mark.parametrize("text", ["", "# nothing\n", "train:\n"])
def test_a_file_that_says_nothing(write, text):
    assert read_file(write(text)).values == {}


def test_a_key_that_yaml_would_read_as_a_truth_value_stays_text(write):
    assert read_file(write("task: {on: 1}")).values == {"task": {"on": 1}}


def test_a_file_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("seed: 1\n", encoding="utf-8-sig")
    assert read_file(path).values == {"seed": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train:\n  steps: 5\n  steps: 6\n", "{path}:3: train.steps is given twice, first in line 2; give it once"),
        ("a: 1\nb: 2\na: 3\n", "{path}:3: a is given twice, first in line 1; give it once"),
        ("train:\n  - steps: 1\n    steps: 2\n", "{path}:3: train.steps is given twice, first in line 2; give it once"),
        ("train: {steps: 5\n", "{path}:2: this is no YAML: expected ',' or '}}', but got '<stream end>'; quote text"),
        ("root: @home\n", "{path}:1: this is no YAML: found character '@' that cannot start any token; quote text"),
        ("a: 1\n---\nb: 2\n", "{path}:2: this is no YAML: but found another document; quote text"),
        (
            "a: !!python/object:os.system {}\n",
            "{path}:1: the YAML tag 'tag:yaml.org,2002:python/object:os.system' is not allowed",
        ),
        (
            "a: !!python/name:os.system x\n",
            "{path}:1: this is no YAML: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/name:os.system'; quote text",
        ),
        ("? [a, b]\n: 1\n", "{path}:1: a key must be text"),
        ("a: &x {b: *x}\n", "{path}:1: the YAML contains itself"),
        ("- train\n", "{path} holds no sections: expected lines like 'train:', got ['train']"),
        ("train", "{path} holds no sections: expected lines like 'train:', got 'train'"),
        (
            "a: \x00\n",
            "{path}:1: this is no YAML: unacceptable character #x0000: special characters are not allowed"
            ' in "<unicode string>", position 3',
        ),
    ],
)
def test_a_file_that_is_no_configuration(write, text, message):
    path = write(text)
    assert refused(read_file, path) == message.format(path=path)


def test_files_that_cannot_be_read(tmp_path):
    missing = tmp_path / "missing.yaml"
    assert refused(read_file, missing) == f"cannot read the configuration {missing}: No such file or directory"
    assert refused(read_file, tmp_path).startswith(f"cannot read the configuration {tmp_path}: ")
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"a: \xe9\n")
    assert refused(read_file, latin) == f"cannot read the configuration {latin}: it is not UTF-8 text"


def test_the_environment_is_read_as_yaml():
    environ = {"WGANX__TRAIN__STEPS": "5", "WGANX__SEED": "1", "WGANX_OTHER": "x", "PATH": "/", "wganx__device": "cpu"}
    layer = read_environment(environ)
    assert layer.values == {"train": {"steps": 5}, "seed": 1, "device": "cpu"}
    assert layer.origins[("train", "steps")] == "env WGANX__TRAIN__STEPS"


def test_an_environment_that_is_no_configuration():
    assert refused(read_environment, {"WGANX__TRAIN__": "5"}) == (
        "env WGANX__TRAIN__: expected a name like WGANX__TRAIN__STEPS"
    )
    assert refused(read_environment, {"WGANX__TRAIN": "{steps: 1}", "WGANX__TRAIN__STEPS": "5"}) == (
        "train.steps is given twice: by env WGANX__TRAIN and by env WGANX__TRAIN__STEPS; give it once"
    )
    assert refused(read_environment, {"WGANX__SEED": "["}).startswith("env WGANX__SEED: this is no YAML: ")


def test_settings_are_read_as_yaml():
    layer = settings("train.steps=5", "dataset.root=C:\\data", "optimizer.betas=[0, 0.9]", "a.b.c=x=y", "d.e=")
    assert layer.values == {
        "train": {"steps": 5},
        "dataset": {"root": "C:\\data"},
        "optimizer": {"betas": [0, 0.9]},
        "a": {"b": {"c": "x=y"}},
        "d": {"e": None},
    }
    assert layer.origins[("a", "b", "c")] == "--set a.b.c=x=y"


@pytest.mark.parametrize("setting", ["train.steps", "=5", "train.=5", ".steps=5", ""])
def test_a_setting_that_is_none(setting):
    assert refused(settings, setting) == (f"--set {setting}: expected section.key=value, like --set train.steps=500")


@pytest.mark.parametrize(
    ("first", "second", "key"),
    [
        ("train.steps=5", "train.steps=6", "train.steps"),
        ("train.steps=5", "train={ema: 0}", "train"),
        ("train={ema: 0}", "train.ema=1", "train.ema"),
        ("train=5", "train.steps=5", "train.steps"),
    ],
)
def test_a_setting_given_twice(first, second, key):
    assert refused(settings, first, second) == (
        f"{key} is given twice: by --set {first} and by --set {second}; give it once"
    )
