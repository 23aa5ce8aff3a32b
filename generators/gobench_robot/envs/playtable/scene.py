"""The playtable as MJCF text, made of primitives and tables: no meshes, no files.

Geoms collide by two bits: movers (arm's fingers, blocks) with movers and furniture, furniture with movers only, the rest
with nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from gobench_robot.envs.playtable import sizes
from gobench_robot.envs.playtable.appearances import Appearance, Colour, Pattern
from gobench_robot.envs.playtable.tasks import BLOCKS

TIMESTEP = 0.005
JOINTS = ("turn", "shoulder", "elbow", "wrist", "tilt", "roll")
BLOCK_COLOURS: Mapping[str, Colour] = {
    "red": (0.86, 0.13, 0.12),
    "blue": (0.13, 0.30, 0.88),
    "pink": (1.00, 0.50, 0.78),
}
HAND_COLOURS: Mapping[str, Colour] = {"collar": (0.10, 0.86, 0.92), "fingers": (1.00, 0.60, 0.08)}
"""The same in every appearance: like nothing else on the table."""
LIT: Mapping[str, tuple[Colour, Colour]] = {  # light -> colours when off and on
    "bulb": ((0.50, 0.48, 0.40), (1.0, 0.90, 0.25)),
    "led": ((0.10, 0.26, 0.15), (0.25, 1.0, 0.35)),
}
SHADE = (0.14, 0.18, 0.24)  # opacity of the discs of the hand's shadow
GLOW = 0.9  # emission of a light that is on

_MOVER = 'contype="1" conaffinity="3"'
_FURNITURE = 'contype="2" conaffinity="1"'
_AIR = 'contype="0" conaffinity="0"'

# joint: position gain, damping of its servo, most torque, range
_SERVOS: Mapping[str, tuple[float, float, float, float, float]] = {
    "turn": (4500, 120, 80, -2.2, 2.2),
    "shoulder": (5000, 130, 100, -2.8, 0.6),
    "elbow": (3500, 90, 70, 0.1, 2.9),
    "wrist": (900, 24, 30, -2.9, 2.9),
    "tilt": (600, 15, 20, -1.2, 1.2),
    "roll": (300, 7, 10, -2.8, 2.8),
}


def mjcf(look: Appearance) -> str:
    """The whole scene."""
    parts = (
        *_room(look),
        *_desk(look),
        _drawer(look),
        _cabinet(look),
        _lever(look),
        _button(look),
        *_lights(look),
        *_blocks(),
        _shadow(),
        _arm(look),
    )
    return f"""<mujoco model="playtable">
