"""What a caller in Python sees and can do while a training goes on."""

from __future__ import annotations

import threading

import torch

import wganx
from wganx.health import HealthCheck


class Watcher(wganx.Observer):
    def __init__(self):
        self.heard = []

    def started(self, step, until):
        self.heard.append(("started", step, until))

    def paced(self, step, seconds):
        self.heard.append(("paced", seconds > 0))


ALWAYS = HealthCheck(
    name="always", summary="always", code="WX900", mend="none", level="info", inspect=lambda vitals: "it is there"
)


def test_an_observer_is_told_of_the_start_and_early_of_the_pace(make_trainer, data, monkeypatch):
    monkeypatch.setattr("wganx.engine.carrying.pace._SECONDS", 0.0)
    watcher, trainer = Watcher(), make_trainer()
    trainer.fit(data, steps=6, observers=[watcher])
    trainer.fit(data, steps=2, observers=[watcher])
    assert watcher.heard == [("started", 0, 6), ("paced", True), ("started", 6, 8)]


def test_stop_from_another_thread_ends_fit_between_two_steps(make_trainer, data, tmp_path):
    trainer, store = make_trainer(), wganx.CheckpointStore(tmp_path)
    timer = threading.Timer(0.2, trainer.stop)
    timer.start()
    result = trainer.fit(data, steps=10**7, checkpoints=store)
    timer.join()
    assert result.status == "interrupted"
    assert store.steps()[-1] == result.step == trainer.step
    assert trainer.fit(data, steps=2).status == "finished", "one request ends one fit"


def test_the_result_holds_the_findings_and_the_averaged_generator_is_a_module(make_trainer, data):
    trainer = make_trainer()
    result = trainer.fit(data, steps=4, log_every=2, checks=[ALWAYS])
    assert "WX900" in {finding.code for finding in result.findings}
    module = trainer.averaged_generator
    assert not module.training
    with torch.no_grad():
        assert module(torch.randn(3, *trainer.training.rules.noise)).shape[0] == 3
