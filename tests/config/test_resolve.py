"""From names and layers to one run: what wins, what is chosen, and where it came from."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wganx
from wganx.config import from_yaml, schema
from wganx.errors import ConfigError, PluginError, WganxError
from wganx.wasserstein import CONSTRAINTS, OBJECTIVES, ByConstruction, Combined


def test_the_default_scenario_and_the_defaults(resolve):
    resolved = resolve()
    run = resolved.run
    assert (run.plugin, run.scenario, run.extensions, run.seed, run.device) == ("tones", "first", (), 0, "auto")
    assert (run.dataset.name, run.dataset.pitch, run.dataset.workers) == ("sines", 660.0, 0)
    assert (run.generator.width, run.generator.noise, run.critic.width) == (48, 16, 32)
    assert (run.train.steps, run.train.batch_size, run.train.critic_steps, run.train.ema) == (100, 64, 5, 0.999)
    assert (run.checkpoint.every, run.checkpoint.keep, run.preview.count, run.log.every) == (500, 3, 64, 50)
    assert resolved.objective == wganx.Wasserstein()
    assert resolved.constraint == wganx.GradientPenalty(weight=5.0)
    assert resolved.optimizer == wganx.Optimizer()
    assert list(resolved.metrics) == ["pitch", "tempo"]
    assert resolved.notes == ()


def test_the_chosen_parts(resolve):
    parts = resolve(scenario="second").parts
    assert [part.name for part in (parts.modality, parts.dataset, parts.task, parts.generator, parts.critic)] == [
        "tone",
        "chords",
        "convert",
        "wide",
        "small",
    ]


def test_a_section_is_an_instance_of_its_parts_config(resolve):
    resolved = resolve()
    assert isinstance(resolved.run.dataset, resolved.parts.dataset.config)
    assert isinstance(resolved.run.generator, resolved.parts.generator.config)


def test_a_run_does_not_change(resolve):
    run = resolve().run
    with pytest.raises(ValueError, match="frozen"):
        run.train.steps = 5
    with pytest.raises(ValueError, match="frozen"):
        run.dataset.pitch = 5


def test_precedence_and_provenance(resolve, write):
    """Take the layers away from the top, one by one; each time the next one speaks."""
    config = write("plugin: tones\ntrain:\n  batch_size: 8\n  steps: 200\n")
    environ = {"WGANX__TRAIN__STEPS": "300", "HOME": "/"}
    resolved = resolve("train.steps=400", config=config, environ=environ, seed=5)
    assert resolved.run.train.steps == 400
    assert resolved.origin("train.steps") == "--set train.steps=400"
    assert resolved.origin("train.batch_size") == f"{config}:3"
    assert resolved.origin("seed") == "--seed 5"
    assert resolved.origin("plugin") == "--plugin tones"
    assert resolved.origin("dataset.pitch") == "scenario 'first' of plugin 'tones'"
    assert resolved.origin("train.ema") == "default"

    resolved = resolve(config=config, environ=environ)
    assert (resolved.run.train.steps, resolved.origin("train.steps")) == (300, "env WGANX__TRAIN__STEPS")
    resolved = resolve(config=config)
    assert (resolved.run.train.steps, resolved.origin("train.steps")) == (200, f"{config}:4")
    resolved = resolve()
    assert (resolved.run.train.steps, resolved.origin("train.steps")) == (100, "scenario 'first' of plugin 'tones'")
    assert resolve(scenario="second").origin("train.steps") == "scenario 'second' of plugin 'tones' (second.yaml:9)"


def test_the_real_environment_is_read_by_default(resolve, monkeypatch):
    monkeypatch.setenv("WGANX__TRAIN__STEPS", "12")
    assert resolve(environ=None).run.train.steps == 12


def test_plugin_and_scenario_from_the_file_and_the_environment(resolve, write):
    config = write("plugin: nowhere\nscenario: second\n")
    resolved = resolve(plugin=None, config=config, environ={"WGANX__PLUGIN": "tones"})
    assert (resolved.run.plugin, resolved.run.scenario) == ("tones", "second")


def test_overrides_from_python(resolve):
    resolved = resolve(overrides={"train.steps": 9, "optimizer.betas": (0.5, 0.9)})
    assert (resolved.run.train.steps, resolved.optimizer.betas) == (9, (0.5, 0.9))
    assert resolved.origin("train.steps") == "override train.steps"


def test_a_whole_section_in_one_setting(resolve):
    resolved = resolve("train={steps: 3, batch_size: 2}")
    assert (resolved.run.train.steps, resolved.run.train.batch_size) == (3, 2)
    assert resolved.origin("train.steps") == "--set train={steps: 3, batch_size: 2}"


def test_numbers_as_people_write_them(resolve):
    assert resolve("optimizer.lr=1e-4", "train.ema=0").optimizer.lr == 1e-4


def test_mappings_of_a_part_are_merged(resolve):
    resolved = resolve("task.weights.tempo=3", scenario="second")
    assert resolved.run.task.weights == {"pitch": 1.0, "tempo": 3.0}
    assert resolved.origin("task.weights.pitch") == "scenario 'second' of plugin 'tones' (second.yaml:3)"
    assert resolved.origin("task.weights.tempo") == "--set task.weights.tempo=3"


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_every_constraint_is_a_section(resolve, name):
    settings = (f"constraint.name={name}", "critic.name=orthonormal")
    assert resolve(*settings, scenario="second").constraint == CONSTRAINTS[name]()


class TestSeveralConstraints:
    def test_those_named_beside_the_first_join_it(self, resolve, write):
        resolved = resolve(
            "constraint.name=spectral-norm",
            "constraint.iterations=2",
            "constraint.also=[{name: gradient-penalty, weight: 3, every: 4}]",
            scenario="second",
        )
        assert resolved.constraint == Combined(wganx.SpectralNorm(iterations=2), wganx.GradientPenalty(3.0, every=4))
        assert from_yaml(write(resolved.to_yaml())).constraint == resolved.constraint

    @pytest.mark.parametrize(
        ("also", "message"),
        [
            ("[{name: clipp}]", "constraint.also.0: no constraint named 'clipp'; offered: .*did you mean 'clip'"),
            ("[{weight: 2}]", "constraint.also.0: names no constraint"),
            ("[{name: clip, limit: -1}]", r"constraint.also.0.limit: Input should be greater than 0 \(got -1\)"),
            ("[{name: clip, size: 1}]", "constraint.also.0.size: no such option"),
            ("[{name: gradient-penalty}]", "'gradient-penalty' is combined with itself"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, resolve, also, message):
        with pytest.raises(ConfigError, match=message):
            resolve("constraint.name=gradient-penalty", f"constraint.also={also}", scenario="second")


def test_a_critic_is_lipschitz_by_construction_only_where_it_says_so(resolve):
    resolved = resolve("critic.name=orthonormal", "constraint.name=by-construction", scenario="second")
    assert resolved.constraint == ByConstruction()
    with pytest.raises(ConfigError, match="critic 'small' does not declare that it is 1-Lipschitz by construction"):
        resolve("constraint.name=by-construction", scenario="second")


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_is_a_section(resolve, name):
    assert resolve(f"objective.name={name}").objective == OBJECTIVES[name]()


class TestAnotherPart:
    """A part's settings leave together with the part; what the core owns stays."""

    def test_settings_of_the_scenario_are_dropped_with_a_note(self, resolve):
        resolved = resolve("generator.name=wide")
        assert (resolved.run.generator.columns, resolved.run.generator.noise) == (8, 16)
        assert resolved.notes == (
            "generator.width=48 (from scenario 'first' of plugin 'tones') was meant for generator 'small'"
            " and is dropped: --set generator.name=wide names 'wide'",
        )

    def test_a_setting_both_parts_know_is_dropped_too(self, resolve):
        resolved = resolve("dataset.name=chords")
        assert (resolved.run.dataset.pitch, resolved.run.dataset.feed) == (220.0, "resident")
        assert resolved.origin("dataset.pitch") == "default"

    def test_the_default_part_counts_as_named(self, resolve):
        resolved = resolve("constraint.name=clip")
        assert resolved.constraint == wganx.WeightClipping()
        assert "constraint.weight=5.0" in resolved.notes[0]

    def test_naming_the_same_part_again_drops_nothing(self, resolve):
        resolved = resolve("generator.name=small", "constraint.name=gradient-penalty")
        assert (resolved.run.generator.width, resolved.run.constraint.weight, resolved.notes) == (48, 5.0, ())

    def test_settings_beside_the_name_are_kept_and_checked(self, resolve, write):
        with pytest.raises(ConfigError, match=r"generator\.width: no such option; options: name, noise, columns"):
            resolve(config=write("generator: {name: wide, width: 3}"))

    def test_settings_above_the_name_are_kept_and_checked(self, resolve, write):
        config = write("generator: {name: wide}")
        with pytest.raises(ConfigError, match=r"generator\.width: no such option"):
            resolve("generator.width=3", config=config)

    def test_a_file_below_the_name_is_dropped_with_a_note(self, resolve, write):
        config = write("generator:\n  width: 3\n")
        resolved = resolve("generator.name=wide", config=config)
        assert resolved.notes[0].startswith(f"generator.width=3 (from {config}:2) was meant for generator 'small'")


