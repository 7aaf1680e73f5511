"""A page on which a run is tried out: drawn from, walked and slid through, given files of one's own."""

from wganx.demo.running import demonstrate

__all__ = ["demonstrate"]
