"""Films of any length and size through a generator, in memory that does not grow with their length."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import torch
from torch import Tensor

from wganx import Make, SampleFormat, Sink, Source, UsageError
from wganx.data import reflect
from wganx_video.configs.films import FilmOptions, InterpolateFilmOptions, PredictFilmOptions
from wganx_video.tasks.cuts import numbered_scenes, scenes
from wganx_video.tasks.instants import Instants
from wganx_video.tasks.large_frames import FrameNetwork
from wganx_video.video.streams import VideoSink


def predict_file(
    source: Source, make: Make, sink: Sink, *, past: SampleFormat, future: int, options: PredictFilmOptions
) -> None:
    """A film as it is, and behind its end what may follow: predictions, which become the past of the next ones.

    They follow from the last scene alone. Where that is shorter than the past which the generator is given, its first
    frame stands for those before it.

    Args:
        past: format of what the generator is given.
        future: frames that it foretells at once.
    """
    _choose_encoding(sink, options)
    network = FrameNetwork(make, "past", past, film=source.format, tile=options.tile)
    known = past.shape[0] or 1
    latest: deque[Tensor] = deque(maxlen=known)
    scene = 0
    for number, frame_CHW in numbered_scenes(source, options.cut):
        if number != scene:
            latest.clear()
        scene = number
        latest.append(frame_CHW)
        sink.write(frame_CHW[None])
    left, draw = options.roll or future, 0
    while left:
        window_TCHW = torch.stack([latest[0]] * (known - len(latest)) + list(latest))
        made_TCHW = _stored(network(window_TCHW, draw=draw))[:left]
        sink.write(made_TCHW)
        latest.extend(made_TCHW)
        left, draw = left - len(made_TCHW), draw + 1


def upscale_file(
    source: Source, make: Make, sink: Sink, *, low: SampleFormat, made: int, scale: int, options: FilmOptions
) -> None:
    """A film with `scale` times the height and width.

    Windows lie in one scene each, which goes back and forth beyond its ends where they need more frames than it has. A
    generator that makes the middle one of its frames is given as many before each as behind it. Of one that makes all
    of them the windows overlap by half, and a frame is the mean of what they make of it, in which a window counts the
    more the nearer to its middle the frame lies.

    Args:
        low: format of what the generator is given.
        made: frames that it makes of these: all, or one.
    """
    _choose_encoding(sink, options)
    network = FrameNetwork(make, "low", low, film=source.format, scale=scale, tile=options.tile)
    frames, channels, *size = source.format.shape
    larger = [None if side is None else side * scale for side in size]
    sink.expect(replace(source.format, shape=(frames, channels, *larger)))
    count = low.shape[0] or 1
    through = _centred if made == 1 else _overlapped
    for scene in scenes(source, options.cut):
        for made_CHW in through(scene, count, network):
            sink.write(_stored(made_CHW)[None])


def interpolate_file(
    source: Source,
    make: Make,
    sink: Sink,
    *,
    kept: SampleFormat,
    instants: Instants,
    options: InterpolateFilmOptions,
) -> None:
    """A film with other frames in the same time: its own where they are wanted, made ones between.

    At a cut, and behind the last frame, which has no successor, a frame is shown again until its time is over, so that
    neither the length of the film nor the place of a cut is changed.

    Args:
        kept: format of what the generator is given.
    """
    _choose_encoding(sink, options)
    ratio = _ratio(source, options, instants)
    beside = {"time": torch.tensor([0.5])} if instants.any_time else None
    network = FrameNetwork(make, "frames", kept, film=source.format, tile=options.tile, beside=beside)
    rate = source.format.rate_hz
    sink.expect(replace(source.format, rate_hz=None if rate is None else float(rate * ratio)))
    film = _Between(source, network, instants, ratio, options.cut)
    for number in range(max(round(source.length * ratio), 1)):
        sink.write(film.at(number / ratio)[None])


class _Between:
    """A film at any position between its frames, asked for from its beginning to its end."""

    def __init__(
        self, source: Source, network: FrameNetwork, instants: Instants, ratio: Fraction, cut: float | None
    ) -> None:
        self._network, self._instants = network, instants
        self._base, self._depth = (1, 0) if instants.any_time else instants.grid(ratio)
        self._coming = enumerate(numbered_scenes(source, cut))
        self._last = source.length - 1
        # A frame that is approached needs others around it, each of which needs some, half as far apart every time.
        self._reach = 2 * instants.count - 3
        self._newest = -1
        self._scene: dict[int, int] = {}
        self._frames: dict[Fraction, Tensor] = {}

    def at(self, position: Fraction) -> Tensor:
        """The frame uint8 ``(C, H, W)`` at a position, counted in frames of the film."""
        before = min(int(position), self._last)
        self._forget(before - self._reach)
        if not self._is_between(position, before):
            return self._at(Fraction(before))
        if self._instants.any_time:
            return self._made(Fraction(before), Fraction(1), position - before)
        grid = self._base**self._depth
        return self._at(Fraction(round(position * grid), grid))

    def _at(self, position: Fraction) -> Tensor:
        """One of the film's own frames, or one of the grid between two of the same scene."""
        if position not in self._frames and position.denominator == 1:
            self._read_to(int(position))
        if position not in self._frames:
            spacing = Fraction(1)
            while (position / spacing * self._base).denominator > 1:
                spacing /= self._base
            lower = position // spacing * spacing
            self._frames[position] = self._made(lower, spacing, (position - lower) / spacing)
        return self._frames[position]

    def _made(self, lower: Fraction, spacing: Fraction, within: Fraction) -> Tensor:
        """The frame `within` of the way from `lower` to the frame that follows it at that spacing."""
        before, instants = int(lower), self._instants
        made = instants.choose(within, lambda step: self._is_between(lower + step * spacing, before))
        window = [
            self._at(self._inside(lower + (place - made.gap) * spacing, before)) for place in range(instants.count)
        ]
        beside = {"time": torch.tensor([float(within)])} if instants.any_time else {}
        return _stored(self._network(torch.stack(window), beside=beside)[made.position])

    def _inside(self, position: Fraction, before: int) -> Fraction:
        """The position, or where it lies outside of the scene of frame `before`, the scene's last or first frame."""
        if self._is_between(position, before):
            return position
        step = 1 if position > before else -1
        edge = before
        while step * (edge + step) <= step * position and self._is_between(Fraction(edge + step), before):
            edge += step
        return Fraction(edge)

    def _is_between(self, position: Fraction, before: int) -> bool:
        """Whether a position is a frame of the scene of frame `before`, or lies between two of them."""
        low, high = math.floor(position), math.ceil(position)
        if low < 0 or high > self._last:
            return False
        self._read_to(high)
        return self._scene.get(low) == self._scene.get(high) == self._scene[before]

    def _read_to(self, index: int) -> None:
        while self._newest < index:
            self._newest, (scene, frame_CHW) = next(self._coming)
            self._scene[self._newest], self._frames[Fraction(self._newest)] = scene, frame_CHW

    def _forget(self, first: int) -> None:
        self._frames = {position: frame for position, frame in self._frames.items() if position >= first}
        self._scene = {number: scene for number, scene in self._scene.items() if number >= first}


