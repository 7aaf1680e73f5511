"""Building blocks that networks of several modalities share."""

from __future__ import annotations

from wganx.nn._conditional import ConditionalNorm
from wganx.nn._init import init_he, init_normal
from wganx.nn._projection import ProjectionHead

__all__ = ["ConditionalNorm", "ProjectionHead", "init_he", "init_normal"]
