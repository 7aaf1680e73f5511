"""The house plan, held: floors, public names, what plugins may import, what must not cost a torch import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import wganx
import wganx.data
import wganx.evaluation.metrics
import wganx.nn
import wganx.wasserstein

ROOT = Path(__file__).parents[1]

FLOORS = {
    "errors": 1, "augmentation": 1, "batch": 1, "networks": 1, "options": 1, "storage": 1, "lock": 1, "tables": 1,
    "health": 1, "loopback": 1, "commit": 1, "parts": 1, "switches": 1, "devices": 1, "names": 1, "places": 1,
    "process": 1, "wasserstein": 1, "nn": 1, "data": 1, "stored": 1, "trust": 1, "imports": 1, "yaml_text": 1,
    "plain": 1, "records": 1, "memory": 1,
    "engine": 2, "plugins": 2,
    "config": 3, "evaluation": 3, "pretrained": 3, "templates": 3,
    "runs": 4, "testing": 4,
    "report": 5, "watching": 5, "export": 5, "hub": 5, "demo": 5, "experiments": 5, "comparison": 5, "tuning": 5,
    "cli": 6, "api": 6,
}  # fmt: skip

PUBLIC = {
    "AdaptiveAugmentation", "Architecture", "Banach", "Baseline", "Batch", "BuildContext", "ByConstruction",
    "CheckpointError", "CheckpointStore", "Combined", "Config", "ConfigError", "Consistency", "ConstraintPart",
    "DataCard", "DataContext", "DataError", "Dataset", "Dragan", "Energy", "Every", "Extractor", "ExtractorContext",
    "Finding", "Formats", "Game", "GradientNormalization", "GradientPenalty", "HealthCheck", "Helper", "Hinge",
    "Interrupted",
    "Items", "Layout", "LeastSquares", "LipschitzPenalty", "Make", "MaxGradientPenalty", "Metric", "MetricContext",
    "MissingExtra", "Modality", "Networks", "NoConstraint", "NonSaturating", "ObjectivePart", "Observer", "Optimizer",
    "OptimizerPart", "Orthogonal", "Outcome", "PluginError", "PluginFailed", "PreflightError", "Pretrained", "Preview",
    "Progress", "R1", "R1R2", "R2", "Relativistic", "RunInfo", "SampleFormat", "Sampler", "Scenario", "Sides", "Sink",
    "Sinkhorn", "Sliced", "Source", "SpectralNorm", "Split", "Task", "TrainResult", "Trainer", "TrainingDiverged",
    "Unavailable", "UsageError", "Vitals", "WGANX_API", "Wasserstein", "WeightClipping", "WganDiv", "WganxError",
    "__version__",
    "bracket_w1", "estimate_w1", "exact_w1", "hookimpl", "load_generator", "load_run", "option", "resume",
    "sinkhorn_divergence", "sliced_w1", "train",
}  # fmt: skip


def sources(package):
    return sorted((ROOT / package).rglob("*.py"))


def imports(path):
    """``(module, names)`` of every import of wganx in a file, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "wganx":
            yield node.module, [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names if alias.name.split(".")[0] == "wganx")


def room(module):
    return [*module.split("."), ""][1]


@pytest.mark.parametrize("path", sources("wganx"), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_imports_from_its_own_floor_or_below(path):
    own = path.relative_to(ROOT / "wganx").with_suffix("").parts[0]
    if own == "__init__":
        return  # the front door shows every floor
    for module, names in imports(path):
        # `import wganx` and `from wganx import X` reach X through the front door: look at where X lives.
        rooms = (
            [room(module)] if room(module) else [room(wganx._MODULE_OF.get(name, f"wganx.{name}")) for name in names]
        )
        for other in rooms:
            assert FLOORS.get(other, 0) <= FLOORS[own], f"{path}: floor {FLOORS[own]} imports {module} {names}"


def edges():
    """Which module imports which, wherever the import stands: at the top, in a function, under TYPE_CHECKING.

    Left out is the front door, ``wganx/__init__.py``, which only names what lies behind it: who imports a name from
    there is taken to import the module where it lives. That a module's package comes first is no import of it.
    """
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sources("wganx")
    }
    found = {}
    for module, path in modules.items():
        if module != "wganx":
            targets = set()
            for source, names in imports(path):
                for name in names or [None]:
                    inner = f"{source}.{name}"
                    home = wganx._MODULE_OF.get(name, "wganx") if source == "wganx" else source
                    targets.add(inner if inner in modules else home)
            found[module] = (targets & modules.keys()) - {"wganx", module}
    return found


