"""Every problem at once, each with its place, its cause, its source and the nearest right name."""

from __future__ import annotations

import pytest

from wganx.errors import ConfigError, PluginError
from wganx.wasserstein import CONSTRAINTS


def said(resolve, *settings: str, **named) -> str:
    with pytest.raises(ConfigError) as failure:
        resolve(*settings, **named)
    return str(failure.value)


def one(resolve, setting: str, **named) -> str:
    """The one problem that one setting causes, without the frame around it."""
    text = said(resolve, setting, **named)
    head, body, source = text.split("\n")
    assert head == "1 problem in the configuration"
    assert source == f"      from --set {setting}"
    return body.strip()


def test_all_problems_at_once(resolve, write):
    config = write(
        "train:\n  batch_sise: 4\nobjective:\n  name: waserstein\n"
        "generator:\n  widht: 3\n  noise: -1\ncritic:\n  name: large\ntrian:\n  steps: 3\n"
    )
    environ = {"WGANX__TRAIN__STEPS": "lots"}
    assert said(resolve, "constraint.weight=-1", "steps=5", config=config, environ=environ) == (
        "9 problems in the configuration\n"
        "  critic.name: no critic named 'large' in plugin 'tones' for modality 'tone'; offered: small, orthonormal\n"
        f"      from {config}:9\n"
        "  objective.name: no objective named 'waserstein'; offered: wasserstein, non-saturating, least-squares,"
        " hinge, relativistic, energy, sliced, sinkhorn; did you mean 'wasserstein'?\n"
        f"      from {config}:4\n"
        "  generator.noise: Input should be greater than or equal to 0 (got -1)\n"
        f"      from {config}:7\n"
        "  generator.widht: no such option; did you mean 'width'?\n"
        f"      from {config}:6\n"
        "  constraint.weight: Input should be greater than or equal to 0 (got -1)\n"
        "      from --set constraint.weight=-1\n"
        "  train.steps: Input should be a valid integer, unable to parse string as an integer (got 'lots')\n"
        "      from env WGANX__TRAIN__STEPS\n"
        "  train.batch_sise: no such option; did you mean 'batch_size'?\n"
        f"      from {config}:2\n"
        "  trian: no such section; did you mean 'train'?\n"
        f"      from {config}:10\n"
        "  steps: no such section; did you mean 'train.steps'?\n"
        "      from --set steps=5"
    )


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("train.batch_size=0", "train.batch_size: Input should be greater than or equal to 1 (got 0)"),
        ("train.ema=1", "train.ema: Input should be less than 1 (got 1)"),
        ("train.precision=fp16", "train.precision: Input should be 'auto', 'fp32', 'tf32' or 'bf16' (got 'fp16')"),
        ("train.steps=on", "train.steps: expected a number (got True)"),
        ("dataset.feed=off", "dataset.feed: Input should be 'auto', 'resident' or 'stream' (got False)"),
        ("optimizer.lr=.inf", "optimizer.lr: Input should be a finite number (got inf)"),
        ("optimizer.lr=0", "optimizer.lr: Input should be greater than 0 (got 0)"),
        ("optimizer.name=sgd", "optimizer.name: Input should be 'adam' or 'rmsprop' (got 'sgd')"),
        ("optimizer.betas=[0, 1]", "optimizer: Optimizer: betas must lie in [0, 1), got (0.0, 1.0)"),
        ("optimizer.betas=[true, 0.9]", "optimizer.betas: expected a number (got True)"),
        ("seed=-1", "seed: Input should be greater than or equal to 0 (got -1)"),
        (
            "dataset.title=2024",
            "dataset.title: Input should be a valid string (got 2024); to keep it text, quote it: '\"...\"'",
        ),
        (
            "dataset.workers=2",
            "dataset.workers: has no effect with dataset.feed=resident; set feed to stream, or workers to 0 (got 2)",
        ),
        ("dataset.pitch=0", "dataset.pitch: Input should be greater than 0 (got 0)"),
        (
            "zzz.steps=5",
            "zzz: no such section; sections: plugin, scenario, extensions, seed, device, dataset, task, "
            "generator, critic, objective, constraint, optimizer, train, evaluate, checkpoint, preview, log",
        ),
        (
            "every=5",
            "every: no such section; did you mean 'constraint.every' or 'evaluate.every' or "
            "'checkpoint.every' or 'preview.every' or 'log.every'?",
        ),
        ("log.zzz=5", "log.zzz: no such option; options: every"),
        ("evaluate.metrics=[]", "evaluate.metrics: Tuple should have at least 1 item after validation, not 0 (got [])"),
        ("evaluate.metrics=[voice]", "evaluate.metrics: metric 'voice' is for task convert, not 'generate'"),
        (
            "evaluate.metrics=[pich]",
            "evaluate.metrics: no metric named 'pich' in plugin 'tones' for modality 'tone'; "
            "offered: pitch, tempo, voice; did you mean 'pitch'?",
        ),
        (
            "checkpoint.best=pitch_eror",
            "checkpoint.best: no metric says which 'pitch_eror' is better; values that can be ranked: "
            "pitch_error, tempo_error; did you mean 'pitch_error'?",
        ),
        (
            "checkpoint.best=pitch_error",
            "checkpoint.best: has no effect while evaluate.every is 0; "
            "set evaluate.every to the steps between evaluations",
        ),
        (
            "constraint.name=gradient-penality",
            "constraint.name: no constraint named 'gradient-penality'; "
            f"offered: {', '.join(CONSTRAINTS)}; did you mean 'gradient-penalty'?",
        ),
        (
            "dataset.name=sine",
            "dataset.name: no dataset named 'sine' in plugin 'tones'; offered: sines, chords, folder, "
            "disc, pixels; did you mean 'sines'?",
        ),
    ],
)
def test_one_problem(resolve, setting, problem):
    assert one(resolve, setting) == problem


