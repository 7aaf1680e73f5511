"""A constraint, an objective and an optimizer of a stranger, and a metric that is added to runs."""

from __future__ import annotations

from collections.abc import Iterable

from wganx import ConstraintPart, Metric, ObjectivePart, OptimizerPart, hookimpl

WGANX_API = 1


@hookimpl
def wganx_constraints() -> Iterable[ConstraintPart]:
    return [
        ConstraintPart(
            name="margin-penalty", summary="slopes above 1 + margin", build="wganx_tones.rule_classes:MarginPenalty"
        )
    ]


@hookimpl
def wganx_objectives() -> Iterable[ObjectivePart]:
    return [
        ObjectivePart(name="tilted", summary="counts real more", build="wganx_tones.rule_classes:Tilted"),
    ]


@hookimpl
def wganx_optimizers() -> Iterable[OptimizerPart]:
    return [OptimizerPart(name="nesterov", summary="SGD with momentum", build="wganx_tones.rule_classes:Nesterov")]


@hookimpl
def wganx_metrics() -> Iterable[Metric]:
    return [
        Metric(
            name="loudness",
            modality="tone",
            summary="root mean square of the samples",
            compute="wganx_tones.rule_classes:loudness",
        )
    ]
