"""The rules of the game by name: wganx's own objectives, constraints and optimizers, and those of plugins."""

from __future__ import annotations

from typing import Any

from wganx.errors import PluginError, did_you_mean
from wganx.parts import Part
from wganx.plugins import Catalog
from wganx.plugins.descriptors import ConstraintPart, ObjectivePart, OptimizerPart
from wganx.plugins.guard import calling

_PARTS: dict[str, type[ConstraintPart] | type[ObjectivePart] | type[OptimizerPart]] = {
    "constraint": ConstraintPart,
    "objective": ObjectivePart,
    "optimizer": OptimizerPart,
}


class RuleBook:
    """What ``objective.name``, ``constraint.name`` and ``optimizer.name`` may say."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def names(self, section: str) -> list[str]:
        """Every name that a section takes."""
        return [*self._own(section), *(part.name for part in self._catalog.offers(_PARTS[section]))]

    def find(self, section: str, name: str) -> type[Any]:
        """The class of that name; a plugin's by its bare name, or ``plugin:name``.

        Raises:
            PluginError: no such name, a plugin's name that wganx has taken, or a plugin's class that is none.
        """
        own = self._own(section)
        offered = [part for part in self._catalog.offers(_PARTS[section]) if f":{name}".endswith(f":{part.name}")]
        if name in own:
            if offered:
                raise PluginError(
                    f"{self._catalog.owner(offered[0]).found} offers {section} {name!r}, which is one of wganx's own; "
                    f"its author must rename it"
                )
            return own[name]
        if not offered:
            names = self.names(section)
            raise PluginError(f"no {section} named {name!r}; offered: {', '.join(names)}{did_you_mean(name, names)}")
        return self._class(self._catalog.rule(_PARTS[section], name), section)

    def _class(self, part: Part, section: str) -> type[Any]:
        base = _base(section)
        with calling(part, "build"):
            found = part.factory("build")
        if not (isinstance(found, type) and issubclass(found, base)):
            raise PluginError(f"{part.origin}: {part} is no subclass of {base.__module__}.{base.__name__}: {found!r}")
        if section != "optimizer" and getattr(found, "name", None) != part.name:
            raise PluginError(
                f"{part.origin}: {part} is the class {found.__name__}, whose own name is "
                f"{getattr(found, 'name', None)!r}; give both the same"
            )
        return found

    @staticmethod
    def _own(section: str) -> dict[str, type[Any]]:
        from wganx.engine import Optimizer
        from wganx.wasserstein import CONSTRAINTS, OBJECTIVES

        if section == "optimizer":
            return dict.fromkeys(("adam", "rmsprop"), Optimizer)
        registered = CONSTRAINTS if section == "constraint" else OBJECTIVES
        # Classes of plugins enter the registries too when they are defined; here they go by their plugin's parts.
        return {name: kind for name, kind in registered.items() if kind.__module__.startswith("wganx.")}


def _base(section: str) -> type[Any]:
    from wganx.engine import Optimizer
    from wganx.wasserstein import Constraint, Objective

    return {"constraint": Constraint, "objective": Objective, "optimizer": Optimizer}[section]
