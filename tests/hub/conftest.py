"""One small run with numbers, and a stand-in of the Hub that the real client speaks to. Nothing leaves the machine."""

from __future__ import annotations

import importlib.util
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

import wganx
from wganx.cli import main

SMALL = {
    "train.steps": 4, "train.batch_size": 16, "dataset.count": 200, "task.labels": True, "generator.width": 8,
    "critic.width": 8, "log.every": 2, "preview.every": 4, "preview.count": 16, "checkpoint.every": 2,
    "evaluate.n": 50,
}  # fmt: skip

Call = Callable[..., str]


def _load_standin() -> ModuleType:
    path = Path(__file__).with_name("standin.py")
    spec = importlib.util.spec_from_file_location("wganx_tests_hub_standin", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


standin = _load_standin()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on labelled points, evaluated."""
    folder = tmp_path_factory.mktemp("hub") / "first"
    run = wganx.train("points", "ring", overrides=SMALL, out=folder, device="cpu", progress=False)
    run.evaluate(n=50, metrics=["modes", "frechet"], repeats=2)
    return folder


_getaddrinfo = socket.getaddrinfo


def _loopback_alone(host: object, *arguments: Any, **options: Any) -> Any:
    assert host == "127.0.0.1", f"a test would have asked {host}"
    return _getaddrinfo("127.0.0.1", *arguments, **options)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The stand-in, whom the client takes for the Hub; a login of anna, a cache of its own, no waiting."""
    import huggingface_hub.constants as constants
    import huggingface_hub.file_download
    import huggingface_hub.utils._http

    with standin.standing_in() as found:
        monkeypatch.setenv("HF_ENDPOINT", found.url)
        monkeypatch.setattr("socket.getaddrinfo", _loopback_alone)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "hf" / "token"))
        monkeypatch.setattr(constants, "HF_STORED_TOKENS_PATH", str(tmp_path / "hf" / "stored"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
        for module in (huggingface_hub.utils._http, huggingface_hub.file_download):
            patient = {**vars(module.time), "sleep": lambda seconds: None}
            monkeypatch.setattr(module, "time", SimpleNamespace(**patient))
        monkeypatch.setenv("HF_TOKEN", standin.TOKEN)
        monkeypatch.chdir(tmp_path)
        yield found


@pytest.fixture
def call() -> Call:
    """A command and its exit code; returns what it says, on one line where it fails."""

    def call(*arguments: object, code: int = 0) -> str:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        assert standin.TOKEN not in result.output
        if code:
            (line,) = [line for line in result.output.splitlines() if line.startswith("wganx: ")][-1:]
            return line
        return result.output

    return call
