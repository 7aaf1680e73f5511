"""The notebook of the guides: executed as it stands, stopped as a person stops it, and turned into a page."""

from __future__ import annotations

from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="reads notebooks")
nbclient = pytest.importorskip("nbclient", reason="runs notebooks")
pytest.importorskip("ipykernel", reason="runs the cells of notebooks")

NOTEBOOK = Path(__file__).parents[2] / "docs" / "guides" / "notebook.ipynb"

INTERRUPTED = """
import os, signal

class StopButton(wganx.Observer):
    def logged(self, step, scalars):
        os.kill(os.getpid(), signal.SIGINT)

trainer.fit(there.split(50), steps=1000, observers=[StopButton()])
"""


def read():
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The notebook with its outputs, and how *Run All* ended in a cell behind it whose training was stopped."""
    folder = tmp_path_factory.mktemp("notebook")
    notebook = read()
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in (INTERRUPTED, "'the cell below'")]
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    with pytest.raises(nbclient.exceptions.CellExecutionError) as stopped:
        client.execute()
    return notebook, stopped.value, folder


def outputs(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def test_it_is_kept_without_outputs():
    nbformat.validate(read())
    assert outputs(read()) == []
    assert all(cell.execution_count is None for cell in read().cells if cell.cell_type == "code")


@pytest.mark.slow
def test_every_cell_shows_what_it_should(executed):
    notebook, _, folder = executed
    shown = outputs(notebook)[:-2]
    assert {output.output_type for output in shown} == {"execute_result", "display_data"}, "nothing on standard error"
    bars = [output.data["text/html"] for output in shown if output.output_type == "display_data"]
    assert [bar.partition(' max="')[2].partition('"')[0] for bar in bars] == ["300", "40", "60"]
    assert all(f'value="{until}"' in bar for bar, until in zip(bars, ("300", "40", "60"))), "each was shown to its end"
    results = [output.data for output in shown if output.output_type == "execute_result"]
    html = "".join(data.get("text/html", "") for data in results)
    for words in ("Distance ", "W1 of 400 and 400", "Training", "40 of 40", "Evaluation of step 60", "data:image/png"):
        assert words in html
    assert all(not data["text/plain"].startswith("<") for data in results)
    assert len(list((folder / "runs").iterdir())) == 1


@pytest.mark.slow
def test_stopping_a_cell_keeps_what_was_trained_and_stops_run_all(executed):
    notebook, error, _ = executed
    assert error.ename == "Interrupted"
    assert error.evalue == "stopped after step 351 of 1300; the trainer holds it all; fit goes on from here"
    *_, stopped, below = notebook.cells
    assert stopped.outputs[-1].traceback == [f"Interrupted: {error.evalue}"], "one line"
    assert below.execution_count is None


@pytest.mark.slow
def test_it_becomes_a_page(executed):
    if find_spec("nbconvert") is None:
        pytest.skip("nbconvert makes the page")
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter().from_notebook_node(executed[0])
    found = []

    class Elements(HTMLParser):
        def handle_starttag(self, tag, attributes):
            found.append((tag, dict(attributes)))

    Elements().feed(page)
    assert sum(tag == "progress" for tag, _ in found) == 4
    pictures = [attributes for tag, attributes in found if tag == "img"]
    assert pictures
    assert all(picture["alt"].startswith("Samples of step ") for picture in pictures)
    assert sum(tag == "table" for tag, _ in found) >= 6
