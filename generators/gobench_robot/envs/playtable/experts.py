"""Scripted experts: what the hand should do now, from the state alone.

Every task is a **stroke**: come down at ``start``, go to ``end`` in a straight line, rise when the goal is reached. What
to do next follows from where the tip is, so an expert goes on from any state: above the table it travels, over ``start``
it comes down, in the lane between ``start`` and ``end`` it strokes, and from anywhere else it rises first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gobench_robot.envs.playtable import goals, sizes
from gobench_robot.envs.playtable.appearances import Layout
from gobench_robot.envs.playtable.goals import Facts
from gobench_robot.envs.playtable.tasks import GOALS, Goal, Push
from gobench_robot.envs.world import Floats

TRAVEL = 0.17  # z in m at which the tip passes above everything
NEAR = 0.012  # m: over ``start`` within this, the tip comes down
LANE = 0.020  # m: within this it is in the lane
RISEN = 0.035  # m below ``TRAVEL`` that still count as above everything
SIDE = 0.055  # m from a block's middle, or the knob's, to the tip beside it
TOUCH = sizes.BLOCK + sizes.FINGER[1]  # m from a block's middle to the tip that touches its side
SLOW = 0.028  # m a frame while pushing


class Hand(NamedTuple):
    """Where the hand is, and where it is told to be."""

    tip: Floats  # [3] m
    target: Floats  # [7] as in ``world``
    opening: float  # m between the fingertips


@dataclass(frozen=True, slots=True)
class Stroke:
    """A straight way of the tip, and the opening of the fingers before and during it."""

    start: Floats  # [3] m
    end: Floats  # [3] m
    opening: float = 0.0  # m, while coming down
    grip: float = 0.0  # m, in the lane


def wanted(task: str, facts: Facts, hand: Hand, layout: Layout) -> Floats:
    """How the target should change [7]: metres, radians (back to pointing down), metres of opening."""
    if goals.reached(task, facts):
        return _change(hand, np.array((*hand.target[:2], max(TRAVEL, hand.target[2]))), hand.target[6])
    stroke = _stroke(GOALS[task], facts, layout)
    if _in_lane(hand.tip, stroke):
        return _along(hand, stroke)
    aside = hand.tip[:2] - stroke.start[:2]
    if np.abs(aside).max() < NEAR and hand.opening > stroke.opening - 0.01:
        return _change(hand, stroke.start, stroke.opening)
    if hand.tip[2] < TRAVEL - RISEN:
        return _change(hand, np.array((*hand.target[:2], TRAVEL)), hand.target[6])
    return _change(hand, np.array((*stroke.start[:2], TRAVEL)), stroke.opening)


def _change(hand: Hand, to: Floats, opening: float) -> Floats:
    wish = np.array((*to, 0.0, 0.0, 0.0, opening))
    return np.asarray(wish - hand.target, np.float64)


def _in_lane(tip: Floats, stroke: Stroke) -> bool:
    """Whether the tip is on the way from start to end, give or take a little to either side."""
    way = stroke.end - stroke.start
    length = float(np.linalg.norm(way))
    ahead = way / max(length, 1e-9)
    done = float((tip - stroke.start) @ ahead)
    aside = tip - stroke.start - done * ahead
    return bool(np.abs(aside).max() < LANE and -LANE < done < length + LANE)


def _along(hand: Hand, stroke: Stroke) -> Floats:
    """Close the fingers, then go on towards the end: not faster than ``SLOW``, and back into the middle of the lane."""
    if hand.opening > stroke.grip + 0.015:
        return _change(hand, stroke.start, stroke.grip)
    way = stroke.end - stroke.start
    ahead = way / max(float(np.linalg.norm(way)), 1e-9)
    left = float((stroke.end - hand.target[:3]) @ ahead)
    done = float((hand.target[:3] - stroke.start) @ ahead)
    to = stroke.start + (done + min(left, SLOW)) * ahead
    return _change(hand, to, stroke.grip)


def _stroke(goal: Goal, facts: Facts, layout: Layout) -> Stroke:
    if isinstance(goal, Push):
        return _push(goal, facts)
    return _STROKES[goal.fixture](goal.after, facts, layout)


def _push(goal: Push, facts: Facts) -> Stroke:
    """From beside the block to where it will be 7.5 cm from where it was."""
    x, y, _ = facts.blocks[goal.block]
    end = facts.began[goal.block] + goal.side * (goals.PUSHED + 0.015 - TOUCH)
    return Stroke(np.array((x - goal.side * SIDE, y, 0.022)), np.array((end, y, 0.022)))


def _drawer(after: str, facts: Facts, layout: Layout) -> Stroke:
    """Open: one finger behind the bar, one before it, pull. Close: both before the bar, push."""
    bar = sizes.FRONT - 0.008 - facts.drawer - sizes.BAR_GAP
    low = sizes.BAR_Z - 0.012
    if after == "open":
        shift = sizes.DRAWER_TRAVEL + 0.02 - facts.drawer
        return Stroke(
            np.array((layout.drawer, bar, low)), np.array((layout.drawer, bar - shift, low)), 0.056, 2 * sizes.BAR
        )
    front = bar - sizes.BAR - 2 * sizes.FINGER[0]
    return Stroke(np.array((layout.drawer, front - 0.02, low)), np.array((layout.drawer, front + facts.drawer + 0.02, low)))


def _slider(after: str, facts: Facts, layout: Layout) -> Stroke:
    """Beside the knob, push it to the end."""
    side = 1 if after == "right" else -1
    knob = layout.cabinet + facts.slider
    end = layout.cabinet + side * (sizes.SLIDER_TRAVEL - sizes.KNOB_HALF[0])
    y, z = sizes.KNOB_Y - 0.008, sizes.KNOB_Z
    return Stroke(np.array((knob - side * (SIDE - 0.01), y, z)), np.array((end, y, z)))


def _bulb(after: str, facts: Facts, layout: Layout) -> Stroke:
    """Beside the lever, push it over the middle."""
    side = 1 if after == "on" else -1
    x, y = layout.lever
    ball = sizes.LEVER_LENGTH * np.sin(facts.lever)
    z = sizes.LEVER_Z + 0.035
    return Stroke(np.array((x + ball - side * SIDE, y, z)), np.array((x + side * 0.03, y, z)))


def _led(after: str, facts: Facts, layout: Layout) -> Stroke:
    """Down onto the button."""
    top = sizes.BUTTON_Z + sizes.BUTTON_HEIGHT
    return Stroke(np.array((*layout.button, top + 0.05)), np.array((*layout.button, top - 0.03)))


_STROKES = {"drawer": _drawer, "slider": _slider, "bulb": _bulb, "led": _led}
