"""The page of a comparison: one self-contained file, made from its numbers and its run folders."""

from wganx.report.comparing.page import write_comparison

__all__ = ["write_comparison"]
