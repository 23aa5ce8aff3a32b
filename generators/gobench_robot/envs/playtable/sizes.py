"""Sizes of the playtable in metres and radians: the scene is built of them, goals and experts reckon with them.

x grows to the right of the static camera, y away from it, z upwards from the table's top.
"""

from __future__ import annotations

TOP = (0.42, 0.25)  # half width and half depth of the table's top
FRONT = -TOP[1]  # y of the front edge
FLOOR = -0.24  # z

BLOCK = 0.025  # half an edge
LANES = (-0.175, -0.09, -0.005)  # y of the blocks' places: a block that is pushed along x meets no other
BLOCK_REACH = 0.115  # |x| of a block at first, at most

DRAWER_HALF = (0.15, 0.042)  # half width and half height of the drawer's front
DRAWER_Z = -0.085  # of its middle
DRAWER_TRAVEL = 0.11
BAR_Z = -0.07  # of the handle
BAR_GAP = 0.09  # from the drawer's front to the middle of the handle
BAR = 0.008  # its radius

CABINET_HALF = (0.25, 0.035, 0.09)
CABINET_Y = 0.185
DOOR_HALF = 0.122  # half the width of the sliding door
SLIDER_TRAVEL = 0.12  # to either side of the middle
KNOB_Y = 0.095  # of the knob's middle
KNOB_Z = 0.085
KNOB_HALF = (0.010, 0.030, 0.030)

LEVER_Z = 0.035  # of its axis
LEVER_LENGTH = 0.085
LEVER_TILT = 0.50  # to either side; negative is left is off
BUTTON_Z = 0.045  # of the top of the button's box
BUTTON_HEIGHT = 0.018  # that the button stands out
BUTTON_TRAVEL = 0.014
BUTTON_RADIUS = 0.032

BASE = (0.0, 0.33, 0.28)  # of the arm: where the shoulder is
UPPER_ARM = 0.46
FOREARM = 0.46
HAND = 0.21  # from the wrist to the point between the fingertips
FINGER = (0.010, 0.016, 0.050)  # half thickness (the way they open), half width, half length
OPENING = 0.07  # between the fingers, at most

SHADOW = (0.058, 0.046, 0.034)  # radii of the dark discs straight below the hand
