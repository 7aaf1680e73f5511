"""What must hold of the descriptors of one plugin beside their class."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from wganx.health import HealthCheck
from wganx.plugins.contracts import Architecture, Config, Dataset, Descriptor, Metric, Modality, Scenario, Task

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_CODE = re.compile(r"[A-Z]{2,}[0-9]{3}")
_FACTORIES: dict[type[Descriptor], tuple[str, ...]] = {
    Modality: ("write", "preview"),
    Dataset: ("open",),
    Task: ("build",),
    Architecture: ("build",),
    Metric: ("compute",),
    HealthCheck: ("inspect",),
    Scenario: (),
}


def title(descriptor: Descriptor) -> str:
    """What kind of thing it is and its name: ``generator 'dcgan'``, ``dataset 'digits'``."""
    return f"{kind(descriptor)} {descriptor.name!r}"


def kind(descriptor: Descriptor) -> str:
    """The word for what it is: its role for a network, its class for all else."""
    if isinstance(descriptor, Architecture):
        return descriptor.role
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(descriptor).__name__).lower()


def fault_in(offers: Iterable[Descriptor]) -> str | None:
    """The first thing wrong with a plugin's descriptors, as the end of a sentence about the plugin, or None."""
    seen: set[tuple[str, str, str]] = set()
    for offer in offers:
        fault = _fault(offer)
        if fault:
            return fault
        # Tasks, networks and metrics are asked for within a modality, the rest by name alone.
        scope = offer.modality if isinstance(offer, Task | Architecture | Metric) else ""
        key = (kind(offer), scope, offer.name)
        if key in seen:
            return f"offers two of the same name: {title(offer)}"
        seen.add(key)
    return None


def _fault(offer: Descriptor) -> str | None:
    if not isinstance(offer.name, str) or not _NAME.fullmatch(offer.name):
        return (
            f"offers a {kind(offer) if not isinstance(offer, Architecture) else 'architecture'} named {offer.name!r}: "
            "names are lower-case words joined by '-', like 'clip-32'"
        )
    if isinstance(offer, Architecture) and offer.role not in ("generator", "critic"):
        return f"offers architecture {offer.name!r} of role {offer.role!r}: roles are 'generator' and 'critic'"
    for factory in _FACTORIES[type(offer)]:
        given: object = getattr(offer, factory)
        if not isinstance(given, Callable):  # type: ignore[arg-type]
            return f"offers {title(offer)} whose {factory!r} cannot be called: {given!r}"
    if isinstance(offer, Dataset | Task | Architecture):
        model: object = offer.config
        if not (isinstance(model, type) and issubclass(model, Config)):
            return f"offers {title(offer)} whose 'config' is no subclass of wganx.Config: {model!r}"
    if isinstance(offer, HealthCheck) and not _CODE.fullmatch(offer.code):
        return f"offers {title(offer)} of code {offer.code!r}: codes are capitals and three digits, like 'WX041'"
    if isinstance(offer, Scenario) and not isinstance(offer.config, Path | Mapping):
        return f"offers {title(offer)} whose 'config' is neither a Path nor a mapping: {offer.config!r}"
    return None
