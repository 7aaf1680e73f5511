"""Checks of generators and critics: that the engine can build, move, train and store them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from wganx.engine.copying import copy_of
from wganx.engine.planning.preflight import last_bounded
from wganx.engine.stages import stages_of
from wganx.errors import PluginFailed
from wganx.plugins.descriptors import Architecture
from wganx.plugins.guard import calling
from wganx.testing.bench import Bench
from wganx.testing.check import check, fail, listed
from wganx.testing.places import Network, inside
from wganx.wasserstein import GradientPenalty, lipschitz_estimate

STEPS = 1_000_000
"""Of which a network that has stages is looked at in the first of each, since it may use other layers there."""
STAGES = 40
"""That are looked at, at most."""
LARGE = 8.0
"""What weights are scaled by where nothing may depend on their size."""
DIFFERENTIABLE = "use layers that can be differentiated twice, and neither .detach() nor .data between input and score"


def _call(network: Network, module: nn.Module, inputs: tuple[Tensor, ...], given: Mapping[str, Tensor]) -> Tensor:
    with calling(network.architecture, "forward"):
        made = module(*inputs, **given)
    if not isinstance(made, Tensor):
        fail(f"{network} it returns {type(made).__name__}", "return one tensor")
    return made


def _cases(architecture: Architecture, bench: Bench) -> Iterator[tuple[Network, nn.Module]]:
    for network in bench.networks(architecture):
        yield network, network.build()


@check("generator", "critic", name="builds", mend="refuse what does not suit it with wganx.PreflightError")
def builds(architecture: Architecture, bench: Bench) -> str | None:
    """It is built for the samples that suit it; for others it says what does."""
    bench.networks(architecture)
    unsaid = bench.unsaid.get((architecture.kind, architecture.name))
    return f"it fails on {unsaid}; better refused when it is built, by wganx.PreflightError" if unsaid else None


@check("generator", name="shape", mend="let forward(noise, **inputs) take any number of rows")
def generator_shape(architecture: Architecture, bench: Bench) -> None:
    """It makes samples of the right shape, for a batch of one as for three, and needs nothing but what it is given."""
    for network, module in _cases(architecture, bench):
        wanted = network.setting.game.sample
        for training, count in ((True, 3), (False, 1)):
            made = _call(network, module.train(training), *network.arguments(count))
            if len(made) != count or not wanted.fits(tuple(made.shape[1:])):
                fail(
                    f"{network} it makes {tuple(made.shape)} for {count} rows of {wanted}",
                    "return (N, *context.sample.shape) for every N, 1 among them",
                )


@check("generator", name="range", mend="let forward(noise, **inputs) return samples")
def generator_range(architecture: Architecture, bench: Bench) -> None:
    """What it makes is finite and within the samples' range, and can reach all of it."""
    for network, module in _cases(architecture, bench):
        made = _call(network, module.train(), *network.arguments())
        format = network.setting.game.sample
        if wrong := inside(made.detach(), format):
            fail(f"{network} what it makes {wrong}", "end it in the activation of the range: tanh for -1 to 1")
        bound = last_bounded(made)
        if bound is None:
            continue
        low, high = format.value_range or (-float("inf"), float("inf"))
        if bound[1] > low + 1e-6 or bound[2] < high - 1e-6:
            fail(
                f"{network} it ends in {bound[0]}, {bound[1]:g} to {bound[2]:g}, and samples are {low:g} to {high:g}",
                "end it in the activation of the range: tanh for -1 to 1, none for unbounded samples",
            )


@check("generator", name="gradients", mend="let its samples be differentiable")
def generator_gradients(architecture: Architecture, bench: Bench) -> None:
    """Every weight has a part in what is made."""
    for network, module in _cases(architecture, bench):
        for step in _firsts(module):
            network.enter(module, step)
            made = _call(network, module.train(), *network.arguments())
            if not made.requires_grad:
                fail(f"{network} what it makes carries no gradient", "detach nothing, and call nothing under no_grad")
            made.square().sum().backward()  # type: ignore[no-untyped-call]
        _all_reached(network, module, "what it makes")


def _firsts(module: nn.Module) -> list[int]:
    """The first step of every stage that a network has."""
    at = getattr(module, "at", None)
    return [stage.first for stage in stages_of(at, STEPS, STAGES)] if callable(at) else [0]