class TestData:
    """``--data PATH``."""

    def test_it_selects_the_folder_dataset(self, resolve, tmp_path):
        resolved = resolve(data=tmp_path)
        assert (resolved.run.dataset.name, resolved.run.dataset.root) == ("folder", tmp_path)
        assert resolved.origin("dataset.name") == resolved.origin("dataset.root") == f"--data {tmp_path}"

    def test_it_is_stored_whole(self, resolve, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        resolved = resolve(data="sounds")
        assert resolved.dump()["dataset"]["root"] == str(tmp_path / "sounds")

    def test_a_dataset_the_user_names_gets_it(self, resolve, tmp_path, write):
        assert resolve("dataset.name=disc", data=tmp_path).run.dataset.name == "disc"
        assert resolve(config=write("dataset: {name: disc}"), data=tmp_path).run.dataset.name == "disc"

    def test_settings_of_the_folder_may_stand_beside_it(self, resolve, tmp_path):
        assert resolve("dataset.size=32", data=tmp_path).run.dataset.size == 32

    def test_a_dataset_without_root_refuses_it(self, resolve, tmp_path):
        with pytest.raises(ConfigError) as failure:
            resolve("dataset.name=sines", data=tmp_path)
        assert str(failure.value) == (
            "1 problem in the configuration\n"
            "  dataset.root: dataset 'sines' takes no folder or file of yours; datasets that do: folder, disc\n"
            f"      from --data {tmp_path}"
        )

    def test_it_cannot_be_said_twice(self, resolve):
        with pytest.raises(ConfigError) as failure:
            resolve("dataset.root=here", data="there")
        assert str(failure.value) == (
            "dataset.root is given twice: by --set dataset.root=here and by --data there; give it once"
        )


class TestStored:
    """The stored configuration is itself an input that gives the same run."""

    def test_it_reads_back_whole(self, resolve, write, monkeypatch):
        resolved = resolve("generator.name=wide", "optimizer.critic_lr=3e-5", "checkpoint.best=pitch_error",
                           "evaluate.every=50", scenario="second", seed=3)  # fmt: skip
        monkeypatch.setenv("WGANX__TRAIN__STEPS", "1")
        again = from_yaml(write(resolved.to_yaml()))
        assert again.dump() == resolved.dump()
        assert again.to_yaml() == resolved.to_yaml()
        assert (again.constraint, again.optimizer) == (resolved.constraint, resolved.optimizer)

    @pytest.mark.parametrize("word", ["off", "'off'", "auto"])
    def test_off_is_a_word(self, resolve, word):
        resolved = resolve(settings=[f"dataset.pack={word}"])
        assert resolved.run.dataset.pack == word.strip("'")
        assert yaml.safe_load(resolved.to_yaml())["dataset"]["pack"] == word.strip("'")

    def test_it_holds_every_section(self, resolve):
        stored = yaml.safe_load(resolve().to_yaml())
        assert list(stored) == [
            "plugin", "scenario", "extensions", "seed", "device", "dataset", "task", "generator", "critic",
            "objective", "constraint", "optimizer", "train", "evaluate", "checkpoint", "preview", "log",
        ]  # fmt: skip
        assert stored["constraint"] == {
            "name": "gradient-penalty", "also": [], "weight": 5.0, "every": 1, "drift": 0.0,
        }  # fmt: skip
        assert stored["dataset"] == {
            "name": "sines",
            "feed": "resident",
            "workers": 0,
            "pack": "auto",
            "not_finite": "refuse",
            "pitch": 660.0,
            "title": "A",
        }

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        title=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
        lr=st.floats(1e-300, 1e300),
        seed=st.integers(0, 2**63 - 1),
        dataset=st.sampled_from(["sines", "chords"]),
        constraint=st.sampled_from(sorted(CONSTRAINTS)),
        best=st.sampled_from([None, "pitch_error"]),
    )
    def test_any_values_survive(self, resolve, write, title, lr, seed, dataset, constraint, best):
        overrides = {"dataset.name": dataset, "optimizer.lr": lr, "seed": seed, "constraint.name": constraint}
        overrides |= {"critic.name": "orthonormal"}
        overrides |= {"dataset.title": title} if dataset == "sines" else {}
        overrides |= {"checkpoint.best": best, "evaluate.every": 1}
        resolved = resolve(overrides=overrides)
        assert from_yaml(write(resolved.to_yaml())).dump() == resolved.dump()

    def test_a_plugin_file_is_found_from_anywhere(self, tones, resolve, tmp_path, monkeypatch, write):
        (tmp_path / "plugin_of_mine.py").write_text("from wx_tones import *", encoding="utf-8")
        monkeypatch.setattr("sys.path", [*__import__("sys").path])
        monkeypatch.chdir(tmp_path)
        stored = write(resolve(plugin="./plugin_of_mine.py").to_yaml())
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        monkeypatch.chdir(elsewhere)
        assert from_yaml(stored).catalog.primary == "plugin_of_mine"


