"""Load a trained policy and run it: `python examples/04_act.py runs/pegs task=peg_insert`.

The overrides after the run select the environment. It has to be the one in which the policy was trained.
"""

import sys

import steadyhand as sh

run, *overrides = sys.argv[1:]
policy = sh.Policy.load(run)
env = sh.make_env(*overrides)
for seed in range(3):
    observation, info = env.reset(seed=seed)
    policy.reset()
    terminated = truncated = False
    steps = 0
    while not (terminated or truncated):
        observation, reward, terminated, truncated, info = env.step(policy.act(observation))
        steps += 1
    print(f"episode {seed}: {steps} steps, success: {info['success']}")
    if info["stop_reason"]:
        print(f"stopped: {info['stop_reason']}")
        env.resume()  # a person's decision, where the arm is real
env.close()
