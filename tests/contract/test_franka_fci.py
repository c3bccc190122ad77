"""The contract of a robot on a Franka arm: a real libfranka client, FCI on loopback, franky-sim."""

import pytest

from steadyhand.contracts.robot import RobotContract

pytest.importorskip("franky")
pytest.importorskip("franky_sim")

from tests.franka_kit import FrankaSim, words

# One arm at a time: each needs most of a core for its 1 kHz.
pytestmark = [pytest.mark.slow, pytest.mark.realtime, pytest.mark.xdist_group("fci")]


@pytest.fixture(scope="module")
def sim():
    sim = FrankaSim()
    yield sim
    sim.kill()


class TestFrankaFci(RobotContract):
    group = "robot=franka_fci"
    n_joints = 7
    tolerance_m = 3.5e-3  # the simulated joints have friction, 1.1 Nm at the shoulder, against 2000 N/m

    @pytest.fixture(autouse=True)
    def _address(self, sim):
        self.overrides = ("task=reach", *words(sim.address))
