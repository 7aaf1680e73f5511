"""Loading a plugin by name, and the one line that says why one cannot be loaded."""

from __future__ import annotations

import importlib
import pickle
import sys
from multiprocessing import get_context

import pytest

from wganx.plugins import WGANX_API, PluginError, load, plugin_commands

pytestmark = pytest.mark.usefixtures("only_fake_plugins")

HEAD = "from wganx import Dataset, Modality, Scenario, hookimpl\nWGANX_API = 1\n"


def refusal(*names: object) -> str:
    with pytest.raises(PluginError) as failure:
        load(names)
    text = str(failure.value)
    assert "\n" not in text
    return text


def test_only_the_named_plugin_is_imported(install_tones, fake_distribution):
    fake_distribution("wganx-bad", "1", {"bad": "wx_bad"}, {"wx_bad": "raise RuntimeError"})
    assert load([install_tones()]).primary == "tones"
    assert "wx_bad" not in sys.modules


def test_no_name_at_all():
    assert refusal() == "no plugin is named"


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        (
            "import nonexistent_dep",
            "ModuleNotFoundError: No module named 'nonexistent_dep' (pip install nonexistent_dep)",
        ),
        ("import wganx.gone", "ModuleNotFoundError: No module named 'wganx.gone'"),
        ("from wganx import gone", None),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise ValueError('two\\nlines')", "ValueError: two lines"),
        ("raise ValueError", "ValueError"),
    ],
)
def test_a_plugin_that_does_not_import(fake_distribution, source, cause):
    fake_distribution("wganx-broken", "0.3", {"broken": "wx_broken"}, {"wx_broken": source})
    cause = cause or "ImportError: cannot import name 'gone' from 'wganx'"
    assert refusal("broken").startswith(f"plugin 'broken' (wganx-broken 0.3, wx_broken) does not import: {cause}")


def test_the_cause_is_kept(fake_distribution):
    fake_distribution("wganx-broken", "0.3", {"broken": "wx_broken"}, {"wx_broken": "1 / 0"})
    with pytest.raises(PluginError) as failure:
        load(["broken"])
    assert isinstance(failure.value.__cause__, ZeroDivisionError)


def test_packages_that_go_by_another_name_than_their_module(fake_distribution, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    fake_distribution("wganx-broken", "0.3", {"broken": "wx_broken"}, {"wx_broken": "import cv2"})
    assert refusal("broken").endswith("(pip install opencv-python)")


def test_a_target_that_does_not_exist(fake_distribution):
    fake_distribution("wganx-lost", "0.3", {"lost": "wx_lost"}, {})
    assert refusal("lost") == (
        "plugin 'lost' (wganx-lost 0.3, wx_lost) does not import: "
        "ModuleNotFoundError: No module named 'wx_lost' (reinstall wganx-lost)"
    )


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("WGANX_API = 0", "is written for plugin API 0, this wganx speaks 1; update wganx-old"),
        ("WGANX_API = 2", "is written for plugin API 2, this wganx speaks 1; update wganx"),
        ("", "declares no plugin API: it needs a line WGANX_API = 1"),
        ("WGANX_API = 'one'", "declares no plugin API: it needs a line WGANX_API = 1"),
    ],
)
def test_a_plugin_for_another_api(fake_distribution, line, text):
    source = f"from wganx import hookimpl\n{line}\n@hookimpl\ndef wganx_modalities(): raise AssertionError\n"
    fake_distribution("wganx-old", "0.3", {"old": "wx_old"}, {"wx_old": source})
    assert refusal("old") == f"plugin 'old' (wganx-old 0.3, wx_old) {text}"


