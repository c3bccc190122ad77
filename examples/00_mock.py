"""Run the mock robot: an FR3 in MuJoCo that inserts a peg. `python examples/00_mock.py task=pick_place`."""

import sys

import steadyhand as sh
from steadyhand.robot_envs.make import make_demonstrator

overrides = sys.argv[1:]
env = sh.make_env(*overrides)
observation, info = env.reset(seed=0)
for name, value in observation.items():
    unit, frame, _ = env.field_specs[name]
    print(f"{name:<16} {value.shape!s:<14} {value.dtype}  [{unit}] {frame}")
print(f"{'action':<16} {env.action_space.shape!s:<14} in [-1, 1], one step every {env.control_period_s:g} s")

expert = make_demonstrator(sh.compose(*overrides), env, seed=0)
expert.reset(info)
terminated = truncated = False
steps = 0
while not (terminated or truncated):
    observation, reward, terminated, truncated, info = env.step(expert.act(observation, info, None))
    steps += 1
print(f"the expert took {steps} steps; success: {info['success']}, stopped: {info['stop_reason'] or 'no'}")
env.close()