def _all_reached(network: Network, module: nn.Module, what: str) -> None:
    weights = {name: weight for name, weight in module.named_parameters() if weight.requires_grad}
    if lost := [name for name, weight in weights.items() if weight.grad is None]:
        fail(
            f"{network} {what} does not reach {listed(lost)}",
            "use every layer that is made, or make none that is not used",
        )
    if wild := [name for name, weight in weights.items() if not bool(torch.isfinite(weight.grad).all())]:  # type: ignore[arg-type]
        fail(
            f"{network} the gradient of {listed(wild)} is not finite",
            "mend what is not smooth: sqrt and norm at 0, division by 0",
        )


@check("generator", "critic", name="seeded", mend="let it be built twice")
def seed_fixes_weights(architecture: Architecture, bench: Bench) -> None:
    """The engine's seed alone fixes the weights: the same seed the same, another one others."""
    for network in bench.networks(architecture):
        one, same, other = (dict(network.build(seed).state_dict()) for seed in (1, 1, 2))
        tensors = [name for name, value in one.items() if isinstance(value, Tensor)]
        if drifting := [name for name in tensors if not torch.equal(one[name], same[name])]:
            fail(
                f"{network} two builds with one seed differ in {listed(drifting)}",
                "initialise with torch's own functions, from its global stream, which the engine has seeded",
            )
        if tensors and any(one[name].numel() > 1 for name in tensors) and all(
            torch.equal(one[name], other[name]) for name in tensors
        ):  # fmt: skip
            fail(f"{network} another seed gives the same weights", "call no torch.manual_seed: the engine seeds")


@check("generator", "critic", name="weights", mend="let state_dict() be loaded again")
def weights_are_stored(architecture: Architecture, bench: Bench) -> None:
    """All that it learns is in its state_dict, which holds tensors alone and loads strictly."""
    for network, module in _cases(architecture, bench):
        state = module.state_dict()
        if strange := [name for name, value in state.items() if not isinstance(value, Tensor)]:
            fail(
                f"{network} its state_dict holds {listed(strange)}, which is no tensor",
                "keep in it what checkpoints can hold, and derive the rest from the configuration",
            )
        if not state:
            fail(f"{network} it has no weights", "hold layers as attributes, or in nn.ModuleList, not in a list")
        inputs, given = network.arguments()
        _call(network, module.train(), inputs, given)  # buffers move as they do in a training
        fresh = network.build(seed=3)
        fresh.load_state_dict({name: value.clone() for name, value in module.state_dict().items()}, strict=True)
        with torch.no_grad():
            one, other = (_fixed(network, each, inputs, given) for each in (module, fresh))
        if not torch.allclose(one, other, atol=1e-5, rtol=1e-4):
            fail(
                f"{network} loaded weights give other results",
                "keep what it learns in parameters, and what else it needs in register_buffer",
            )


def _fixed(network: Network, module: nn.Module, inputs: tuple[Tensor, ...], given: Mapping[str, Tensor]) -> Tensor:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return _call(network, copy_of(module).eval(), inputs, given)


@check("generator", "critic", name="evaluation", mend="let it be called in evaluation mode")
def evaluation_is_steady(architecture: Architecture, bench: Bench) -> None:
    """In evaluation mode the same input gives the same result."""
    for network, module in _cases(architecture, bench):
        inputs, given = network.arguments()
        module.eval()
        with torch.no_grad():
            one, other = (_call(network, module, inputs, given) for _ in range(2))
        if not torch.equal(one, other):
            fail(
                f"{network} two calls in evaluation mode differ",
                "draw only in training mode (if self.training), or make what is drawn an input",
            )


@check("generator", "critic", name="device", mend="make every tensor in forward where the input is: device=x.device")
def follows_its_device(architecture: Architecture, bench: Bench) -> str | None:
    """It is built on the CPU, and goes wherever it is moved with all it needs; tried on a device without memory."""
    remark = None
    for network, module in _cases(architecture, bench):
        elsewhere = [name for name, value in module.state_dict().items() if value.device.type != "cpu"]
        if elsewhere:
            fail(f"{network} {listed(elsewhere)} is not on the CPU", "call no .cuda() or .to(): the engine places it")
        inputs, given = network.arguments()
        try:
            moved = copy_of(module).to("meta")
            made = _call(
                network, moved, tuple(x.to("meta") for x in inputs), {name: x.to("meta") for name, x in given.items()}
            )
        except PluginFailed as error:
            if "device" in str(error) and "item()" not in str(error):
                raise
            remark = f"{network} it could not be followed to another device: it reads values on the way"
            continue
        if made.device.type != "meta":
            fail(f"{network} what it makes stays on the {made.device.type}", "make tensors on the device of the input")
    return remark


