"""A walk through the noise: what the generator makes of the way from one noise to another."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from wganx.engine import Sampler, apart
from wganx.errors import CheckpointError, UsageError, WganxError
from wganx.plugins.guard import one_line
from wganx.runs.run import Run

MOST_SAMPLES = 16
_NAME = re.compile(r"walk-[0-9]+-[0-9]{2}(-.+)?\.[a-z0-9]+", re.DOTALL)


def keep_walk(run: Run, tell: Callable[[str], None]) -> None:
    """Draw the walk of the newest checkpoint if it is wanted and not there; what fails costs the walk alone.

    Args:
        tell: hears why there is none.
    """
    try:
        frames, step = run.resolved.run.preview.walk, run.step_of("last")
        if frames and not (run.folder.samples / f"{_stem(step, frames - 1)}.png").is_file():
            draw_walk(run, frames)
    except CheckpointError:
        pass  # nothing was learnt yet, or nothing can be read of it, which is told elsewhere
    except (Exception, SystemExit) as error:
        tell(f"no walk through the noise: {error if isinstance(error, WganxError) else one_line(error)}")


def draw_walk(run: Run, frames: int = 9) -> list[Path]:
    """Previews along a great circle between two fixed noises, kept as ``samples/walk-STEP-FRAME.png``; their paths.

    At the angle t the noise is ``cos(t) a + sin(t) b`` with independent normal a and b, so every frame is drawn from
    normal noise as all samples are; on a straight line it would shrink half-way. Context and labels stay the same.
    Whatever the modality's preview writes beside a picture lies beside it here, too. A walk of an earlier step makes
    room. A generator without noise has no walk.

    Raises:
        CheckpointError: there is no checkpoint.
        WganxError: the context needs data that is gone, or the writer fails.
    """
    step, sampler, config = run.step_of("last"), run.sampler(), run.resolved.run
    if sampler.noise is None:
        return []
    # Vectors are looked at as a cloud; of pictures, sounds and clips each is looked at.
    is_vector = sampler.sample is not None and len(sampler.sample.shape) == 1
    count = config.preview.count if is_vector else min(config.preview.count, MOST_SAMPLES)
    batch = run.batch_for(sampler, count, seed=config.seed)
    paths = []
    for frame, noise in enumerate(noises_on_the_way(sampler, count, frames, config.seed)):
        samples = sampler.draw(count, seed=config.seed, context=batch.context, noise=noise)
        with apart(config.seed, sampler.device):
            picture, preview = run.write_preview(samples, batch, _stem(step, frame))
        paths += [picture, *preview.files]
    for path in run.folder.samples.iterdir():
        if path not in paths and _NAME.fullmatch(path.name) and path.is_file():
            path.unlink()
    return paths


def noises_on_the_way(sampler: Sampler, count: int, frames: int, seed: int) -> Iterator[Tensor]:
    """The noises ``(count, *noise)`` at each stop along great circles between two that the seed fixes.

    Raises:
        UsageError: the generator takes no noise.
    """
    start, end = _noise(sampler, 2, count, seed=seed)
    yield from noises_between(start, end, frames)


def noises_of_seeds(sampler: Sampler, count: int, frames: int, start: int, end: int) -> Iterator[Tensor]:
    """The same between the noises that `Sampler.draw` takes for two seeds.

    Raises:
        UsageError: the generator takes no noise.
    """
    yield from noises_between(_noise(sampler, count, seed=start), _noise(sampler, count, seed=end), frames)


def noises_between(start: Tensor, end: Tensor, frames: int) -> Iterator[Tensor]:
    """Each stop along great circles from one noise to another, ``cos(t) start + sin(t) end``; both ends among them."""
    for frame in range(frames):
        share = frame / max(1, frames - 1)
        angle = math.pi / 2 * share
        # The other end is itself to the last bit, which the cosine of a rounded right angle would not leave it.
        yield end if share == 1 else math.cos(angle) * start + math.sin(angle) * end


def _noise(sampler: Sampler, *sizes: int, seed: int) -> Tensor:
    if sampler.noise is None:
        raise UsageError("this generator takes no noise, so there is no way between two; leave the walk out")
    with apart(seed, sampler.device) as draws:
        return torch.randn(*sizes, *sampler.noise, generator=draws, device=sampler.device)


def _stem(step: int, frame: int) -> str:
    return f"walk-{step:06d}-{frame:02d}"