def test_best_must_be_among_the_metrics_computed(resolve):
    text = said(resolve, "checkpoint.best=pitch_error", "evaluate.every=5", "evaluate.metrics=[tempo]")
    assert "values that can be ranked: tempo_error" in text


def test_parts_of_another_modality(resolve):
    text = said(resolve, "dataset.name=pixels")
    assert text == (
        "3 problems in the configuration\n"
        "  task.name: task 'generate' is for modality 'tone', not 'picture'; none is offered\n"
        "      from scenario 'first' of plugin 'tones'\n"
        "  generator.name: generator 'small' is for modality 'tone', not 'picture'; none is offered\n"
        "      from scenario 'first' of plugin 'tones'\n"
        "  critic.name: critic 'small' is for modality 'tone', not 'picture'; none is offered\n"
        "      from scenario 'first' of plugin 'tones'"
    )


def test_what_a_parts_own_check_refuses(resolve):
    assert said(resolve, "dataset.low=5", "dataset.name=chords") == (
        "1 problem in the configuration\n"
        "  dataset: low must be below high\n"
        "      from scenario 'first' of plugin 'tones', --set dataset.low=5, --set dataset.name=chords"
    )


def test_a_section_that_is_no_section(resolve, write):
    config = write("generator: wide\n")
    text = said(resolve, config=config)
    assert text.startswith("1 problem in the configuration\n  generator: Input should be a valid dictionary")
    assert text.endswith(f"(got 'wide')\n      from {config}:1")


def test_values_that_nobody_gave(resolve, tmp_path):
    (tmp_path / "site" / "wganx-tones" / "second.yaml").write_text("dataset: {name: folder}\n", encoding="utf-8")
    assert said(resolve, scenario="second") == (
        "5 problems in the configuration\n"
        "  dataset.root: has no value; give it, e.g. --set dataset.root=...\n"
        "  task.name: has no value; give it, e.g. --set task.name=...\n"
        "  generator.name: has no value; give it, e.g. --set generator.name=...\n"
        "  critic.name: has no value; give it, e.g. --set critic.name=...\n"
        "  train.steps: has no value; give it, e.g. --set train.steps=..."
    )


def test_an_empty_section_says_nothing(resolve, write):
    assert resolve(config=write("train:\n")).run.train.steps == 100


def test_plugin_and_extensions_of_the_wrong_kind(resolve):
    assert said(resolve, "extensions=loud") == (
        "plugin must be a name and extensions a list of names, got 'tones' and 'loud'"
    )


def test_a_part_whose_field_the_core_owns(resolve, fake_distribution, tones):
    source = """
        from wganx import Architecture, Config, hookimpl
        WGANX_API = 1
        class Net(Config):
            noise: int = 3
        @hookimpl
        def wganx_architectures():
            return [Architecture(name="own", modality="tone", role="generator", summary="", config=Net, build=print)]
    """
    fake_distribution("wganx-own", "1", {"own": "wx_own"}, {"wx_own": source})
    with pytest.raises(PluginError) as failure:
        resolve("extensions=[own]", "generator.name=own")
    assert str(failure.value) == (
        "plugin 'own' (wganx-own 1, wx_own): generator 'own' has a configuration field 'noise',"
        " which the core owns; rename it"
    )


def test_of_thousands_of_problems_the_first_are_told(write, resolve):
    config = write("train:\n" + "\n".join(f"  option_{number}: {number}" for number in range(4000)))
    text = said(resolve, config=config).split("\n")
    assert text[0] == "4,000 problems in the configuration"
    assert text[1].startswith("  train.option_0: no such option; ")
    assert len(text) == 2 + 2 * 50
    assert text[-1] == "  and 3,950 more"


def test_numbers_and_texts_beyond_all_measure(resolve):
    assert one(resolve, "seed=1000000000000000000000000000000") == (
        "seed: Input should have at most 64 bits (got 1000000000000000000000000000000)"
    )
    problem = said(resolve, f"train.steps={'x' * 300}").split("\n")[1]
    assert problem.endswith(f"(got '{'x' * 199}... (302 characters))")
    assert one(resolve, "generator.noise=.inf") == (
        "generator.noise: Input should be a length such as 64, or a shape such as [64, 8] (got inf)"
    )
    with pytest.raises(
        ConfigError, match=r"^override train.init: 'a.x00b' holds the character U.0000, which no setting"
    ):
        resolve(overrides={"train.init": "a\0b"})
