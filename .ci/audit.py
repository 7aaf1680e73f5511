"""Known weaknesses of the packages in development.lock, by pip-audit; where no database can be asked, that is said.

Run: python .ci/audit.py [LOCK]

Ends with 1 where one is known, and with 0 otherwise. pip-audit itself ends with 0 and "no known vulnerabilities" also
where it could ask about no package at all; here that is no answer, and is named.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LOCK = Path(__file__).with_name("development.lock")
MOST_SECONDS = 300


def main(argv: Sequence[str]) -> int:
    """Ask, and say what came of it."""
    lock = Path(argv[0]) if argv else LOCK
    command = [
        sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--no-deps", "--disable-pip", "--format=json",
        "--progress-spinner=off",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=MOST_SECONDS)
    except subprocess.TimeoutExpired:
        print(f"audit skipped: no answer within {MOST_SECONDS} s")
        return 0
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = done.stderr.strip().rpartition("\n")[2] or f"pip-audit ended with {done.returncode}"
        print(f"audit skipped: {reason}")
        return 0
    code, said = verdict(packages)
    print(said)
    return code


def verdict(packages: Sequence[dict[str, Any]]) -> tuple[int, str]:
    """What pip-audit's answers amount to: the exit code, and the words."""
    asked = [package for package in packages if "skip_reason" not in package]
    if not asked:
        first = packages[0]["skip_reason"] if packages else "it names no package"
        return 0, f"audit skipped: of {len(packages)} packages the database knows none ({first})"
    weak = [package for package in asked if package["vulns"]]
    lines = [
        f"{package['name']} {package['version']}: {each['id']}, mended in {', '.join(each['fix_versions']) or 'none'}"
        for package in weak
        for each in package["vulns"]
    ]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if unknown:
        lines.append(f"not asked about: {', '.join(unknown)}")
    return int(bool(weak)), "\n".join([f"{len(asked)} packages audited, {len(weak)} with known weaknesses", *lines])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
