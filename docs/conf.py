"""The site: prose in MyST, formulas in MathML, every code block with an output is executed.

sphinx-build -W -b html docs OUT       the pages
sphinx-build -W -b doctest docs OUT    their code
"""

import doctest
import sys
from pathlib import Path

import wganx

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "wganx"
author = "the wganx authors"
copyright = "the wganx authors, MIT licence"
release = version = wganx.__version__

extensions = [
    "mathml",  # docs/_ext: formulas that need no network
    "from_code",  # docs/_ext: commands, configuration, hooks and parts, as the code has them
    "tolerance",  # docs/_ext: outputs hold to the digits that they show
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.doctest",
]
exclude_patterns = ["_build", "_ext"]

myst_enable_extensions = ["amsmath", "dollarmath", "deflist"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

html_theme = "furo"
html_title = "wganx"
# Sounds are copied as they are: a page takes only pictures with it.
html_static_path = [folder for folder in ("_static", "gallery/heard") if (Path(__file__).parent / folder).is_dir()]
html_css_files = ["formulas.css", "reference.css"]
html_copy_source = False
html_show_sourcelink = False

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
default_role = "code"  # docstrings put names between single backticks

doctest_global_setup = """
import os
os.environ.setdefault("OMP_NUM_THREADS", "1")
import math
import torch
import wganx
torch.set_num_threads(1)
torch.manual_seed(0)
"""
doctest_default_flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def _speak_chinese(app, page, template, context, doctree):  # type: ignore[no-untyped-def]
    """The Chinese pages say so, so that browsers choose Chinese glyphs and hyphenation."""
    if page.startswith("theory/zh/") or page.endswith(".zh"):
        context["language"] = "zh-CN"


def setup(app):  # type: ignore[no-untyped-def]
    app.connect("html-page-context", _speak_chinese)
