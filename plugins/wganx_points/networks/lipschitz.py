"""The critic that needs no constraint."""

from __future__ import annotations

from wganx import BuildContext, PreflightError
from wganx.nn import LipschitzMLP
from wganx_points.configs import LipschitzMlpConfig


def lipschitz_critic(config: LipschitzMlpConfig, context: BuildContext) -> LipschitzMLP:
    """``(x (N, *sample.shape)) -> (N,)``, 1-Lipschitz in x.

    Raises:
        PreflightError: the task gives the critic more than the sample to see.
    """
    if context.inputs:
        raise PreflightError(
            f"critic 'lipschitz-mlp' sees the sample alone, and this task also gives it {', '.join(context.inputs)}; "
            "play the task without (task.labels=false), or choose critic.name=mlp with "
            "constraint.name=gradient-penalty"
        )
    return LipschitzMLP(context.sample.size, config.width, config.depth)
