"""wganx against the training steps of other GAN packages, on the same networks.

torch-mimicry, torchgan and vegans, at their last published versions, in an environment made for the occasion with uv:
torch and everything else as wganx has it, the peers without their own requirements (`peer_steps/requirements.txt`) and
the little that importing them needs (`peer_steps/needs.txt`). There all steps take turns in one process
(`peer_steps/compare.py`). Nothing in a step is changed; what had to be helped along is listed below the tables.

The environment is removed afterwards, unless --env names a folder for it, which a later call uses again.
--here skips all that and compares in the running interpreter, which then has to hold the peers.

Run: python benchmarks/peers.py [--env FOLDER | --here] [--network dcgan-32] [--rounds 15] [--json peers.json]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent


def find_uv() -> list[str]:
    """The command that runs uv, installed beside the running interpreter if there is none."""
    if found := shutil.which("uv") or shutil.which("uv", path=sysconfig.get_path("scripts")):
        return [found]
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "uv"], check=True)
    return [sys.executable, "-m", "uv"]


def python_of(env: Path) -> Path:
    """The interpreter of a virtual environment."""
    return env / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def make_environment(env: Path, uv: Sequence[str]) -> Path:
    """An environment in `env`, made or brought up to date; returns its interpreter."""
    print(f"Bringing the peers into {env} ...", file=sys.stderr)
    python = python_of(env)
    if not python.exists():
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(env)], check=True)
    install = [*uv, "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run([*install, "-e", str(HERE.parent), "-r", str(HERE / "peer_steps" / "needs.txt")], check=True)
    subprocess.run([*install, "--no-deps", "-r", str(HERE / "peer_steps" / "requirements.txt")], check=True)
    return python


def compare(python: Path, arguments: Sequence[str]) -> int:
    """Run the comparison in the environment of `python`; returns its exit code."""
    places = [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    surroundings = os.environ | {"PYTHONPATH": os.pathsep.join(places), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([str(python), "-m", "peer_steps.compare", *arguments], env=surroundings).returncode


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Every other argument goes to the comparison; `python -m peer_steps.compare --help` in this folder.",
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--env", type=Path, metavar="FOLDER", help="of the environment, kept afterwards")
    place.add_argument("--here", action="store_true", help="compare in this interpreter")
    given, rest = parser.parse_known_args()
    if given.here:
        return compare(Path(sys.executable), rest)
    try:
        uv = find_uv()
        if given.env:
            return compare(make_environment(given.env.absolute(), uv), rest)
        with tempfile.TemporaryDirectory(prefix="wganx-peers-") as folder:
            return compare(make_environment(Path(folder) / "env", uv), rest)
    except subprocess.CalledProcessError as error:
        print(f"No environment for the peers: `{' '.join(error.cmd)}` ended with {error.returncode}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
