"""The contract of a source of a leader's joint positions, such as a bus of servos.

A source is one class, here or in a package of the user's own; `device.source` names it by its `entry_point`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["JointReading", "JointSource"]


class JointReading(NamedTuple):
    """One reading of a leader.

    Attributes:
        joints_rad: Joint positions in the follower's convention. Shape (n,).
        squeezed: Share to which the gripper's trigger is squeezed, 0 released, 1 squeezed; None = no trigger.
        down: Numbers of the buttons that are down.
    """

    joints_rad: NDArray[np.float64]
    squeezed: float | None = None
    down: frozenset[int] = frozenset()


class JointSource(ABC):
    """A leader's joints. One thread at a time uses it.

    Attributes:
        settings_type: The dataclass that the group is read into.
        name: Short name, for messages.
    """

    settings_type: ClassVar[type[Any]]
    name: ClassVar[str]

    @abstractmethod
    def open(self) -> JointReading:
        """Open the source, and return its first reading.

        Raises:
            OSError: The leader is missing, or a joint does not answer.
            DeviceError: A package is missing.
        """

    @abstractmethod
    def read(self) -> JointReading | None:
        """Return a new reading; None when one was missed. Raises OSError when the leader is lost."""

    @abstractmethod
    def close(self) -> None:
        """Close the source. Further calls have no effect."""