@check("generator", "critic", name="bf16", mend="let it work under torch.autocast")
def half_precision_is_finite(architecture: Architecture, bench: Bench) -> None:
    """Under bf16 autocast its results are finite."""
    for network, module in _cases(architecture, bench):
        with torch.autocast("cpu", torch.bfloat16):
            made = _call(network, module.train(), *network.arguments())
        if not bool(torch.isfinite(made.float()).all()):
            fail(f"{network} it holds NaN or infinite values in bf16", "take logarithms, norms and softmax in fp32")


@check("critic", name="scores", mend="let forward(x, **inputs) take any number of rows")
def critic_scores(architecture: Architecture, bench: Bench) -> None:
    """It gives one score a sample, or a pack, as a vector."""
    for network, module in _cases(architecture, bench):
        for count in (3, 1):
            scores = _call(network, module.train(), *network.arguments(count))
            if scores.shape != (count,) or not bool(torch.isfinite(scores).all()):
                fail(
                    f"{network} it gives scores of shape {tuple(scores.shape)} for {count} rows",
                    "return (N,), finite: end in .squeeze(1) or .flatten(1).mean(1)",
                )


@check("critic", name="unbounded", mend="let forward(x, **inputs) return scores")
def critic_is_unbounded(architecture: Architecture, bench: Bench) -> None:
    """Its scores are unbounded: no sigmoid, tanh or rectifier at the end."""
    for network, module in _cases(architecture, bench):
        bound = last_bounded(_call(network, module.train(), *network.arguments()))
        if bound is not None:
            fail(f"{network} it ends in {bound[0]}", f"remove the {bound[0]}: a critic scores, it gives no probability")


@check("critic", name="rows", mend="let forward(x, **inputs) take any number of rows")
def rows_are_apart(architecture: Architecture, bench: Bench) -> None:
    """In training mode the score of a row does not depend on the other rows; of a pack, on other packs."""
    for network, module in _cases(architecture, bench):
        (x, *_), given = network.arguments()
        changed = x.clone()
        changed[0] = changed[0].flip(0) * -0.5 + 0.25
        with torch.no_grad():
            before, after = (_trained(network, module, each, given) for each in (x, changed))
        if float((before[1:] - after[1:]).abs().max()) > 1e-4 * (1 + float(before.abs().max())):
            fail(
                f"{network} another first row changes the scores of the others",
                "use layer norm, instance norm or none in place of batch norm, or declare couples_rows",
            )


def _trained(network: Network, module: nn.Module, x: Tensor, given: Mapping[str, Tensor]) -> Tensor:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return _call(network, copy_of(module).train(), (x,), given)


@check("critic", name="twice", mend=DIFFERENTIABLE)
def critic_is_differentiable_twice(architecture: Architecture, bench: Bench) -> None:
    """The gradient penalty can be taken and differentiated; with it every weight is reached, by finite gradients."""
    for network, module in _cases(architecture, bench):
        (real, *_), given = network.arguments(2)  # a row and another: a second derivative is dear
        module.train()
        fake = real.flip(0) * 0.5 + 0.1
        for step in _firsts(module):
            network.enter(module, step)
            with calling(architecture, "forward"):
                penalty = GradientPenalty(10.0).penalty(module, real, fake, **given)
                if not penalty.requires_grad:
                    fail(f"{network} the gradient penalty does not depend on the weights", DIFFERENTIABLE)
                loss = module(fake, **given).mean() - module(real, **given).mean()
                (loss + penalty).backward()
        _all_reached(network, module, "the critic's loss")


@check("critic", name="lipschitz", mend="build it from 1-Lipschitz layers: wganx.nn.LipschitzMLP")
def lipschitz_as_declared(architecture: Architecture, bench: Bench) -> str | None:
    """A critic that is declared 1-Lipschitz is, whatever its weights; measured at samples and between them."""
    if not architecture.lipschitz:
        return "it does not declare that it is 1-Lipschitz"
    for network, module in _cases(architecture, bench):
        (x, *_), given = network.arguments(32)
        with torch.no_grad():  # by construction it stays so, whatever training makes of its weights
            for weight in module.parameters():
                weight.mul_(LARGE)
        steepest = lipschitz_estimate(module.eval(), x, condition=given).value
        if steepest > 1 + 1e-3:
            fail(
                f"{network} its slope is {steepest:.4g}",
                "build it from 1-Lipschitz layers (wganx.nn.LipschitzMLP), or declare lipschitz=False",
            )
    return None
