"""rich's console, for text of strangers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from wganx.names import visible


class Drawing(Console):
    """A console whose text is `visible`; what moves the cursor or colours is made by rich alone."""

    def render_str(self, text: str, **how: Any) -> Text:  # before widths are measured
        return super().render_str(visible(text), **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)
