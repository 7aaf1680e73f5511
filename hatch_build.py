"""Writes the commit into what is built, as `wganx/commit.txt`, which `wganx --version` reads where there is no git."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CommitHook(BuildHookInterface[Any]):
    """For the sdist and the wheel; an editable install asks git each time, so that it cannot fall behind."""

    _folder: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        if version == "editable" or (root / "wganx/commit.txt").exists():
            return  # of an sdist: it is packed like any other file
        # Loaded by its path: the package itself needs torch, which an environment for building has not.
        spec = importlib.util.spec_from_file_location("commit", root / "wganx/commit.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        # Not into the tree that is built from: it may be read-only, and a checkout must have no such file.
        self._folder = tempfile.TemporaryDirectory()
        record = Path(self._folder.name, "commit.txt")
        record.write_text(f"{module.commit_of(root) or ''}\n", encoding="ascii")
        build_data["force_include"][str(record)] = "wganx/commit.txt"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if self._folder is not None:
            self._folder.cleanup()
