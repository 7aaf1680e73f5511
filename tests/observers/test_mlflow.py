"""Runs as MLflow's own client reads them, from its local database."""

from __future__ import annotations

import json
import re
import sys

import pytest

import wganx
from wganx.health import HealthCheck

pytest.importorskip("mlflow", reason="the extra mlflow")
pytest.importorskip("sqlalchemy", reason="the extra mlflow")

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of sqlalchemy, by MLflow
    pytest.mark.usefixtures("_nothing_stays"),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A database of the module's own: making one takes MLflow seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


@pytest.fixture
def client(store, tmp_path, monkeypatch):
    from mlflow import MlflowClient

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", tmp_path.name)
    return MlflowClient()


@pytest.fixture
def runs(client, tmp_path):
    return lambda: client.search_runs([client.get_experiment_by_name(tmp_path.name).experiment_id])


def names(client, run, folder=None):
    return [file.path for file in client.list_artifacts(run.info.run_id, folder)]


def test_a_run_is_told_whole_and_trains_as_without(client, runs, train):
    plain, watched = train("plain"), train("watched", "mlflow")
    assert watched.folder.metrics.read_bytes() == plain.folder.metrics.read_bytes()
    assert watched.folder.facts()["notes"] == plain.folder.facts()["notes"]
    (run,) = runs()
    assert (run.info.run_name, run.info.status) == ("watched", "FINISHED")
    assert run.data.params["train.steps"] == "6"
    assert run.data.params["constraint.name"] == watched.resolved.run.constraint.name
    recorded = [json.loads(line) for line in watched.folder.metrics.read_text().splitlines()]
    told = client.get_metric_history(run.info.run_id, "w1_raw")
    assert [(each.step, each.value) for each in told] == [
        (line["step"], line["w1_raw"]) for line in recorded if "w1_raw" in line
    ]
    assert client.get_metric_history(run.info.run_id, "evaluate/modes/modes")[0].step == 6
    assert "config.yaml" in names(client, run)
    pictures = [name for name in names(client, run, "images") if name.endswith(".png")]
    assert sorted(re.search(r"samples.step.(\d+)", name)[1] for name in pictures) == ["3", "6"]


def test_a_run_that_goes_on_goes_on_there(client, runs, train, tmp_path):
    class Stops(wganx.Observer):
        def saved(self, step, path):
            if step == 4:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train("run", "mlflow", observers=(Stops(),))
    (run,) = runs()
    assert run.info.status == "KILLED"
    wganx.resume(tmp_path / "run", settings=["train.steps=8"], progress=False)
    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert run.data.params["train.steps"] == "6"
    assert run.data.tags["from step 4: train.steps"] == "8"
    assert [each.step for each in client.get_metric_history(run.info.run_id, "w1_raw")] == [2, 4, 6, 8]


def test_findings_and_a_failure_are_told(client, runs, train, monkeypatch):
    check = HealthCheck(
        name="always", summary="x", code="WX900", mend="mend it", inspect=lambda vitals: "it is (there)"
    )
    monkeypatch.setattr("wganx.plugins.Catalog.health_checks", lambda self, modality: [check])

    class Fails(wganx.Observer):
        def logged(self, step, scalars):
            if step == 4:
                raise wganx.WganxError("on purpose")

    with pytest.raises(wganx.WganxError, match="on purpose"):
        train("run", "mlflow", observers=(Fails(),))
    (run,) = runs()
    assert run.info.status == "FAILED"
    assert run.data.tags["error"] == "on purpose"
    assert run.data.tags["finding.WX900"] == "step 2: WX900 it is (there); mend it"


def test_a_store_that_is_away_is_named_once_and_the_run_goes_on(train, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "no" / "where").as_uri())
    facts = train("run", "mlflow").folder.facts()
    assert facts["status"] == "finished"
    (note,) = [note for note in facts["notes"] if "mlflow" in note]
    assert "failed in wganx_run_started: " in note
    assert note.endswith("its observers are switched off, the run goes on")
    assert "\n" not in note
    assert capsys.readouterr().err.count("switched off") == 1