@pytest.mark.parametrize("said", ["extensions=null", "extensions=", "extensions=[]"])
def test_extensions_that_are_null_are_none(resolve, said):
    assert resolve(said).run.extensions == ()


VALUES = ("null", "", "[]", "{}", "[null]", "true", "0", "-1", "x", "'2024'")


def test_whatever_an_option_says_is_taken_or_refused_in_a_line(resolve):
    """The run's own keys and whole sections too, which are looked at before anything else is checked."""
    taken, refused = set(), set()
    sections = resolve().dump()
    options = [f"{name}.{option}" for name, own in sections.items() if isinstance(own, dict) for option in own]
    for key in (*sections, *options):
        for value in VALUES:
            try:
                resolve(f"{key}={value}")
                taken.add(key)
            except WganxError:
                refused.add(key)
    assert {"extensions", "seed"} <= taken
    assert {"extensions", "seed", "device", "dataset"} <= refused


def test_what_a_later_layer_overrides_is_no_traceback_either(resolve):
    for key, value in resolve().dump().items():
        later = [] if isinstance(value, dict) else [f"{key}={json.dumps(value)}"]
        for said in (*VALUES, "[{name: x}]", "{name: x}"):
            with suppress(WganxError):
                resolve(*later, environ={f"WGANX__{key.upper()}": said})
    with pytest.raises(ConfigError, match=r"plugin must be a name and extensions a list of names, got .*'name': 'x'"):
        resolve("extensions=[]", environ={"WGANX__EXTENSIONS": "[{name: x}]"})