def _centred(scene: Iterator[Tensor], count: int, network: FrameNetwork) -> Iterator[Tensor]:
    """Every frame of a scene, made in the window around it."""
    half, at, first = count // 2, 0, 0
    held: deque[Tensor] = deque()
    ended = False
    while True:
        while not ended and first + len(held) <= at + half:
            frame_CHW = next(scene, None)
            ended = frame_CHW is None
            if frame_CHW is not None:
                held.append(frame_CHW)
        total = first + len(held)
        if at == total:
            return
        places = (reflect(place, total) for place in range(at - half, at - half + count))
        yield network(torch.stack([held[place - first] for place in places]))[0]
        at += 1
        while first < at - half:
            held.popleft()
            first += 1


def _overlapped(scene: Iterator[Tensor], count: int, network: FrameNetwork) -> Iterator[Tensor]:
    """Every frame of a scene, made in windows of `count` frames that overlap by half."""
    step, due = (count + 1) // 2, count
    held: deque[Tensor] = deque(maxlen=count)
    sums: deque[tuple[Tensor, int]] = deque()
    total = done = 0

    def add(start: int) -> None:
        """A window into the sums, the first of which is that of frame `done`."""
        made_TCHW = network(torch.stack(list(held)))
        for place in range(max(done - start, 0), min(count, total - start)):
            weight, at = min(place, count - 1 - place) + 1, start + place - done
            made_CHW = made_TCHW[place] * weight
            if at == len(sums):
                sums.append((made_CHW, weight))
            else:
                sums[at] = (sums[at][0] + made_CHW, sums[at][1] + weight)

    def finished(until: int) -> Iterator[Tensor]:
        nonlocal done
        while done < until:
            made_CHW, weight = sums.popleft()
            done += 1
            yield made_CHW / weight

    for frame_CHW in scene:
        held.append(frame_CHW)
        total += 1
        if total == due:
            add(total - count)
            yield from finished(total - count + step)
            due += step
    if total < count:
        held = deque([held[reflect(place, total)] for place in range(count)])
        add(0)
    elif total != due - step:
        add(total - count)
    yield from finished(total)


def _ratio(source: Source, options: InterpolateFilmOptions, instants: Instants) -> Fraction:
    """Frames that are wanted for each one of the film."""
    if options.fps is None:
        usual = 2 if instants.any_time else instants.spacing
        return Fraction(options.factor or usual)
    if source.format.rate_hz is None:
        raise UsageError("this film does not say how many frames a second it has, so fps means nothing; give factor")
    return _exact(options.fps) / _exact(source.format.rate_hz)


def _exact(rate: float) -> Fraction:
    """A rate as it is meant: 23.976, 29.97 and 59.94 are 24, 30 and 60 times 1000/1001."""
    television = Fraction(round(rate * 1.001) * 1000, 1001)
    if rate != round(rate) and abs(rate - television) < 0.005:
        return television
    return Fraction(rate).limit_denominator(1000)


def _choose_encoding(sink: Sink, options: FilmOptions) -> None:
    """Before anything is made: what a kind of file does not have is refused."""
    if options.codec is None and options.crf is None:
        return
    if not isinstance(sink, VideoSink):
        raise UsageError("only film files have a codec and a crf; leave them out")
    sink.encode(options.codec, options.crf)


def _stored(made: Tensor) -> Tensor:
    return (made.float() * 255).round().to(torch.uint8)
