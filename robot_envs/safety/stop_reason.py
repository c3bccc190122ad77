"""The reasons of a stop."""

from __future__ import annotations

from enum import Enum


class StopReason(str, Enum):
    """Reason of a stop; it stays latched until the operator resumes."""

    NON_FINITE_ACTION = "non_finite_action"
    NON_FINITE_STATE = "non_finite_state"
    IMPLAUSIBLE_STATE = "implausible_state"
    STALE_STATE = "stale_state"
    FORCE_LIMIT = "force_limit"
    TORQUE_LIMIT = "torque_limit"
    ROBOT_FAULT = "robot_fault"
    JOINT_LIMIT = "joint_limit"
    ARMS_TOO_CLOSE = "arms_too_close"
    NOT_TARED = "not_tared"
    NOT_MOVING = "not_moving"
    CAMERA_STALE = "camera_stale"
    CAMERA_FROZEN = "camera_frozen"
    CAMERA_WRONG_SIZE = "camera_wrong_size"
    CAMERA_MOVED = "camera_moved"
    SENSOR_STALE = "sensor_stale"
    SENSOR_UNFIT = "sensor_unfit"
    PERSON_STOP = "person_stop"
    NOT_ENABLED = "not_enabled"


CAUSED_BY_ACTION = frozenset({StopReason.FORCE_LIMIT, StopReason.TORQUE_LIMIT})