def test_extensions_bring_metrics_and_are_loaded_in_order(resolve, fake_distribution):
    source = """
        from wganx import Metric, hookimpl
        WGANX_API = 1
        @hookimpl
        def wganx_metrics(): return [Metric(name="loudness", modality="tone", summary="", compute=print)]
    """
    fake_distribution("wganx-loud", "1", {"loud": "wx_loud"}, {"wx_loud": source})
    resolved = resolve("extensions=[loud]")
    assert [plugin.name for plugin in resolved.catalog.plugins] == ["tones", "loud"]
    assert list(resolved.metrics) == ["pitch", "tempo", "loudness"]
    assert list(resolve("extensions=[loud]", "evaluate.metrics=[loudness]").metrics) == ["loudness"]


def test_the_schema_describes_the_chosen_parts(resolve):
    described = schema(resolve("generator.name=wide"))
    assert described["additionalProperties"] is False
    definitions = described["$defs"]
    assert definitions["GeneratorSection"]["properties"]["columns"]["default"] == 8
    assert definitions["ConstraintSection"]["properties"]["weight"]["minimum"] == 0
    assert definitions["OptimizerSection"]["properties"]["lr"]["exclusiveMinimum"] == 0
    assert definitions["TrainSection"]["properties"]["steps"]["description"] == "generator updates"
    json.dumps(described)


def test_no_plugin_at_all(resolve):
    with pytest.raises(ConfigError) as failure:
        resolve(plugin=None)
    assert str(failure.value) == "no plugin is chosen: say which with --plugin NAME (installed: tones)"


def test_an_unknown_scenario(resolve):
    with pytest.raises(PluginError, match=r"^no scenario named 'fist' in plugin 'tones'; offered: first, second; did"):
        resolve(scenario="fist")


def test_a_scenario_does_not_choose_the_plugin(resolve, tmp_path):
    (tmp_path / "site" / "wganx-tones" / "second.yaml").write_text("seed: 1\nplugin: other\n", encoding="utf-8")
    with pytest.raises(ConfigError) as failure:
        resolve(scenario="second")
    assert str(failure.value) == (
        "scenario 'second' of plugin 'tones' (second.yaml:2) sets 'plugin', which only the user chooses; remove it"
    )


def test_a_scenario_whose_file_is_missing(resolve, tmp_path):
    file: Path = tmp_path / "site" / "wganx-tones" / "second.yaml"
    file.unlink()
    with pytest.raises(ConfigError, match=r"^cannot read the configuration .*second\.yaml: No such file"):
        resolve(scenario="second")
