"""The arm's inverse kinematics by damped least squares (Wampler 1986; Nakamura and Hanafusa 1986)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gobench_robot.envs.gl import mujoco
from gobench_robot.envs.playtable import sizes
from gobench_robot.envs.playtable.scene import JOINTS
from gobench_robot.envs.world import Floats

DAMPING = 0.03  # m: how far it goes where the arm is stretched
REACH = 0.96 * (sizes.UPPER_ARM + sizes.FOREARM)  # m from the shoulder to the wrist, at most
STEPS = 8  # at most, a frame
FIRST_STEPS = 200  # at most, from the resting pose
ENOUGH = 1e-6  # m and rad
RESTING = (0.0, -1.2, 2.0, -0.8, 0.0, 0.0)  # rad: near the middle of the table, the hand pointing down


def rotation(roll: float, pitch: float, yaw: float) -> Floats:
    """Rz(yaw) Ry(pitch) Rx(roll), about the axes of the world, float64 [3, 3]."""
    (a, b, c), (d, e, f) = np.cos((roll, pitch, yaw)), np.sin((roll, pitch, yaw))
    about_x = np.array(((1.0, 0.0, 0.0), (0.0, a, -d), (0.0, d, a)))
    about_y = np.array(((b, 0.0, e), (0.0, 1.0, 0.0), (-e, 0.0, b)))
    about_z = np.array(((c, -f, 0.0), (f, c, 0.0), (0.0, 0.0, 1.0)))
    return np.asarray(about_z @ about_y @ about_x, np.float64)


def angles(matrix: Floats) -> tuple[float, float, float]:
    """Roll, pitch and yaw of a rotation, pitch between -pi/2 and pi/2: what ``rotation`` was given."""
    return (
        float(np.arctan2(matrix[2, 1], matrix[2, 2])),
        float(-np.arcsin(np.clip(matrix[2, 0], -1.0, 1.0))),
        float(np.arctan2(matrix[1, 0], matrix[0, 0])),
    )


def within_reach(position: Floats, turned: Floats) -> Floats:
    """The place of the tip [3], or the nearest one to it at which the wrist is not farther off than the arm can reach."""
    wrist = rotation(*turned) @ (0.0, 0.0, sizes.HAND)
    arm = position + wrist - sizes.BASE
    away = float(np.sqrt(arm @ arm))
    return position if away <= REACH else np.asarray(sizes.BASE + arm * (REACH / away) - wrist, np.float64)


class Arm:
    """The arm of one model: where its tip is, and which joint angles bring it elsewhere."""

    def __init__(self, model: Any) -> None:
        self._mujoco = mujoco()
        self._model = model
        self._scratch = self._mujoco.MjData(model)
        self._site = model.site("tip").id
        self.joints = np.array([model.joint(name).qposadr[0] for name in JOINTS])
        self._moves = np.array([model.joint(name).dofadr[0] for name in JOINTS])
        self._low, self._high = model.jnt_range[[model.joint(name).id for name in JOINTS]].T

    def tip(self, data: Any) -> tuple[Floats, Floats]:
        """Position [3] (m) and rotation [3, 3] of the point between the fingertips; no rotation: pointing down."""
        return data.site_xpos[self._site].copy(), data.site_xmat[self._site].reshape(3, 3).copy()

    def solve(self, position: Floats, matrix: Floats, start: Floats, steps: int = STEPS) -> Floats:
        """Joint angles [6] that bring the tip there, or as near as the damping and the joints' ranges allow."""
        joints = start.copy()
        jacobian = np.zeros((6, self._model.nv))
        for _ in range(steps):
            error = self._error(joints, position, matrix)
            if np.abs(error).max() < ENOUGH:
                break
            self._mujoco.mj_jacSite(self._model, self._scratch, jacobian[:3], jacobian[3:], self._site)
            own = jacobian[:, self._moves]
            square = own @ own.T + DAMPING**2 * np.eye(6)
            joints = np.clip(joints + own.T @ np.linalg.solve(square, error), self._low, self._high)
        return joints

    def _error(self, joints: Floats, position: Floats, matrix: Floats) -> Floats:
        """What is missing [6]: metres, then radians about the world's axes."""
        self._scratch.qpos[self.joints] = joints
        self._mujoco.mj_kinematics(self._model, self._scratch)
        self._mujoco.mj_comPos(self._model, self._scratch)
        here, turned = self.tip(self._scratch)
        rest = matrix @ turned.T
        axis = np.array((rest[2, 1] - rest[1, 2], rest[0, 2] - rest[2, 0], rest[1, 0] - rest[0, 1])) / 2
        return np.concatenate((position - here, axis))
