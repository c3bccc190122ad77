"""The profile of a homing: the joint-space motion of a robot behind ROS 2 before an episode."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HomingProfile"]


@dataclass(frozen=True)
class HomingProfile:
    """A joint-space motion before an episode, by a controller that replaces the Cartesian one meanwhile.

    Attributes:
        action: Name of the action, control_msgs/action/FollowJointTrajectory.
        activate: The controllers that are active during the motion.
        deactivate: The controllers that they replace; these are active again afterwards.
        position_rad: Goal of the joints, in the profile's order. Shape (n_joints,).
        max_velocity_rad_s: Largest velocity of every joint.
        max_acceleration_rad_s2: Largest acceleration of every joint.
        max_jerk_rad_s3: Largest jerk of every joint.
        tolerance_rad: Largest distance of every joint at which the arm counts as at home.
        every_episodes: Number of episodes from one homing to the next.
    """

    action: str
    activate: tuple[str, ...]
    deactivate: tuple[str, ...]
    position_rad: tuple[float, ...]
    max_velocity_rad_s: float
    max_acceleration_rad_s2: float
    max_jerk_rad_s3: float
    tolerance_rad: float
    every_episodes: int

    def __post_init__(self) -> None:
        rates = ("max_velocity_rad_s", "max_acceleration_rad_s2", "max_jerk_rad_s3")
        for name in (*rates, "tolerance_rad", "every_episodes"):
            if not getattr(self, name) > 0:
                raise ValueError(f"homing.{name}: expected a number above 0, found {getattr(self, name)}")
        both = sorted(set(self.activate) & set(self.deactivate))
        if not self.activate or not self.deactivate or both:
            raise ValueError(
                f"homing: expected controllers to activate and others to deactivate, found {list(self.activate)} and "
                f"{list(self.deactivate)}"
            )
