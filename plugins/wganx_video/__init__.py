"""Films: datasets of clips, and networks that foretell frames, make those between, and make them larger.

This module only declares what there is; factories are named, and imported when a run needs them.
"""

from __future__ import annotations

from collections.abc import Iterable

from wganx import Architecture, Dataset, Extractor, HealthCheck, Metric, Modality, Scenario, Task, hookimpl

WGANX_API = 1


@hookimpl
def wganx_modalities() -> Iterable[Modality]:
    return [
        Modality(
            name="video",
            summary="clips",
            axes=("frame", "channel", "height", "width"),
            write="wganx_video.writers:write_clips",
            preview="wganx_video.writers:preview_clips",
            open="wganx_video.video.streams:VideoSource",
            create="wganx_video.video.streams:VideoSink",
        )
    ]


@hookimpl
def wganx_datasets() -> Iterable[Dataset]:
    return []


@hookimpl
def wganx_tasks() -> Iterable[Task]:
    return []


@hookimpl
def wganx_architectures() -> Iterable[Architecture]:
    return []


@hookimpl
def wganx_extractors() -> Iterable[Extractor]:
    return []


@hookimpl
def wganx_metrics() -> Iterable[Metric]:
    return []


@hookimpl
def wganx_health_checks() -> Iterable[HealthCheck]:
    return []


@hookimpl
def wganx_scenarios() -> Iterable[Scenario]:
    return []