@pytest.mark.parametrize(
    ("hook", "text"),
    [
        (
            "def wganx_modalitys(): return []",
            "does not fit the hooks: unknown hook 'wganx_modalitys'; did you mean 'wganx_modalities'?",
        ),
        (
            "def wganx_datasets(folder): return []",
            "does not fit the hooks: hook 'wganx_datasets' has no argument 'folder', it takes none",
        ),
        (
            "def wganx_progress(run, steps): pass",
            "does not fit the hooks: hook 'wganx_progress' has no argument 'steps', "
            "only run, step, scalars; did you mean 'step'?",
        ),
        ("def wganx_modalities(): 1 / 0", "failed in wganx_modalities: ZeroDivisionError: division by zero"),
        ("def wganx_modalities(): yield 1 / 0", "failed in wganx_modalities: ZeroDivisionError: division by zero"),
    ],
)
def test_a_plugin_that_does_not_fit_the_hooks(fake_distribution, hook, text):
    fake_distribution("wganx-typo", "0.3", {"typo": "wx_typo"}, {"wx_typo": f"{HEAD}@hookimpl\n{hook}\n"})
    assert refusal("typo") == f"plugin 'typo' (wganx-typo 0.3, wx_typo) {text}"


def test_a_hook_that_is_not_marked(fake_distribution):
    source = f"{HEAD}def wganx_modalities(): return []\n"
    fake_distribution("wganx-bare", "0.3", {"bare": "wx_bare"}, {"wx_bare": source})
    text = "does not fit the hooks: wganx_modalities is not marked; write @wganx.hookimpl above it"
    assert refusal("bare") == f"plugin 'bare' (wganx-bare 0.3, wx_bare) {text}"


@pytest.mark.parametrize(
    ("hook", "text"),
    [
        ("def wganx_modalities(): return 5", ": wganx_modalities must return a list of Modality, not 5"),
        ("def wganx_modalities(): return 'tone'", ": wganx_modalities must return a list of Modality, not 'tone'"),
        ("def wganx_modalities(): return [5]", ": wganx_modalities returned 5 where a Modality belongs"),
    ],
)
def test_a_hook_that_returns_something_else(fake_distribution, hook, text):
    fake_distribution("wganx-odd", "0.3", {"odd": "wx_odd"}, {"wx_odd": f"{HEAD}@hookimpl\n{hook}\n"})
    assert refusal("odd") == f"plugin 'odd' (wganx-odd 0.3, wx_odd){text}"


@pytest.mark.parametrize(
    ("good", "bad", "text"),
    [
        (
            'name="sines"',
            'name="Sine Waves"',
            "offers a dataset named 'Sine Waves': names are lower-case words joined by '-', like 'clip-32'",
        ),
        ('name="saws"', 'name="sines"', "offers two of the same name: dataset 'sines'"),
        ('("generator", "critic")', '("critic", "critic")', "offers two of the same name: critic 'small'"),
        (
            '("generator", "critic")',
            '("generator", "discriminator")',
            "offers architecture 'small' of role 'discriminator': roles are 'generator' and 'critic'",
        ),
        ("write=_never", "write=5", "offers modality 'tone' whose 'write' cannot be called: 5"),
        (
            'name="generate", modality="tone", summary="", config=Nothing',
            'name="generate", modality="tone", summary="", config=dict',
            "offers task 'generate' whose 'config' is no subclass of wganx.Config: <class 'dict'>",
        ),
        (
            'code="TN001"',
            'code="one"',
            "offers health check 'flat' of code 'one': codes are capitals and three digits, like 'WX041'",
        ),
        ("inspect=_never", "inspect=None", "offers health check 'flat' whose 'inspect' cannot be called: None"),
        (
            "config={}",
            "config='first.yaml'",
            "offers scenario 'first' whose 'config' is neither a Path nor a mapping: 'first.yaml'",
        ),
    ],
)
def test_a_descriptor_with_a_fault(install_tones, tones, good, bad, text):
    assert good in tones
    install_tones(source=tones.replace(good, bad, 1))
    assert refusal("tones") == f"plugin 'tones' (wganx-tones 0.3, wx_tones) {text}"


def test_the_same_name_for_two_modalities_of_one_plugin(install_tones, tones):
    twice = tones.replace(
        'return [Task(name="generate", modality="tone",', 'return [Task(name="generate", modality=kind,'
    )
    install_tones(source=twice.replace("build=_never)]", 'build=_never) for kind in ("tone", "chord")]', 1))
    catalog = load(["tones"])
    assert catalog.task("generate", "chord").modality == "chord"


