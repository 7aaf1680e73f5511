"""Options of the judges: extractors and metrics of sounds."""

from __future__ import annotations

from pydantic import Field

from wganx import Config


class LabelsConfig(Config):
    """How long the evaluator learns."""

    updates: int = Field(800, ge=1, description="batches of 64 it learns from, two to three minutes of a busy core")
