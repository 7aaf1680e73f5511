"""The typed configuration of a run, and where each of its values came from."""

from wganx.config.changes import MAY_CHANGE, in_place_of, refuse_changes
from wganx.config.resolve import from_yaml, resolve, schema
from wganx.config.resolved import Parts, Resolved
from wganx.config.sections import RunConfig
from wganx.config.telling import choices

__all__ = [
    "MAY_CHANGE",
    "Parts",
    "Resolved",
    "RunConfig",
    "choices",
    "from_yaml",
    "in_place_of",
    "refuse_changes",
    "resolve",
    "schema",
]
