"""The look of the lab's figures. matplotlib is an extra: it is imported here and in the functions that draw."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from wganx import MissingExtra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT = "#3a3e46", "#e3e6ea"
BLUE, ORANGE, GREEN, PURPLE, GREY = "#2a6fb0", "#de5024", "#2e8b57", "#7a4fa3", "#9ea4ad"

_STYLE: dict[str, object] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "figure.constrained_layout.use": True,
    "svg.fonttype": "none",  # letters stay letters: small files, text that can be searched
    "svg.hashsalt": "wganx",  # the same figure is the same file
}


def require_matplotlib() -> None:
    """Raises MissingExtra when matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingExtra('the lab draws its figures with matplotlib: pip install "wganx[lab]"') from error


@contextmanager
def styled() -> Iterator[None]:
    """The look, for whatever is drawn inside; matplotlib's own settings are as they were afterwards."""
    from matplotlib import rc_context

    with rc_context(_STYLE):  # type: ignore[arg-type]
        yield


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Writes ``name.svg`` and ``name.png`` into `folder`, which is made when missing; returns both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.svg", folder / f"{name}.png"]
    with styled():
        figure.savefig(paths[0], metadata={"Date": None})
        figure.savefig(paths[1], dpi=100)
    return paths


def plane(axes: Axes, reach: float) -> None:
    """A square view of the plane around the origin, without ticks."""
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], aspect="equal")
    axes.grid(False)
    for side in axes.spines.values():
        side.set_visible(True)
