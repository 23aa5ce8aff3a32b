"""Scripted experts: what the hand should do now, from the state alone.

Every task is a **stroke**: come down at ``start``, go to ``end`` in a straight line, rise when the goal is reached. What
to do next follows from where the tip is, so an expert goes on from any state: above the table it travels, lower as it comes
near ``start``, over ``start`` it comes down, in the lane between ``start`` and ``end`` it strokes, and from anywhere else it
rises first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gobench_robot.envs.playtable import goals, sizes
from gobench_robot.envs.playtable.appearances import Layout
from gobench_robot.envs.playtable.goals import Facts
from gobench_robot.envs.playtable.tasks import GOALS, Goal, Push, Turn
from gobench_robot.envs.world import Floats

TRAVEL = 0.17  # z in m at which the tip passes above everything
NEAR = 0.015  # m: over ``start`` within this, the tip comes down
LANE = 0.025  # m: within this it is in the lane
RISEN = 0.035  # m below the height to travel at that still count as high enough
STEEP = 2.0  # the height to travel at falls by so much for each metre nearer to ``start``
OVER = 0.012  # m that the tip stays above what stands beside ``start``
SIDE = 0.065  # m from a block's middle to the tip beside it
TOUCH = sizes.BLOCK + sizes.FINGER[1]  # m from a block's middle to the tip that touches its side
BESIDE_BAR = (
    sizes.BAR + 2 * sizes.FINGER[0]
)  # m from the drawer's bar to the middle of the closed fingers that touch it
BESIDE_BALL = 0.02 + sizes.FINGER[1]  # m from the middle of the lever's ball to the tip that touches it
SURE = 0.006  # m by which a goal is overdone
DENT = 0.017  # m by which the tip may come nearer than touching, where things are turned, tilted or give way
BACK = 0.25  # part of a turn or an opening that is taken back in a frame: slow enough to be seen
SLOW = 0.020  # m a frame while pushing


class Hand(NamedTuple):
    """Where the hand is, and where it is told to be."""

    tip: Floats  # [3] m
    target: Floats  # [7] as in ``world``


@dataclass(frozen=True, slots=True)
class Stroke:
    """A straight way of the tip, the fingers closed."""

    start: Floats  # [3] m
    end: Floats  # [3] m
    reach: float  # m past ``start`` at which the tip still has before it what it moves
    top: float  # z in m of what stands beside ``start``


def wanted(task: str, facts: Facts, hand: Hand, layout: Layout) -> Floats:
    """How the target should change [7]: metres, radians (back to pointing down), metres of opening (back to closed)."""
    goal = GOALS[task]
    stroke = _stroke(goal, facts, layout)
    if goals.reached(task, facts, SURE) or _spent(goal, facts):
        return _rise(hand)
    if _in_lane(hand.tip, stroke):
        return _along(hand, stroke)
    aside = np.abs(hand.tip[:2] - stroke.start[:2]).max()
    if aside < NEAR:
        return _change(hand, stroke.start)
    height = min(TRAVEL, stroke.top + OVER + RISEN + STEEP * (aside - NEAR))
    if hand.tip[2] < height - RISEN:
        return _rise(hand, height)
    return _change(hand, np.array((*stroke.start[:2], height)))


def _spent(goal: Goal, facts: Facts) -> bool:
    """Whether the button has to come up before it can switch again."""
    return isinstance(goal, Turn) and goal.fixture == "led" and facts.pressed


def _rise(hand: Hand, height: float = TRAVEL) -> Floats:
    """Go straight up."""
    return _change(hand, np.array((*hand.target[:2], max(height, hand.target[2]))))


def _change(hand: Hand, to: Floats) -> Floats:
    """At once there; what noise has turned or opened goes back little by little."""
    return np.concatenate((to - hand.target[:3], -BACK * hand.target[3:]))


def _in_lane(tip: Floats, stroke: Stroke) -> bool:
    """Whether the tip is between start and what it moves, give or take a little to either side."""
    way = stroke.end - stroke.start
    ahead = way / max(float(np.linalg.norm(way)), 1e-9)
    done = float((tip - stroke.start) @ ahead)
    aside = tip - stroke.start - done * ahead
    return bool(np.abs(aside).max() < LANE and -LANE < done < stroke.reach)


def _along(hand: Hand, stroke: Stroke) -> Floats:
    """Go on towards the end: not faster than ``SLOW``, and back into the middle of the lane."""
    way = stroke.end - stroke.start
    ahead = way / max(float(np.linalg.norm(way)), 1e-9)
    left = float((stroke.end - hand.target[:3]) @ ahead)
    done = float((hand.target[:3] - stroke.start) @ ahead)
    to = stroke.start + (done + min(left, SLOW)) * ahead
    return _change(hand, to)


def _stroke(goal: Goal, facts: Facts, layout: Layout) -> Stroke:
    if isinstance(goal, Push):
        return _push(goal, facts)
    return _STROKES[goal.fixture](goal.after, facts, layout)


def _push(goal: Push, facts: Facts) -> Stroke:
    """From beside the block to where it will be 7.5 cm from where it was."""
    x, y, _ = facts.blocks[goal.block]
    end = facts.began[goal.block] + goal.side * (goals.PUSHED + 0.015 - TOUCH)
    return _sideways(goal.side, x - goal.side * SIDE, end, (y, 0.022), SIDE - TOUCH, 2 * sizes.BLOCK)


def _sideways(side: int, start: float, end: float, at: tuple[float, float], gap: float, top: float) -> Stroke:
    """To the ``side`` at y and z; what it moves is ``gap`` away. An end behind the start is the start."""
    end = side * max(side * end, side * start + 1e-3)
    return Stroke(np.array((start, *at)), np.array((end, *at)), gap + DENT, top)


def _drawer(after: str, facts: Facts, layout: Layout) -> Stroke:
    """Open: both fingers behind the bar, pull. Close: both before the bar, push."""
    x, bar = layout.drawer, sizes.FRONT - 0.008 - facts.drawer - sizes.BAR_GAP
    low = sizes.BAR_Z - 0.012
    if after == "open":
        start, end = bar + sizes.BAR_GAP / 2, bar + BESIDE_BAR + facts.drawer - sizes.DRAWER_TRAVEL - 0.01
        reach = sizes.BAR_GAP / 2 - BESIDE_BAR + DENT
        return Stroke(np.array((x, start, low)), np.array((x, end, low)), reach, 0.0)
    start, end = bar - BESIDE_BAR - 0.02, bar - BESIDE_BAR + facts.drawer + 0.02
    return Stroke(np.array((x, start, low)), np.array((x, end, low)), 0.02 + DENT, 0.0)


def _slider(after: str, facts: Facts, layout: Layout) -> Stroke:
    """Beside the knob, push it to the end."""
    side, gap = (1 if after == "right" else -1), sizes.KNOB_HALF[0] + sizes.FINGER[1]
    start = layout.cabinet + facts.slider - side * (gap + 0.022)
    end = layout.cabinet + side * (sizes.SLIDER_TRAVEL - 0.01)
    return _sideways(
        side,
        start,
        end,
        (sizes.KNOB_Y - 0.008, sizes.KNOB_Z - 0.01),
        0.022,
        sizes.KNOB_Z + sizes.KNOB_HALF[2],
    )


def _bulb(after: str, facts: Facts, layout: Layout) -> Stroke:
    """Beside the lever, push it over the middle."""
    side, (x, y) = (1 if after == "on" else -1), layout.lever
    ball = x + sizes.LEVER_LENGTH * np.sin(facts.lever)
    start = ball - side * (BESIDE_BALL + 0.014)
    return _sideways(side, start, x + side * 0.03, (y, sizes.LEVER_Z + 0.035), BESIDE_BALL, TRAVEL)


def _led(after: str, facts: Facts, layout: Layout) -> Stroke:
    """Down onto the button."""
    top = sizes.BUTTON_Z + sizes.BUTTON_HEIGHT
    start, end = np.array((*layout.button, top + 0.05)), np.array((*layout.button, top - 0.03))
    return Stroke(start, end, 0.05 + sizes.BUTTON_TRAVEL + DENT, top)


_STROKES = {"drawer": _drawer, "slider": _slider, "bulb": _bulb, "led": _led}
