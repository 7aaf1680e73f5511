"""What must hold of the descriptors of one plugin beside their class."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from wganx.health import HealthCheck
from wganx.parts import Part
from wganx.plugins.descriptors import Architecture, Config, Scenario

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_CODE = re.compile(r"[A-Z]{2,}[0-9]{3}")
_FACTORY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def fault_in(offers: Iterable[Part]) -> str | None:
    """The first thing wrong with a plugin's descriptors, as the end of a sentence about the plugin, or None."""
    seen: set[tuple[str, str, str]] = set()
    for offer in offers:
        fault = _fault(offer)
        if fault:
            return fault
        key = (offer.kind, scope(offer), offer.name)
        if key in seen:
            return f"offers two of the same name: {offer}"
        seen.add(key)
    return None


def scope(offer: Part) -> str:
    """The modality within which a part is asked for by name; empty for one that is asked for by its name alone."""
    return str(getattr(offer, "modality", "")) if offer.in_modality else ""


def _fault(offer: Part) -> str | None:
    if not isinstance(offer.name, str) or not _NAME.fullmatch(offer.name):
        named = f"offers a {type(offer).word} named {offer.name!r}"
        return f"{named}: names are lower-case words joined by '-', like 'clip-32'"
    if isinstance(offer, Architecture):
        if offer.role not in ("generator", "critic"):
            return f"offers architecture {offer.name!r} of role {offer.role!r}: roles are 'generator' and 'critic'"
        if offer.couples_rows != 1 and (offer.role == "generator" or offer.couples_rows < 1):
            return (
                f"offers {offer} with couples_rows={offer.couples_rows!r}: a critic may judge packs of 2 rows or more"
            )
    for factory in type(offer).factories:
        given: object = getattr(offer, factory)
        if given is None and _may_be_none(offer, factory):
            continue
        if isinstance(given, str) and not _FACTORY.fullmatch(given):
            return f"offers {offer} whose {factory!r} names no factory: {given!r}; write 'package.module:name'"
        if not isinstance(given, str) and not callable(given):
            return f"offers {offer} whose {factory!r} cannot be called: {given!r}"
    if hasattr(offer, "config") and not isinstance(offer, Scenario):
        model: object = offer.config
        if not (isinstance(model, type) and issubclass(model, Config)):
            return f"offers {offer} whose 'config' is no subclass of wganx.Config: {model!r}"
    if isinstance(offer, HealthCheck) and not _CODE.fullmatch(offer.code):
        return f"offers {offer} of code {offer.code!r}: codes are capitals and three digits, like 'WX041'"
    if isinstance(offer, Scenario) and not isinstance(offer.config, Path | Mapping):
        return f"offers {offer} whose 'config' is neither a Path nor a mapping: {offer.config!r}"
    return None


def _may_be_none(offer: Part, factory: str) -> bool:
    declared = type(offer).__dataclass_fields__[factory]
    return declared.default is None
