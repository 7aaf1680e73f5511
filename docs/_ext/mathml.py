"""Formulas as MathML, which browsers show by themselves: nothing is fetched, no script runs.

docutils brings the converter. A formula it cannot read is a warning with its place, so that a build which takes
warnings as errors stops there.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata
    from sphinx.writers.html5 import HTML5Translator

_log = logging.getLogger(__name__)

_SPELLINGS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\\dots(?![a-zA-Z])", r"\\ldots"),
        (r"\\middle(?![a-zA-Z])", ""),
        (r"\\textit(?![a-zA-Z])", r"\\text"),
        (r"\\(big|Big|bigg|Bigg)([(\[]|\\\{|\\lVert|\\lvert)", r"\\\1l\2"),
        (r"\\(big|Big|bigg|Bigg)([)\]|/]|\\\}|\\\||\\rVert|\\rvert)", r"\\\1r\2"),
        (r"(\\[dt]?frac)\s*([0-9A-Za-z])", r"\1{\2}"),  # \frac12, which is read as the fraction 12 over nothing
        (r"(\\[dt]?frac\{[^{}]*\})\s*([0-9A-Za-z])", r"\1{\2}"),
    )
)
"""Spellings that LaTeX knows and the converter does not, with those that it does."""

_FENCE = re.compile(r'<mo(?: class="mathopen")?( stretchy="false")?>([|‖{}])</mo>')
"""Bars and braces, which browsers stretch and space like a relation unless told not to."""


def _mathml(formula: str, node: nodes.Element, *, block: bool) -> str:
    spelled = formula
    for pattern, replacement in _SPELLINGS:
        spelled = pattern.sub(replacement, spelled)
    stretching = "\\left" in spelled  # here bars and braces without an attribute are meant to grow

    def plain(fence: re.Match[str]) -> str:
        if stretching and not fence[1]:
            return fence[0]
        return f'<mo stretchy="false" lspace="0" rspace="0">{fence[2]}</mo>'

    try:
        return _FENCE.sub(plain, tex2mathml(spelled, as_block=block))
    except MathError as error:
        _log.warning("formula %r: %s", formula, error, location=node, type="math")
        return f"<code>{html.escape(formula)}</code>"


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    """An inline formula."""
    translator.body.append(_mathml(node.astext(), node, block=False))
    raise nodes.SkipNode


def visit_block(translator: HTML5Translator, node: nodes.math_block) -> None:
    """A displayed formula, in a box that scrolls where it is wider than the page."""
    translator.body.append(translator.starttag(node, "div", CLASS="formula"))
    translator.body.append(_mathml(node.astext(), node, block=True))
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    """Offer the renderer under the name ``mathml``."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
