"""Four ways the same table can look: colours, patterns, light, camera, and where its fixtures stand.

As in CALVIN's four environments, what differs is what a picture shows and where things are, never what can be done. Blocks,
bulb and LED keep their colours, for instructions name them. Lengths are in metres, colours RGB from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, radians, sin

from gobench.errors import unknown

Colour = tuple[float, float, float]
Place = tuple[float, float]  # x (to the right), y (away from the static camera) of the table's top


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the fixtures stand."""

    drawer: float  # x of the drawer's middle, at the front edge
    cabinet: float  # x of the middle of the cabinet with the sliding door
    bulb: float  # x of the bulb, on the cabinet
    led: float  # x of the LED, on the cabinet
    lever: Place
    button: Place


@dataclass(frozen=True, slots=True)
class Pattern:
    """A texture made by MuJoCo: two colours, mixed as ``kind`` says."""

    kind: str  # "checker", "gradient" or "flat"
    first: Colour
    second: Colour
    repeat: float = 1.0


@dataclass(frozen=True, slots=True)
class View:
    """The static camera: from the left front, so that each way in which the hand moves is another one in the picture."""

    target: tuple[float, float, float]
    aside: float  # degrees to the left of the front
    down: float  # degrees that it looks down
    distance: float  # m from the target
    fovy: float  # degrees

    @property
    def position(self) -> tuple[float, float, float]:
        """Where it stands, in m."""
        aside, down = radians(self.aside), radians(self.down)
        x, y, z = self.target
        level = self.distance * cos(down)
        return x - level * sin(aside), y - level * cos(aside), z + self.distance * sin(down)


@dataclass(frozen=True, slots=True)
class Appearance:
    """One look of the scene."""

    layout: Layout
    view: View
    top: Pattern  # the table's top
    desk: Colour
    drawer: Colour
    handle: Colour
    cabinet: Colour
    inside: Colour  # what the sliding door covers
    door: Colour
    knob: Colour
    floor: Colour
    wall: Pattern
    arm: Colour
    joints: Colour
    stand: Colour  # of lever, button and lights
    light: tuple[float, float, float]  # where the light comes from
    ambient: float
    diffuse: float


APPEARANCES: Mapping[str, Appearance] = {
    "A": Appearance(
        layout=Layout(-0.10, 0.0, -0.17, 0.17, (0.33, -0.03), (-0.335, -0.03)),
        view=View((-0.02, -0.06, 0.02), 42.0, 38.0, 1.46, 38.0),
        top=Pattern("checker", (0.86, 0.76, 0.60), (0.83, 0.72, 0.56), 6.0),
        desk=(0.62, 0.47, 0.33),
        drawer=(0.73, 0.57, 0.41),
        handle=(0.20, 0.20, 0.24),
        cabinet=(0.55, 0.60, 0.64),
        inside=(0.16, 0.17, 0.20),
        door=(0.93, 0.90, 0.84),
        knob=(0.52, 0.34, 0.70),
        floor=(0.40, 0.42, 0.45),
        wall=Pattern("gradient", (0.70, 0.76, 0.82), (0.52, 0.58, 0.66)),
        arm=(0.94, 0.94, 0.95),
        joints=(0.24, 0.27, 0.32),
        stand=(0.35, 0.37, 0.42),
        light=(0.5, -1.0, 2.0),
        ambient=0.38,
        diffuse=0.55,
    ),
    "B": Appearance(
        layout=Layout(0.07, 0.02, 0.19, -0.15, (-0.33, -0.02), (0.335, -0.04)),
        view=View((0.0, -0.06, 0.02), 38.0, 40.0, 1.50, 38.0),
        top=Pattern("flat", (0.47, 0.33, 0.24), (0.47, 0.33, 0.24)),
        desk=(0.30, 0.21, 0.16),
        drawer=(0.42, 0.30, 0.23),
        handle=(0.88, 0.80, 0.55),
        cabinet=(0.76, 0.72, 0.64),
        inside=(0.26, 0.20, 0.18),
        door=(0.30, 0.50, 0.47),
        knob=(0.92, 0.85, 0.60),
        floor=(0.55, 0.50, 0.45),
        wall=Pattern("gradient", (0.86, 0.80, 0.70), (0.70, 0.62, 0.52)),
        arm=(0.30, 0.32, 0.36),
        joints=(0.84, 0.80, 0.70),
        stand=(0.80, 0.77, 0.70),
        light=(-0.8, -0.8, 1.8),
        ambient=0.42,
        diffuse=0.52,
    ),
    "C": Appearance(
        layout=Layout(0.0, -0.03, -0.20, 0.16, (0.33, -0.10), (-0.335, 0.0)),
        view=View((-0.01, -0.06, 0.02), 45.0, 39.0, 1.47, 38.0),
        top=Pattern("checker", (0.80, 0.83, 0.85), (0.74, 0.78, 0.81), 10.0),
        desk=(0.42, 0.46, 0.50),
        drawer=(0.56, 0.61, 0.66),
        handle=(0.85, 0.33, 0.24),
        cabinet=(0.24, 0.30, 0.38),
        inside=(0.58, 0.52, 0.40),
        door=(0.66, 0.76, 0.84),
        knob=(0.20, 0.22, 0.28),
        floor=(0.28, 0.31, 0.34),
        wall=Pattern("checker", (0.60, 0.66, 0.62), (0.56, 0.62, 0.58), 8.0),
        arm=(0.96, 0.78, 0.26),
        joints=(0.22, 0.23, 0.25),
        stand=(0.26, 0.29, 0.34),
        light=(0.0, -1.4, 1.6),
        ambient=0.36,
        diffuse=0.58,
    ),
    "D": Appearance(
        layout=Layout(-0.04, 0.04, 0.20, -0.14, (-0.33, -0.09), (0.335, 0.01)),
        view=View((-0.02, -0.06, 0.02), 40.0, 38.0, 1.46, 38.0),
        top=Pattern("checker", (0.58, 0.66, 0.56), (0.55, 0.62, 0.53), 4.0),
        desk=(0.80, 0.78, 0.72),
        drawer=(0.90, 0.88, 0.82),
        handle=(0.30, 0.42, 0.36),
        cabinet=(0.66, 0.50, 0.36),
        inside=(0.22, 0.17, 0.14),
        door=(0.84, 0.70, 0.50),
        knob=(0.24, 0.36, 0.34),
        floor=(0.62, 0.60, 0.57),
        wall=Pattern("gradient", (0.62, 0.60, 0.72), (0.46, 0.44, 0.56)),
        arm=(0.78, 0.82, 0.86),
        joints=(0.44, 0.40, 0.54),
        stand=(0.88, 0.86, 0.80),
        light=(0.9, -0.6, 2.0),
        ambient=0.44,
        diffuse=0.46,
    ),
}


def appearance(name: str) -> Appearance:
    """The appearance called ``name``; raises UsageError that lists what there is."""
    if name not in APPEARANCES:
        raise unknown("appearance", name, APPEARANCES)
    return APPEARANCES[name]
