"""What a plugin's descriptors have in common, whatever they describe.

A new kind of descriptor is one subclass of `Part`: it says which hook returns it, what its values are called, and
whether it belongs to a modality. Loading, the catalog, listings, the reference and the conformance kit follow from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar

KINDS: dict[str, type[Part]] = {}
"""Every kind of descriptor by the hook that returns it, in the order in which they were defined."""

Factory = Callable[..., Any] | str
"""A function or class, or where to find it: ``"package.module:name"``, which is imported when it is first used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something that a plugin offers under a name.

    Attributes:
        name: lower-case words joined by ``-``.
        summary: what it is, in a few words.
        origin: whose it is, in words; filled in when its plugin is loaded.
    """

    hook: ClassVar[str] = ""
    """The registration hook that returns it."""
    word: ClassVar[str] = ""
    """What one of it is called."""
    plural: ClassVar[str] = ""
    """What several are called; `word` and an s by default."""
    in_modality: ClassVar[bool] = False
    """Whether it is looked up within a modality, its field `modality`, rather than by its name alone."""
    factories: ClassVar[tuple[str, ...]] = ()
    """The fields that are factories; one that may be None is left out when it is."""

    name: str
    summary: str
    origin: str = field(default="", compare=False, repr=False)

    def __init_subclass__(cls) -> None:
        # By hook, so that the class that `slots=True` makes a second time takes the place of the first.
        if cls.hook:
            KINDS[cls.hook] = cls

    @property
    def kind(self) -> str:
        """The word for what it is."""
        return self.word

    def factory(self, name: str) -> Callable[..., Any]:
        """The factory in field `name`, imported if it is given by its name.

        Raises:
            ImportError, AttributeError, TypeError: there is no such thing, or it cannot be called.
        """
        given: Factory = getattr(self, name)
        if not isinstance(given, str):
            return given
        module, _, attribute = given.partition(":")
        found: Any = import_module(module)
        for step in attribute.split("."):
            found = getattr(found, step)
        if not callable(found):
            raise TypeError(f"{given} is {type(found).__name__}, which cannot be called")
        return found  # type: ignore[no-any-return]

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r}"


def plural(kind: type[Part]) -> str:
    """What several descriptors of a kind are called."""
    return kind.plural or f"{kind.word}s"
