"""An emulated leader arm: Dynamixel servos on a pseudo-terminal, which answer as real ones do.

The packets are those of Dynamixel protocol 2.0 (https://emanual.robotis.com/docs/en/dxl/protocol2/): header FF FF FD
00, id, length, instruction or 55, parameters, CRC-16 with the polynomial 8005. Ping (01) answers model and firmware,
sync read (82) makes each servo answer in the order of the packet.
"""

from __future__ import annotations

import math
import os
import pty
import select
import struct
import threading
import time
import tty

import numpy as np

from steadyhand.robot_envs.frames import pose_relative, pose_to_vector

HEADER = b"\xff\xff\xfd\x00"
BROADCAST, PING, SYNC_READ, STATUS = 0xFE, 0x01, 0x82, 0x55
POSITION = 132
TURN = 4096
MODEL = struct.pack("<HB", 1200, 52)  # XL330-M288, and its firmware
STEP_S = 0.005
HOME = np.array([0.0, -math.pi / 4, 0.0, -3 * math.pi / 4, 0.0, math.pi / 2, math.pi / 4])
TRIGGER, TRIGGER_RELEASED, TRIGGER_PRESSED = 8, 3.4, 2.65
BUTTON, BUTTON_RELEASED, BUTTON_PRESSED = 9, 0.0, 1.0


def crc16(data):
    register = 0
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1 ^ 0x8005 if register & 0x8000 else register << 1) & 0xFFFF
    return register


def status(servo, parameters):
    body = HEADER + struct.pack("<BHBB", servo, len(parameters) + 4, STATUS, 0) + parameters
    return body + struct.pack("<H", crc16(body))


class Arm:
    """Seven joints, a trigger and two buttons, in the hand of a person.

    Args:
        chain: Kinematics by which the person moves the tool.
        signs: As of `device.source`.
        offsets_rad: As of `device.source`.
    """

    def __init__(self, chain, signs=(1,) * 7, offsets_rad=(0.0,) * 7):
        self.joints = HOME.copy()
        self.levers = {TRIGGER: TRIGGER_RELEASED, BUTTON: BUTTON_RELEASED, BUTTON + 1: BUTTON_RELEASED}
        self.silent = set()  # servos that do not answer
        self.velocity = np.zeros(6)  # of the tool in its own frame [m/s], [rad/s]
        self._chain, self._signs, self._offsets = chain, np.array(signs), np.array(offsets_rad)

    def move(self, seconds):
        """Move the joints so that the tool has the velocity."""
        if self.velocity.any():
            self.joints = self.joints + np.linalg.pinv(self._jacobian()) @ self.velocity * seconds

    def ticks(self, servo):
        if servo in self.levers:
            angle = self.levers[servo]
        else:
            angle = self._signs[servo - 1] * self.joints[servo - 1] + self._offsets[servo - 1]
        return round(angle / (2 * math.pi) * TURN)

    def _jacobian(self):
        here, step = self._chain.pose(self.joints), 1e-6
        moved = [self._chain.pose(self.joints + step * row) for row in np.eye(len(self.joints))]
        return np.stack([pose_to_vector(pose_relative(here, pose)) / step for pose in moved], axis=1)


class Bus:
    """The servos of an arm on a serial line. `path` is a link to it."""

    def __init__(self, path, arm):
        self.path, self.arm = path, arm
        self.reads = 0  # sync reads that were answered
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        path.symlink_to(os.ttyname(self._slave))
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._answer, self._move)]
        for thread in self._threads:
            thread.start()

    def unplug(self):
        self._ending.set()
        for thread in self._threads:
            thread.join()
        self.path.unlink()
        os.close(self._slave)
        os.close(self._master)

    def _move(self):
        moved_s = time.monotonic()
        while not self._ending.wait(STEP_S):
            now_s = time.monotonic()  # a busy machine wakes this thread late, and a hand moves on meanwhile
            self.arm.move(now_s - moved_s)
            moved_s = now_s

    def _answer(self):
        heard = b""
        while not self._ending.is_set():
            if not select.select([self._master], [], [], 0.02)[0]:
                continue
            heard += os.read(self._master, 256)
            while (start := heard.find(HEADER)) >= 0 and len(heard) >= start + 7:
                length = struct.unpack_from("<H", heard, start + 5)[0]
                if len(heard) < start + 7 + length:
                    break
                packet, heard = heard[start : start + 7 + length], heard[start + 7 + length :]
                if struct.unpack("<H", packet[-2:])[0] == crc16(packet[:-2]):
                    self._obey(packet[4], packet[7], packet[8:-2])

    def _obey(self, servo, instruction, parameters):
        known = {*range(1, 8), *self.arm.levers} - self.arm.silent
        if instruction == PING and servo in known:
            os.write(self._master, status(servo, MODEL))
        elif instruction == SYNC_READ:
            address, size = struct.unpack_from("<HH", parameters)
            assert (address, size) == (POSITION, 4)
            for each in parameters[4:]:
                if each in known:
                    os.write(self._master, status(each, struct.pack("<i", self.arm.ticks(each))))
            self.reads += 1
