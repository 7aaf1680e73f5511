"""The image plugin: pictures, datasets to learn them from, and convolutional networks that make them.

This file only declares; whatever needs torch or Pillow is imported by the function that needs it, so that the plugin
is listed in milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from wganx import (
    WGANX_API,
    Architecture,
    Batch,
    BuildContext,
    DataCard,
    DataContext,
    Dataset,
    Game,
    Items,
    Metric,
    MetricContext,
    Modality,
    SampleFormat,
    Scenario,
    Split,
    Task,
    hookimpl,
)
