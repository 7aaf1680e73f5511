"""Which commit this wganx was built from: written into a wheel when it is built, asked of git in a checkout."""

from __future__ import annotations

import os
import re
import subprocess
from functools import cache
from pathlib import Path

RECORD = Path(__file__).with_name("commit.txt")
"""What `hatch_build.py` writes into the sdist and the wheel, beside this file; a checkout has none."""

_CHECKOUT = Path(__file__).parents[1]


@cache
def commit() -> str | None:
    """Nine digits of the commit this wganx was built from, with ``+dirty`` where tracked files differed from it.

    None where nobody knows: built without git, from files that do not say.
    """
    if RECORD.is_file():
        return RECORD.read_text(encoding="ascii").strip() or None
    return commit_of(_CHECKOUT)


def commit_of(checkout: Path) -> str | None:
    """The same of a folder that is a checkout itself.

    A folder within somebody else's repository is none: an environment often lies in one, and so does what a source
    archive was unpacked into.
    """
    if not (checkout / ".git").exists() or not (checkout / "pyproject.toml").is_file():
        return None
    command = ["git", "describe", "--always", "--dirty=+dirty", "--exclude=*", "--abbrev=9"]
    # Looking must not take the lock of a commit that is being made.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environ["GIT_OPTIONAL_LOCKS"] = "0"
    try:
        done = subprocess.run(
            command, cwd=checkout, env=environ, capture_output=True, encoding="utf-8", check=False, timeout=10
        )
    except (OSError, subprocess.SubprocessError):  # no git, or one that hangs on a far disk
        return None
    found = done.stdout.strip()
    return found if re.fullmatch(r"[0-9a-f]{9,40}(\+dirty)?", found) else None
