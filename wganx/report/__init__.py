"""HTML pages, each one self-contained file: that of a run, made from the run folder alone.

What a page is made of can be used for others, too:

- `wganx.report.shell.render` seals a template that extends ``shell.html.jinja`` with the parts it needs;
- `wganx.report.charts` draws curves of several series, which ``charts.html.jinja`` lays out under one reader;
- ``player.html.jinja`` puts anything under one slider of steps: a picture, or a table of them;
- `wganx.report.pictures` and `wganx.report.media` embed pictures, sounds and clips under a budget.
"""

from wganx.report.page import write_report
from wganx.report.renewal import renew_report

__all__ = ["renew_report", "write_report"]