def test_a_hook_may_return_nothing(fake_distribution):
    source = f"{HEAD}@hookimpl\ndef wganx_modalities(): return None\n"
    fake_distribution("wganx-none", "0.3", {"none": "wx_none"}, {"wx_none": source})
    assert load(["none"]).plugins[0].offers == ()


def test_a_broken_plugin_leaves_the_others_alone(install_tones, fake_distribution):
    fake_distribution("wganx-broken", "0.3", {"broken": "wx_broken"}, {"wx_broken": "1 / 0"})
    refusal(install_tones(), "broken")
    assert load(["tones"]).dataset("sines").name == "sines"


def test_one_plugin_named_twice(install_tones):
    assert refusal(install_tones(), "wganx-tones:tones") == (
        "plugin 'tones' (wganx-tones 0.3, wx_tones) and plugin 'tones' (wganx-tones 0.3, wx_tones)"
        " cannot be loaded together: both go by one name"
    )


def test_a_module_object_passes_the_same_checks(install_tones):
    install_tones()
    module = importlib.import_module("wx_tones")
    assert load([module]).primary == "wx_tones"
    module.WGANX_API = 7
    assert refusal(module) == (
        f"plugin 'wx_tones' (wx_tones) is written for plugin API 7, this wganx speaks {WGANX_API}; update wganx"
    )


@pytest.fixture
def plugin_file(tmp_path, tones, monkeypatch):
    """A plugin in a file of its own; the path and the imported module are put back afterwards."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    file = tmp_path / "my_tones.py"
    file.write_text(tones, encoding="utf-8")
    yield file
    sys.modules.pop("my_tones", None)


def test_a_file_is_a_plugin(plugin_file, monkeypatch):
    monkeypatch.chdir(plugin_file.parent)
    catalog = load(["./my_tones.py"])
    assert catalog.primary == "my_tones"
    assert load([str(plugin_file)]).dataset("sines") == catalog.dataset("sines")


def test_what_a_file_defines_reaches_a_spawned_worker(plugin_file):
    config = load([str(plugin_file)]).dataset("sines").config
    with get_context("spawn").Pool(1) as pool:
        assert pool.apply(repr, (config(),)) == "Nothing()"
    assert pickle.loads(pickle.dumps(config())) == config()


def test_a_file_under_the_name_of_an_installed_module(tmp_path):
    (tmp_path / "colorsys.py").write_text("", encoding="utf-8")
    text = refusal(str(tmp_path / "colorsys.py"))
    assert "has the name of another module (" in text
    assert text.endswith("colorsys.py); rename the file")


def test_a_broken_file_is_not_kept(plugin_file):
    plugin_file.write_text("1 / 0", encoding="utf-8")
    assert refusal(str(plugin_file)) == (
        f"plugin 'my_tones' ({plugin_file}) does not import: ZeroDivisionError: division by zero"
    )
    assert "my_tones" not in sys.modules


def test_commands_of_one_plugin(fake_distribution):
    source = "import click\n" + HEAD + "@hookimpl\ndef wganx_commands(): return [click.Command('hum')]\n"
    fake_distribution("wganx-hum", "0.3", {"hum": "wx_hum"}, {"wx_hum": source})
    assert [command.name for command in plugin_commands("hum")] == ["hum"]


def test_commands_must_be_commands(fake_distribution):
    source = HEAD + "@hookimpl\ndef wganx_commands(): return [print]\n"
    fake_distribution("wganx-hum", "0.3", {"hum": "wx_hum"}, {"wx_hum": source})
    with pytest.raises(PluginError) as failure:
        plugin_commands("hum")
    assert str(failure.value) == (
        "plugin 'hum' (wganx-hum 0.3, wx_hum): wganx_commands returned <built-in function print>"
        " where a Command belongs"
    )