def circles(edges):
    """Sets of modules each of which imports the others, directly or not."""

    def reach(start):
        seen, ahead = set(), [start]
        while ahead:
            for target in edges[ahead.pop()] - seen:
                seen.add(target)
                ahead.append(target)
        return seen

    reached = {module: reach(module) for module in edges}
    return {
        frozenset(other for other in reached[module] if module in reached[other])
        for module in edges
        if module in reached[module]
    }


def test_no_module_imports_itself_round_about():
    assert [sorted(circle) for circle in circles(edges())] == []


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == {frozenset("abc")}
    assert circles({"a": {"b"}, "b": set()}) == set()
    assert {"wganx.engine.loop", "wganx.batch"} <= edges()["wganx.engine.trainer"]
    assert "wganx.engine" in edges()["wganx.config.resolved"]  # within a function, and for types


def test_every_package_has_a_floor():
    rooms = {
        path.stem for path in (ROOT / "wganx").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms - {"__init__"} <= FLOORS.keys()


def test_the_public_names():
    assert set(wganx.__all__) == PUBLIC
    for name in wganx.__all__:
        assert getattr(wganx, name) is not None
    assert set(dir(wganx)) == PUBLIC


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'wganx' has no attribute 'Discriminator'"):
        wganx.Discriminator  # noqa: B018


@pytest.mark.parametrize("package", [wganx.data, wganx.nn, wganx.wasserstein])
def test_public_packages_offer_what_they_say(package):
    assert sorted(package.__all__) == package.__all__ or sorted(package.__all__, key=str.lower)
    assert all(hasattr(package, name) for name in package.__all__)


@pytest.mark.parametrize(
    "path",
    [*sources("plugins"), *sources("tests/second_distribution/src")],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_plugins_import_public_names_only(path):
    offered = {
        "wganx": set(wganx.__all__),
        "wganx.data": set(wganx.data.__all__),
        "wganx.evaluation.metrics": set(wganx.evaluation.metrics.__all__),
        "wganx.nn": set(wganx.nn.__all__),
        "wganx.wasserstein": set(wganx.wasserstein.__all__),
    }
    for module, names in imports(path):
        assert module in offered, f"{path} imports {module}"
        assert set(names) <= offered[module], f"{path} imports {set(names) - offered[module]} from {module}"


@pytest.mark.parametrize(
    "code",
    [
        "import wganx",
        "import wganx.cli",
        "from wganx.testing import PluginConformance, iter_checks",
        "from wganx import hookimpl, Config, Modality",
        "from wganx.watching import board, follow",
        "from wganx.plugins import load; load(['points']); load(['image'])",
        "from wganx.plugins import describe_all; assert describe_all()",
        "from click.testing import CliRunner; from wganx.cli import main; "
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0; "
        "assert CliRunner().invoke(main, ['plugins']).exit_code == 0",
    ],
)
def test_no_torch_is_imported(code):
    subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; sys.exit('torch' in sys.modules)"], check=True, timeout=60
    )


@pytest.mark.parametrize(
    "path", [path for package in ("wganx", "plugins") for path in sources(package)], ids=lambda path: path.stem
)
def test_modules_stay_readable(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    assert path.name != "utils.py"
