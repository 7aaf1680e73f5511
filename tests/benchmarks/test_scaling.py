"""The model of several ranks: what it reads off measurements, and what it predicts."""

import argparse
import math

import pytest


def test_latency_and_rate_are_read_off_exact_points():
    from scaling_model import line

    latency, per_byte = line({size: 2e-5 + size * 1e-9 for size in (4.0, 4e3, 4e5, 4e6)})
    assert latency == pytest.approx(2e-5)
    assert per_byte == pytest.approx(1e-9)


def test_two_ranks_are_the_sum_of_their_parts():
    from scaling_model import model_of_two

    seconds = {
        "whole": [10.0], "together": [6.5], "half": [5.5], "half on both": [5.75], "assemble whole": [1.0],
        "assemble half": [0.5], "all-reduce 4": [0.1 + 4e-4], "all-reduce 4000": [0.5],
    }  # fmt: skip
    found = model_of_two({"seconds": seconds, "collectives": [4000, 4, 4]})
    assert found["predicted"] == pytest.approx(1.0 + 5.0 + 0.5 + 2 * (0.1 + 4e-4))
    assert found["predicted crowded"] == pytest.approx(found["predicted"] + 0.25)


def test_gpus_take_what_the_assumptions_say():
    from scaling_model import predict

    rates = argparse.Namespace(
        step_ms=[(10, 2.0), (20, 3.0)], nvlink=100.0, network=10.0, latency=5.0, memory=math.inf, gpus_per_node=8
    )
    one, node, nodes = (predict(rates, 1600, gpus, [10**9]) for gpus in (1, 8, 16))
    assert one["all"] == pytest.approx(1e-3 + 1600 * 1e-4)
    assert node["compute"] == pytest.approx(1e-3 + 200 * 1e-4)
    assert (node["latency"], node["bytes"]) == pytest.approx((6 * 5e-6, 2 * 7 / 8 / 100))
    assert (nodes["latency"], nodes["bytes"]) == pytest.approx((8 * 5e-6, 2 * 15 / 16 / 10))
