"""Compiled loops of reading. Shapes are those of :class:`.read.Reader`; K is 3 for RGB, 1 for luma."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gobench_go.game.compiled import compiled

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
F32 = npt.NDArray[np.float32]
FAR = np.float32(1e9)
UNLIT = 0.01  # gains this near to 1 are no lighting
WORN = 5.0  # mean distance in grey levels from which a picture may be blurred


@compiled
def describe(picture: U8, boxes: I32, step: int, out: F32) -> None:
    """The mean colours of every point's nine boxes: ``out`` float32 [R*C, 9 * K]."""
    height, width, channels = picture.shape
    flat = picture.reshape(height, width * channels)
    columns = np.empty(width * channels, np.int32)
    for p in range(len(boxes)):
        ys, xs = boxes[p, 0], boxes[p, 1]
        start, length = xs[0] * channels, (xs[3] - xs[0]) * channels
        for j in range(3):
            # whole columns first: a loop over neighbouring bytes, which compiles to wide additions
            columns[:length] = 0
            for y in range(ys[j], ys[j + 1], step):
                row = flat[y]
                for x in range(length):
                    columns[x] += row[start + x]
            rows = (ys[j + 1] - ys[j] + step - 1) // step
            for i in range(3):
                first, last = (xs[i] - xs[0]) * channels, (xs[i + 1] - xs[0]) * channels
                share = np.float32(channels) / max((last - first) * rows, 1)
                for k in range(channels):
                    total = 0
                    for x in range(first + k, last, channels):
                        total += columns[x]
                    out[p, (3 * j + i) * channels + k] = total * share


@compiled
def sum_gaps(picture: U8, gaps: I32, out: F32) -> None:
    """The sum over every point's gap pixels: ``out`` float32 [R*C, K]."""
    out[:] = 0
    for p in range(len(gaps)):
        for y, x in gaps[p]:
            if y >= 0:
                for k in range(picture.shape[2]):
                    out[p, k] += picture[y, x, k]


@compiled
def _gains(
    picture: U8, gaps: I32, bright: F32, plane: F32, basis: F32, bounds: tuple[float, float], out: F32
) -> None:
    """What every point's colours are multiplied by to undo the lighting: ``out`` float32 [R*C, K]."""
    seen = np.empty_like(bright)
    sum_gaps(picture, gaps, seen)
    for k in range(bright.shape[1]):
        fit = np.zeros(3)
        for p in range(len(bright)):
            if bright[p, k] > 0:
                ratio = seen[p, k] / bright[p, k]
                for j in range(3):
                    fit[j] += plane[j, p] * ratio
        if fit[0] == 0:
            fit[0] = 1
        for p in range(len(bright)):
            light = fit[0] + fit[1] * basis[p, 1] + fit[2] * basis[p, 2]
            out[p, k] = 1 / min(max(light, bounds[0]), bounds[1])


@compiled
def _nearest(described: F32, gain: F32, known: F32, states: U8, confidence: F32) -> np.float32:
    """Compare a picture, lit by ``gain`` float32 [R*C, K], with the known states; returns the whole distance.

    ``states`` and ``confidence`` [R*C] are filled: the nearest state, and how much nearer it is than the best
    of another colour.
    """
    whole = np.float32(0)
    points, features = described.shape
    lit = np.empty(features, np.float32)
    least = np.empty(3, np.float32)
    for p in range(points):
        for i in range(features):
            lit[i] = described[p, i] * gain[p, i % gain.shape[1]]
        least[:] = FAR
        best, state = FAR, 0
        for s in range(len(known)):
            distance = np.float32(0)
            for i in range(features):
                distance += abs(lit[i] - known[s, p, i])
            colour = s - 2 if s > 2 else s
            least[colour] = min(least[colour], distance)
            if distance < best:
                best, state = distance, s
        least[state - 2 if state > 2 else state] = FAR
        other = least.min()
        states[p] = state
        confidence[p] = (other - best) / max(other + best, np.float32(1e-6))
        whole += best
    return whole


@compiled
def read(
    pictures: U8,
    boxes: I32,
    step: int,
    gaps: I32,
    bright: F32,
    plane: F32,
    basis: F32,
    bounds: tuple[float, float],
    known: F32,
    states: U8,
    confidence: F32,
) -> None:
    """Read pictures uint8 [N, H, W, K] into ``states`` uint8 and ``confidence`` float32, both [N, R*C].

    ``known`` holds the states as drawn and as blurred, float32 [B, S, R*C, 9 * K]. The blurred ones are tried
    on pictures that are far from the drawn ones, and the lighting is taken out where that brings a picture
    nearer (blur changes the gaps too).
    """
    described = np.empty(known.shape[2:], np.float32)
    gain, even = np.empty_like(bright), np.ones_like(bright)
    tried, sure = np.empty_like(states[0]), np.empty_like(confidence[0])
    for n in range(len(pictures)):
        describe(pictures[n], boxes, step, described)
        _gains(pictures[n], gaps, bright, plane, basis, bounds, gain)
        best = _nearest(described, even, known[0], states[n], confidence[n])
        lit = np.abs(gain - 1).max() > UNLIT
        for b in range(len(known)):
            if b and best < WORN * described.size:
                break
            for k in range(2):
                if (k == 0 and b > 0) or (k == 1 and lit):
                    distance = _nearest(described, gain if k else even, known[b], tried, sure)
                    if distance < best:
                        best = distance
                        states[n], confidence[n] = tried, sure