<compiler angle="radian" autolimits="true"/>
<option timestep="{TIMESTEP}" integrator="implicitfast" cone="pyramidal" iterations="20" ls_iterations="20"/>
<statistic extent="1" center="0 0 0"/>
<visual><headlight ambient="{_n([look.ambient] * 3)}" diffuse=".12 .12 .12" specular="0 0 0"/>
<map znear=".02" zfar="12"/><quality numslices="20" numstacks="10" numquads="1"/>
<global offwidth="1024" offheight="1024"/></visual>
<default><geom friction=".7 .01 .001" solref=".01 1"/></default>
<asset>{_pattern("top", look.top)}{_pattern("wall", look.wall)}{_light_materials()}</asset>
<worldbody>{"".join(parts)}</worldbody>
<contact><exclude body1="front" body2="back"/></contact>
<actuator>{_actuators()}</actuator>
</mujoco>"""


def _n(values: Sequence[float]) -> str:
    """Numbers as MJCF writes them, without noise in the last digits."""
    return " ".join(f"{float(v):.6g}" for v in values)


def _geom(
    kind: str, at: Sequence[float], size: Sequence[float], colour: Colour | str, how: str, more: str = ""
) -> str:
    """One primitive; ``colour`` may be the name of a material."""
    paint = f'material="{colour}"' if isinstance(colour, str) else f'rgba="{_n([*colour, 1])}"'
    return f'<geom type="{kind}" pos="{_n(at)}" size="{_n(size)}" {paint} {how} {more}/>'


def _box(
    at: Sequence[float], half: Sequence[float], colour: Colour | str, how: str = _AIR, more: str = ""
) -> str:
    return _geom("box", at, half, colour, how, more)


def _limb(
    start: Sequence[float],
    end: Sequence[float],
    radius: float,
    colour: Colour,
    how: str = _AIR,
    more: str = "",
) -> str:
    """A capsule between two points."""
    ends = _n([*start, *end])
    return (
        f'<geom type="capsule" fromto="{ends}" size="{radius:.6g}" rgba="{_n([*colour, 1])}" {how} {more}/>'
    )


def _pattern(name: str, pattern: Pattern) -> str:
    """A texture and its material."""
    colours = f'rgb1="{_n(pattern.first)}" rgb2="{_n(pattern.second)}"'
    repeat = f'texrepeat="{_n([pattern.repeat] * 2)}"'
    return (
        f'<texture name="{name}" type="2d" builtin="{pattern.kind}" {colours} width="64" height="64"/>'
        f'<material name="{name}" texture="{name}" {repeat} specular="0" shininess="0"/>'
    )


def _light_materials() -> str:
    return "".join(
        f'<material name="{name}" rgba="{_n([*off, 1])}" emission="0" specular=".2"/>'
        f'<material name="{name}-halo" rgba="{_n([*on, 0])}" emission="1" specular="0"/>'
        for name, (off, on) in LIT.items()
    )


def _room(look: Appearance) -> tuple[str, ...]:
    """Light, the static camera, floor and wall."""
    away = np.subtract(look.view.position, look.view.target)
    right = np.cross((0.0, 0.0, 1.0), away)
    axes = _n([*right, *np.cross(away, right)])
    toward = _n([-v for v in look.light])
    return (
        f'<light directional="true" castshadow="false" pos="{_n(look.light)}" dir="{toward}" '
        f'diffuse="{_n([look.diffuse] * 3)}" specular=".1 .1 .1"/>',
        f'<camera name="static" pos="{_n(look.view.position)}" xyaxes="{axes}" fovy="{look.view.fovy}"/>',
        _box((0, 0.2, sizes.FLOOR - 0.01), (5.0, 1.4, 0.01), look.floor),
        _box((0, 0.95, 0.5), (5.0, 0.01, 1.0), "wall"),
    )


def _desk(look: Appearance) -> tuple[str, ...]:
    """Top, body and feet of the table, and the stand of the arm."""
    width, depth = sizes.TOP
    low = sizes.DRAWER_Z - sizes.DRAWER_HALF[1] - 0.012
    dark = _shade(look.desk, 0.75)
    feet = (
        _box((x, y, (low + sizes.FLOOR) / 2), (0.025, 0.025, (low - sizes.FLOOR) / 2), dark)
        for x in (0.05 - width, width - 0.05)
        for y in (0.05 - depth, depth - 0.05)
    )
    return (
        _box((0, 0, -0.0125), (width, depth, 0.0125), "top", _FURNITURE),
        _box(
            (0, 0.005, low / 2 - 0.0125),
            (width - 0.015, depth - 0.012, -low / 2 - 0.0125),
            look.desk,
            _FURNITURE,
        ),
        *feet,
        _box((*sizes.BASE[:2], (sizes.FLOOR + 0.2) / 2), (0.07, 0.07, (0.2 - sizes.FLOOR) / 2), look.joints),
    )


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(1.0, channel * factor) for channel in colour)
    return red, green, blue


def _drawer(look: Appearance) -> str:
    """Closed at 0, open at its travel; slides towards the camera."""
    width, height = sizes.DRAWER_HALF
    inside, travel, bar = _shade(look.drawer, 0.62), sizes.DRAWER_TRAVEL, -sizes.BAR_GAP
    rise, deep = sizes.BAR_Z - sizes.DRAWER_Z, travel / 2 + 0.012
    ends = (0.62 * width, bar, rise)
    posts = (_box((x, bar / 2, rise), (0.008, -bar / 2, 0.006), look.handle) for x in (-ends[0], ends[0]))
    sides = (
        _box((x, deep, -0.01), (0.006, deep, height - 0.02), inside, _FURNITURE)
        for x in (0.008 - width, width - 0.008)
    )
    return (
        f'<body name="drawer" pos="{_n([look.layout.drawer, sizes.FRONT - 0.008, sizes.DRAWER_Z])}">'
        f'<joint name="drawer" type="slide" axis="0 -1 0" range="0 {travel}" damping="5" frictionloss="2" armature=".1"/>'
        + _box((0, 0, 0), (width, 0.008, height), look.drawer, _FURNITURE, 'mass=".5"')
        + _box(
            (0, deep, 0.004 - height),
            (width - 0.004, deep, 0.004),
            _shade(inside, 0.8),
            _FURNITURE,
            'mass=".2"',
        )
        + "".join(sides)
        + "".join(posts)
        + _limb((-ends[0], bar, rise), ends, sizes.BAR, look.handle, _FURNITURE, 'mass=".1"')
        + "</body>"
    )


def _cabinet(look: Appearance) -> str:
    """A low cabinet with a rail above and below; its door slides from -travel (left) to travel (right)."""
    width, depth, height = sizes.CABINET_HALF
    x, front = look.layout.cabinet, sizes.CABINET_Y - depth
    rails = (
        _box((x, sizes.CABINET_Y - 0.008, z), (width + 0.008, depth + 0.008, 0.01), look.cabinet, _FURNITURE)
        for z in (0.01, 2 * height)
    )
    ends = (
        _box((x + s * width, sizes.CABINET_Y, height), (0.01, depth + 0.004, height), look.cabinet)
        for s in (-1, 1)
    )
    door = front - 0.006
    at = (0.0, sizes.KNOB_Y - door, sizes.KNOB_Z - height)
    return (
        _box((x, sizes.CABINET_Y, height), (width, depth, height), look.inside, _FURNITURE)
        + "".join((*rails, *ends))
        + f'<body name="slider" pos="{_n([x, door, height])}"><joint name="slider" type="slide" axis="1 0 0" '
        f'range="{-sizes.SLIDER_TRAVEL} {sizes.SLIDER_TRAVEL}" damping="8" frictionloss="1.5" armature=".1"/>'
        + _box((0, 0, 0.002), (sizes.DOOR_HALF, 0.006, height - 0.014), look.door, _FURNITURE, 'mass=".4"')
        + _box(at, sizes.KNOB_HALF, look.knob, _FURNITURE, 'mass=".1"')
        + "</body>"
    )


def _lever(look: Appearance) -> str:
    """Tips over to either side by its own weight: left is off, right is on."""
    x, y = look.layout.lever
    length, tilt = sizes.LEVER_LENGTH, sizes.LEVER_TILT
    return (
        _box((x, y, sizes.LEVER_Z / 2), (0.05, 0.035, sizes.LEVER_Z / 2), look.stand, _FURNITURE)
        + f'<body name="lever" pos="{_n([x, y, sizes.LEVER_Z])}"><joint name="lever" type="hinge" axis="0 1 0" '
        f'range="{-tilt} {tilt}" damping=".02" frictionloss=".01" armature=".002"/>'
        + _limb((0, 0, 0), (0, 0, length), 0.009, look.joints, _FURNITURE, 'mass=".03"')
        + _geom("sphere", (0, 0, length), (0.02,), LIT["bulb"][1], _FURNITURE, 'mass=".15"')
        + "</body>"
    )


def _button(look: Appearance) -> str:
    """Springs back; pressed it is at -travel."""
    x, y = look.layout.button
    radius, half = sizes.BUTTON_RADIUS, sizes.BUTTON_HEIGHT / 2
    return (
        _box((x, y, sizes.BUTTON_Z / 2), (0.05, 0.05, sizes.BUTTON_Z / 2), look.stand, _FURNITURE)
        + f'<body name="button" pos="{_n([x, y, sizes.BUTTON_Z + half])}"><joint name="button" type="slide" axis="0 0 1" '
        f'range="{-sizes.BUTTON_TRAVEL} 0" stiffness="250" springref=".012" damping="6" armature=".05"/>'
        + _geom("cylinder", (0, 0, 0), (radius, half), (0.15, 0.72, 0.35), _FURNITURE, 'mass=".05"')
        + "</body>"
    )


def _lights(look: Appearance) -> tuple[str, ...]:
    """The bulb on its post, the LED on its box, and what shines around them when they are on."""
    bulb, led, y = look.layout.bulb, look.layout.led, sizes.CABINET_Y
    foot = 2 * sizes.CABINET_HALF[2] + 0.01
    return (
        _geom("cylinder", (bulb, y, foot + 0.015), (0.016, 0.015), look.stand, _AIR),
        _geom("sphere", (bulb, y, foot + 0.06), (0.036,), "bulb", _AIR),
        _geom("sphere", (bulb, y, foot + 0.06), (0.056,), "bulb-halo", _AIR),
        _box((led, y, foot + 0.04), (0.045, 0.03, 0.04), look.stand),
        _geom("ellipsoid", (led, y - 0.03, foot + 0.044), (0.030, 0.016, 0.028), "led", _AIR),
        _geom("ellipsoid", (led, y - 0.03, foot + 0.044), (0.048, 0.030, 0.045), "led-halo", _AIR),
    )


def _blocks() -> tuple[str, ...]:
    half = sizes.BLOCK
    return tuple(
        f'<body name="{name}" pos="{_n([0, y, half])}"><freejoint name="{name}"/>'
        + _box((0, 0, 0), (half, half, half), BLOCK_COLOURS[name], _MOVER, 'mass=".08" friction="1 .01 .001"')
        + "</body>"
        for name, y in zip(BLOCKS, sizes.LANES, strict=True)
    )


def _shadow() -> str:
    """Dark discs that are laid below the hand: how high it is can be told from one picture."""
    discs = (
        f'<geom type="cylinder" pos="0 0 {0.001 * place:.6g}" size="{radius} .0003" rgba="0 0 0 {shade}" {_AIR}/>'
        for place, (radius, shade) in enumerate(zip(sizes.SHADOW, SHADE, strict=True))
    )
    return f'<body name="shadow" mocap="true">{"".join(discs)}</body>'


def _hinge(name: str, axis: str, armature: float) -> str:
    *_, low, high = _SERVOS[name]
    return f'<joint name="{name}" axis="{axis}" range="{low} {high}" armature="{armature}" damping="1"/>'


def _arm(look: Appearance) -> str:
    """Six hinges; with all at 0 it lies stretched towards the camera, its hand pointing down."""
    upper, fore, reach = sizes.UPPER_ARM, sizes.FOREARM, sizes.HAND
    palm = reach - 2 * sizes.FINGER[2]
    mass = 'mass=".6"'
    grav = 'gravcomp="1"'
    return f"""
