"""Building blocks that networks of several modalities share."""

from __future__ import annotations

from wganx.nn._by_name import ByName
from wganx.nn._classes import ClassEmbedding
from wganx.nn._conditional import ConditionalNorm
from wganx.nn._constant_mask import constant_masks
from wganx.nn._group_sort import GroupSort
from wganx.nn._init import init_he, init_normal
from wganx.nn._orthogonal import BjorckOrthogonal, LipschitzMLP, orthonormalise
from wganx.nn._projection import ProjectionHead

__all__ = [
    "BjorckOrthogonal",
    "ByName",
    "ClassEmbedding",
    "ConditionalNorm",
    "GroupSort",
    "LipschitzMLP",
    "ProjectionHead",
    "constant_masks",
    "init_he",
    "init_normal",
    "orthonormalise",
]
