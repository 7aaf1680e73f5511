"""The measuring instruments of the speed comparison: counts, equality of the mathematics, ratios."""

import pytest
import torch


@pytest.fixture
def setup():
    from networks import NETWORKS
    from trainings import Setup

    return lambda name, seed=0: Setup(NETWORKS[name], 2, torch.device("cpu"), "fp32", seed)


@pytest.mark.parametrize("name", ["mlp", "dcgan-32", "dcgan-32-layernorm", "video-predict-32"])
def test_the_bare_step_does_the_least_arithmetic_there_is(setup, name):
    from floor import count, measure_floor
    from trainings import VARIANTS

    bare = setup(name).make(VARIANTS["bare"])
    least = measure_floor(setup(name).network, 2).cycle(5)
    assert count(lambda: bare.run(1)) == pytest.approx(least, rel=0.005)


def test_the_floor_of_dcgan_64_is_the_one_derived_by_hand():
    from floor import measure_floor
    from networks import NETWORKS

    floor = measure_floor(NETWORKS["dcgan-64"], 4)
    # Multiply-adds of the four convolutions and the linear layer, two operations each.
    layers = [32**2 * 64 * 3, 16**2 * 128 * 64, 8**2 * 256 * 128, 4**2 * 512 * 256, 512]
    assert floor.critic == 4 * 2 * 16 * sum(layers)
    assert floor.critic_first == 4 * 2 * 16 * layers[0]
    assert floor.critic_step / floor.critic == pytest.approx(10.95, abs=0.01)
    assert floor.generator_step / floor.critic == pytest.approx(5.0, abs=0.03)


def test_the_textbook_step_does_half_as_much_again(setup):
    from floor import count
    from trainings import VARIANTS

    textbook, bare = (setup("dcgan-32").make(VARIANTS[name]) for name in ("textbook", "bare"))
    assert count(lambda: textbook.run(1)) / count(lambda: bare.run(1)) == pytest.approx(1.36, abs=0.02)


@pytest.mark.parametrize("name", ["mlp", "dcgan-32-layernorm"])
def test_all_ways_to_take_the_step_end_in_the_same_weights(setup, name):
    from trainings import distances

    apart = distances(setup(name).network, torch.device("cpu"), ["careful", "bare", "wganx"])
    assert max(apart.values()) <= 1e-12


def test_other_draws_end_in_other_weights(setup):
    from trainings import VARIANTS, distance

    one, other = (setup("mlp").make(VARIANTS["careful"]) for _ in range(2))
    other.steps.draws.manual_seed(1)
    one.run(3)
    other.run(3)
    assert distance(one, other) > 1e-4


def test_a_ratio_is_of_medians_and_its_range_of_rounds():
    from timing import ratio

    found = ratio([2.0, 4.0, 6.0, 8.0, 100.0], [1.0, 2.0, 2.0, 2.0, 50.0])
    assert found.value == 3.0
    assert (found.low, found.high) == pytest.approx((2.0, 3.6))


def test_a_warning_of_the_engine_is_heard():
    import logging

    from trainings import complaints

    with complaints() as heard:
        logging.getLogger("wganx.engine.carrying.execution").warning("a step cannot be %s", "recorded")
    logging.getLogger("wganx.engine.carrying.execution").warning("later")
    assert heard == ["a step cannot be recorded"]