def test_without_mlflow_it_says_what_to_install(train, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    facts = train("run", "mlflow").folder.facts()
    assert facts["status"] == "finished"
    assert 'MLflow is not installed: pip install "wganx[mlflow]"' in " ".join(facts["notes"])


def test_what_mlflow_does_not_take_is_made_so_that_it_does_or_left_out(client, runs, tmp_path, caplog):
    import wganx_mlflow

    run = wganx.RunInfo(
        folder=tmp_path / "it's a run", plugin="points", scenario="ring", device="cpu", seed=0, step=0,
        config={"a": {"b": 1, "c": [], "d": {}}, "long": "x" * 9000, **{f"n{i}": i for i in range(150)}},
    )  # fmt: skip
    wganx_mlflow.wganx_run_started(run)
    wganx_mlflow.wganx_evaluated(run, 3, {"per class/ein (schönes) %": 0.5})
    wganx_mlflow.wganx_evaluated(run, 4, {"x" * 10_000: 0.5})
    torn = tmp_path / "step-000004.png"
    torn.write_bytes(b"")
    wganx_mlflow.wganx_samples_written(run, 4, [torn, tmp_path / "gone.wav"])
    wganx_mlflow.wganx_evaluated(run, 4, {"later": 0.25})
    wganx_mlflow.wganx_run_finished(run, wganx.Outcome(status="finished", step=3))
    (found,) = runs()
    assert found.info.status == "FINISHED"
    assert found.data.metrics["evaluate/per class/ein _schönes_ _"] == 0.5
    assert found.data.metrics["evaluate/later"] == 0.25, "behind what MLflow will never take"
    (said,) = caplog.messages
    assert said.startswith("MLflow does not take what it is told: ")
    assert len(found.data.params) == 153
    again = wganx.RunInfo(**{name: getattr(run, name) for name in run.__dataclass_fields__ if name != "step"}, step=3)
    wganx_mlflow.wganx_run_started(again)
    wganx_mlflow.wganx_run_finished(again, wganx.Outcome(status="interrupted", step=4))
    (found,) = runs()
    assert found.info.status == "KILLED", "the same run, quote and all"


def test_an_outage_leaves_no_gap_and_is_named_once(client, runs, train, monkeypatch):
    """A server that is away for a while must cost neither the run nor what was told meanwhile."""
    import wganx_mlflow
    from mlflow import MlflowClient

    monkeypatch.setattr(wganx_mlflow, "LEAST_PATIENCE", 0.0)
    real, tried = MlflowClient.log_batch, []

    def away(self, run_id, metrics=(), params=()):
        tried.append(None)
        if metrics and len(tried) in (2, 3):
            raise ConnectionError("the server\nis away")
        return real(self, run_id, metrics=metrics, params=params)

    monkeypatch.setattr(MlflowClient, "log_batch", away)
    facts = train("run", "mlflow").folder.facts()
    assert facts["status"] == "finished"
    (note,) = [note for note in facts["notes"] if "MLflow" in note]
    assert note == "MLflow cannot be told now (the server is away); it is kept, and told later"
    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert [each.step for each in client.get_metric_history(run.info.run_id, "w1_raw")] == [2, 4, 6]


def test_an_outage_that_lasts_costs_one_try_and_is_named_at_the_end(client, runs, train, monkeypatch):
    from mlflow import MlflowClient

    real, tried = MlflowClient.log_batch, []

    def away(self, run_id, metrics=(), params=()):
        if metrics:
            tried.append(None)
            raise ConnectionError("the server is away")
        return real(self, run_id, metrics=metrics, params=params)

    monkeypatch.setattr(MlflowClient, "log_batch", away)
    facts = train("run", "mlflow").folder.facts()
    assert facts["status"] == "finished"
    assert len(tried) == 2, "once, and once more at the end"
    assert any("failed in wganx_run_finished: ConnectionError: the server is away" in note for note in facts["notes"])


def test_it_keeps_what_the_kit_asks_of_others(client, conform):
    conform("mlflow")
