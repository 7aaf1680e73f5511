# What there is to do here: `just NAME` does it. Without `just` (the package rust-just), CONTRIBUTING.md has the same
# commands; a test holds the two together.

# The environment that `just setup` makes, where there is one; else whatever is on PATH.
export PATH := justfile_directory() / ".venv/bin" + ":" + env("PATH")

# List the recipes
default:
    @just --list --unsorted

# An environment in .venv with all that development needs, and the checks before every commit
setup:
    python3 -m venv .venv
    .venv/bin/pip install -e ".[dev,docs]"
    .venv/bin/pre-commit install

# Every test, in a process a core; options go to pytest: `just test -n 0 --pdb`
test *options:
    pytest {{ options }}

# The tests that take seconds
test-fast *options:
    pytest -m "not slow" {{ options }}

# What ruff finds, without changing anything
lint:
    ruff check .
    ruff format --check .

# Mend what ruff can mend
format:
    ruff check --fix .
    ruff format .

# Strict types of the package, the plugins, the benchmarks and what tests share
types:
    mypy

# The site in site/, warnings as errors, and the code on its pages executed
docs:
    sphinx-build -W -b html docs site
    sphinx-build -W -b doctest docs site/doctest

# The step beside the same step written by hand; the other benchmarks are run alike
bench *options:
    python benchmarks/step.py {{ options }}

# The exact versions of all that development needs, anew, with their hashes; newer ones with `just lock --upgrade`
lock *options:
    uv pip compile pyproject.toml --extra dev --extra docs --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet --output-file .ci/development.lock {{ options }}

# Known weaknesses of what is locked; says so where no database can be asked
audit:
    python .ci/audit.py

# The parts of this environment as CycloneDX, beside the archives of a release
sbom:
    cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file dist/wganx.cdx.json

# All that must hold, from a clean clone, in environments of its own: under half an hour
ci:
    .ci/run

# Remove what tools leave behind; runs and data stay
clean:
    rm -rf build dist site .hypothesis .mypy_cache .pytest_cache .ruff_cache
    find . -name __pycache__ -type d -not -path "./.venv/*" -prune -exec rm -rf {} +
