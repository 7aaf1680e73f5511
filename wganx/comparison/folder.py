"""The folder of a comparison: what lies where."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from wganx.comparison.question import Question, grow, read_question, run_config
from wganx.comparison.variants import Variant
from wganx.errors import UsageError
from wganx.experiments import Ending
from wganx.runs import RunFolder
from wganx.storage import json_text, write_whole


class ComparisonFolder:
    """Paths and records of one comparison.

    ``comparison.yaml`` (the question), ``variants/NAME.yaml`` (a ``--config`` each), ``runs/NAME-seedK`` (run folders),
    ``jobs/`` (what the processes printed, and why one failed), ``comparison.json`` (all numbers), ``compare.html``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.question = path / "comparison.yaml"
        self.jobs = path / "jobs"
        self.numbers = path / "comparison.json"
        self.page = path / "compare.html"

    def holds_question(self) -> bool:
        """Whether a comparison was begun here."""
        return self.question.is_file()

    def begin(self, asked: Question) -> Question:
        """Store what is asked, or go on with what is stored, grown by what is new.

        Raises:
            UsageError: the folder holds something else, or another question.
        """
        if self.holds_question():
            asked = grow(read_question(self.question), asked)
        elif self.path.is_dir() and any(self.path.iterdir()):
            raise UsageError(f"{self.path} is not empty and holds no comparison; give another --out")
        self.store(asked)
        return asked

    def store(self, question: Question) -> None:
        """Write ``comparison.yaml``, and the configuration of every variant whose steps are known."""
        try:
            (self.path / "variants").mkdir(parents=True, exist_ok=True)
            write_whole(self.question, question.to_yaml())
            for variant in question.variants:
                if variant.name in question.steps:
                    self.write_config(variant, question)
        except OSError as error:
            raise UsageError(f"cannot write into {self.path}: {error.strerror or error}; give another --out") from error

    def write_config(self, variant: Variant, question: Question) -> Path:
        """Write the configuration of a variant's runs."""
        text = yaml.safe_dump(run_config(question, variant), sort_keys=False, allow_unicode=True, width=110)
        write_whole(self.config(variant), text)
        return self.config(variant)

    def config(self, variant: Variant) -> Path:
        """Where the configuration of a variant's runs lies."""
        return self.path / "variants" / f"{variant.slug}.yaml"

    def job(self, variant: Variant, seed: int) -> str:
        """What a run is called among the others."""
        return f"{variant.slug}-seed{seed}"

    def run(self, variant: Variant, seed: int) -> RunFolder:
        """The run of a variant with a seed."""
        return RunFolder(self.path / "runs" / self.job(variant, seed))

    def is_done(self, variant: Variant, seed: int) -> bool:
        """Whether a run was trained to its end and measured."""
        run = self.run(variant, seed)
        return run.evaluation.is_file() and run.facts().get("status") == "finished"

    def record(self, name: str, ending: Ending) -> None:
        """Keep why a job failed, or forget it where it came to its end."""
        path = self.jobs / f"{name}.json"
        if ending.state == "failed":
            write_whole(path, json_text({"failed": ending.said}, readable=True) + "\n")
        else:
            path.unlink(missing_ok=True)

    def failure(self, name: str) -> str | None:
        """Why a job failed when it was last tried; None where it did not."""
        try:
            told: str = json.loads((self.jobs / f"{name}.json").read_text(encoding="utf-8"))["failed"]
        except (OSError, ValueError, KeyError):
            return None
        return told
