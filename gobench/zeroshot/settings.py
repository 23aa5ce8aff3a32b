"""The numbers behind reading a zero-shot answer. They change scores, so a zero-shot protocol's hash holds them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gobench.types import Json

VERSION = 1

WORK = (32, 64, 128)  # pixels of the longer side at which pictures are compared, coarse to fine
STEPS = 4  # steps of refinement at each of them
SEARCH = 64  # pixels of the longer side at which shifts and scales are tried one by one
SHIFT = 1 / 32  # the largest shift, as a part of the longer side: 8 pixels of 256
SCALES = (0.94, 0.96, 0.98, 1.0, 1.02, 1.04, 1.06)  # enlargements tried
SLACK = 1.25  # a refined shift or scale may leave these bounds by this factor
SNAP = (0.1, 0.001)  # a shift (reference pixels) and a scale (minus 1) this small are none
SAME_SHAPE = 0.01  # proportions this near count as equal: no bars and no crop are looked for

CLIP = 32.0  # grey levels at which a difference stops to count for more: what moved must not steer
ACCEPT = 0.8  # likeness that needs no search
LEAST = 0.4  # least likeness of a picture that counts as registered
EXACT = 1.0  # mean difference (grey levels) of pictures of equal size that need no registration at all

GAIN = (0.6, 1.7)  # gains a channel within which colours are corrected
OFFSET = 80.0  # grey levels, likewise
SPREAD = 8.0  # grey levels: a channel flatter than this gets an offset only

CELLS = 32  # motion is looked for in the means of so many cells each way
STILL = (
    6.0  # grey levels a cell may change from frame to frame in a settled run, beyond the median cell's change
)
RUN = 2  # frames that a settled run has at least
SLIDES = 4  # clips of at most so many frames are stills: every frame is settled
MOST_STEPS = 32  # intermediate settled frames that are read at most: the last ones

SETTINGS: Mapping[str, Json] = MappingProxyType(
    {
        "version": VERSION,
        "rule": "last settled frame",
        "work": list(WORK),
        "steps": STEPS,
        "search": SEARCH,
        "shift": SHIFT,
        "scales": list(SCALES),
        "slack": SLACK,
        "snap": list(SNAP),
        "same_shape": SAME_SHAPE,
        "clip": CLIP,
        "accept": ACCEPT,
        "least": LEAST,
        "exact": EXACT,
        "gain": list(GAIN),
        "offset": OFFSET,
        "spread": SPREAD,
        "cells": CELLS,
        "still": STILL,
        "run": RUN,
        "slides": SLIDES,
        "most_steps": MOST_STEPS,
    }
)
