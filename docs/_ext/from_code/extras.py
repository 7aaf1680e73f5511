"""The extras of the distribution: what each installs, and why, as `pyproject.toml` has it in its comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from from_code.markdown import code, prose, table

PROJECT = Path(__file__).parents[3] / "pyproject.toml"
OF_DEVELOPMENT = ("test", "docs", "dev")


def extras() -> str:
    """A row for each that a user may want; those of development are in CONTRIBUTING.md."""
    rows = [
        (code(name), ", ".join(code(re.split(r"[^\w.-]", package)[0]) for package in packages), prose(why))
        for name, packages, why in parsed(PROJECT.read_text(encoding="utf-8"))
        if name not in OF_DEVELOPMENT
    ]
    return table(("Extra", "Brings", "For"), rows)


def parsed(text: str) -> Iterator[tuple[str, list[str], str]]:
    """Name, packages and comment of every extra. TOML's own reader would lose the comments."""
    section = text.split("[project.optional-dependencies]\n")[1].split("\n[")[0]
    for block in re.split(r"(?m)^(?=[\w-]+ = \[)", section):
        if not block.strip():
            continue
        name = block.split(" = ")[0]
        packages: list[str] = []
        why = ""
        for line in block.splitlines():
            words, _, comment = line.partition("#")
            named = re.findall(r'"([^"]+)"', words)
            packages += named
            if comment:  # a line of its own goes on with the last
                why += (("; " if named else " ") if why else "") + comment.strip()
        yield name, packages, why
