"""The HTML page of a run: one self-contained file, made from the run folder alone."""

from wganx.report.page import write_report

__all__ = ["write_report"]
