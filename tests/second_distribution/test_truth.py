"""Numbers with a truth beside them, with options, with features of an extractor, with intervals."""

from __future__ import annotations

import json
import math

import pytest
import torch

import wganx


@pytest.fixture
def denoised(tones):
    return wganx.train(
        "tones", "denoise", out="run", device="cpu", overrides={"train.steps": 10, "task.fidelity": 100.0}
    )


def test_it_is_trained_resumed_and_evaluated_and_drawn_only_where_there_is_context(tones, journey):
    found = journey("tones", "denoise", draw=False)
    with pytest.raises(wganx.UsageError, match="needs 'noisy' from data: give --source FILE"):
        wganx.load_generator(found.whole.folder.path).draw(2)


def test_psnr_against_the_truth_is_what_the_noise_says(denoised):
    """Noise of deviation 0.2 (clamped at 1 a little less) on a range from -1 to 1: 20 log10(1 / 0.2) = 14 dB."""
    evaluation = denoised.evaluate(n=64)
    row = next(row for row in evaluation.rows if row.value == "psnr")
    assert row.baselines["noisy"] == pytest.approx(20 * math.log10(1 / 0.2), abs=0.5)
    assert row.floor > 200  # real against itself: the truth of the floor is the floor
    assert row.generated > 0


def test_the_truth_is_row_by_row_and_the_reference_is_other_rows(denoised):
    seen = []
    evaluator, metrics = denoised.assembly.evaluator, denoised.resolved.metrics
    from dataclasses import replace

    chosen = metrics["psnr"]
    spied = replace(chosen, metric=replace(chosen.metric, compute=lambda sides, context: seen.append(sides) or {}))
    evaluator.evaluate(denoised.sampler(), {"psnr": spied}, n=8, seed=5, step=0)
    first = seen[0]
    again = denoised.sampler().draw(8, context=first.truth.context)
    assert torch.equal(first.candidate.real, again)
    assert torch.equal(first.candidate.context["noisy"], first.truth.context["noisy"])
    assert not (first.truth.real[:, None] == first.reference.real[None]).all(dim=(2, 3)).any()


def test_a_metric_has_options(tones, command, tmp_path):
    """A peak twice as high is 6 dB more; an unknown option is refused with its name."""
    options = "evaluate.metrics=[{name: psnr, peak: 2.0}, band-distance]"
    base = ["train", "--plugin", "tones", "--scenario", "denoise", "--device", "cpu", "--set", "train.steps=2"]
    command(*base, "--out", "run", "--set", options)
    found = json.loads(command("evaluate", "run", "--json"))
    row = next(row for row in found["rows"] if row["value"] == "psnr")
    assert row["baselines"]["noisy"] == pytest.approx(20 * math.log10(2 / 0.2), abs=0.5)
    assert [row["metric"] for row in found["rows"]] == ["psnr", "band-distance"]
    refused = command(*base, "--out", "other", "--set", "evaluate.metrics=[{name: psnr, peek: 2}]", code=2)
    assert "evaluate.metrics.psnr.peek" in refused
    assert "did you mean 'peak'?" in refused
    assert not (tmp_path / "other").exists()


def test_an_extractor_is_used_by_name_has_options_and_its_weights_stand_beside_the_numbers(tones):
    run = wganx.train(
        "tones", "denoise", out="run", device="cpu",
        overrides={"train.steps": 1, "evaluate.extractors": {"bands": {"bands": 4}}},
    )  # fmt: skip
    found = run.evaluate(n=16, metrics=["band-distance"])
    assert list(found.extractors) == ["bands"]
    assert run.resolved.extractors["bands"].bands == 4


def test_repeats_give_intervals_and_floors_are_kept(denoised, command):
    told = json.loads(command("evaluate", "run", "--repeats", 3, "-n", 16, "--json"))
    assert told["repeats"] == 3
    for row in told["rows"]:
        low, high = row["interval"]
        assert low <= row["generated"] <= high
        assert len(row["excess"]) == 3
    again = json.loads(command("evaluate", "run", "--repeats", 3, "-n", 16, "--json"))
    assert again == told


def test_whole_files_go_through_without_a_seam(denoised, tmp_path):
    """Windows fade into each other: the output has the source's length and rate, and no click at a window's edge."""
    import wave

    import numpy as np

    rng, rate, length = np.random.default_rng(0), 8000, 3001
    clean = 0.5 * np.sin(2 * np.pi * 500 * np.arange(length) / rate)
    with wave.open("in.wav", "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        noisy = np.clip(clean + 0.1 * rng.standard_normal(length), -1, 1)
        file.writeframes((noisy * 32767).astype("<i2").tobytes())
    denoised.apply("in.wav", "out.wav")
    with wave.open("out.wav", "rb") as file:
        assert (file.getnframes(), file.getframerate()) == (length, rate)
        made = np.frombuffer(file.readframes(length), "<i2") / 32768
    steps = np.abs(np.diff(made))
    edges = np.arange(256, length - 1, 256) - 1
    assert steps[edges].max() <= np.quantile(steps, 0.999) * 1.5