<body name="base" pos="{_n(sizes.BASE)}" euler="0 0 {-math.pi / 2:.12f}" {grav}>{_hinge("turn", "0 0 1", 0.3)}
{_limb((0, 0, -0.08), (0, 0, 0), 0.06, look.joints, more=mass)}
<body name="upper" {grav}>{_hinge("shoulder", "0 1 0", 0.3)}
{_limb((0, 0, 0), (upper, 0, 0), 0.042, look.arm, more=mass)}
<body name="fore" pos="{upper} 0 0" {grav}>{_hinge("elbow", "0 1 0", 0.2)}
{_limb((0, -0.045, 0), (0, 0.045, 0), 0.046, look.joints, more=mass)}
{_limb((0, 0, 0), (fore, 0, 0), 0.036, look.arm, more=mass)}
<body name="wrist" pos="{fore} 0 0" {grav}>{_hinge("wrist", "0 1 0", 0.05)}
{_limb((0, -0.035, 0), (0, 0.035, 0), 0.038, look.joints, more='mass=".3"')}
<body name="knuckle" {grav}>{_hinge("tilt", "1 0 0", 0.03)}
{_limb((0, 0, 0), (0, 0, -0.06), 0.03, look.arm, more='mass=".2"')}
<body name="hand" {grav}>{_hinge("roll", "0 0 1", 0.02)}
{_box((0, 0, 0.012 - palm), (0.045, 0.024, 0.012), look.joints, _MOVER, 'mass=".2"')}
{_geom("cylinder", (0, 0, 0.045 - palm), (0.044, 0.020), HAND_COLOURS["collar"], _AIR)}
<camera name="gripper" pos="0.11 0 {-palm + 0.035:.6g}" xyaxes="0 1 0 -.87 0 .5" fovy="70"/>
<site name="tip" pos="0 0 {-reach}" euler="0 0 {math.pi / 2:.12f}" rgba="0 0 0 0" group="5"/>
{_finger("front", 1)}{_finger("back", -1)}
</body></body></body></body></body></body>"""


def _finger(name: str, side: int) -> str:
    thick, _, long = sizes.FINGER
    at = (side * thick, 0, long - sizes.HAND)
    return (
        f'<body name="{name}" pos="{_n(at)}" gravcomp="1"><joint name="{name}" type="slide" axis="{side} 0 0" '
        f'range="0 {sizes.OPENING / 2}" armature=".02" damping="1"/>'
        + _box((0, 0, 0), sizes.FINGER, HAND_COLOURS["fingers"], _MOVER, 'mass=".05" friction="1 .01 .001"')
        + "</body>"
    )


def _actuators() -> str:
    """A servo a joint, the two fingers last."""
    arm = (
        f'<position joint="{name}" kp="{kp}" kv="{kv}" forcerange="{-most} {most}" ctrlrange="{low} {high}"/>'
        for name, (kp, kv, most, low, high) in _SERVOS.items()
    )
    fingers = (
        f'<position joint="{name}" kp="1500" kv="25" forcerange="-30 30" ctrlrange="0 {sizes.OPENING / 2}"/>'
        for name in ("front", "back")
    )
    return "".join((*arm, *fingers))
