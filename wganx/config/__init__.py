"""The typed configuration of a run, and where each of its values came from."""

from wganx.config.changes import MAY_CHANGE, in_place_of, refuse_changes
from wganx.config.consent import check_scripts
from wganx.config.metrics import find_extractor
from wganx.config.resolve import from_yaml, resolve, schema
from wganx.config.resolved import Parts, Resolved
from wganx.config.sections import RunConfig
from wganx.config.sources import read_value
from wganx.config.telling import choices

__all__ = [
    "MAY_CHANGE",
    "Parts",
    "Resolved",
    "RunConfig",
    "check_scripts",
    "choices",
    "find_extractor",
    "from_yaml",
    "in_place_of",
    "read_value",
    "refuse_changes",
    "resolve",
    "schema",
]
