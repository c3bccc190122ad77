"""Train RLPD on a gymnasium environment: first demonstrations by a scripted expert, then training with corrections."""

import gymnasium
import numpy as np

import steadyhand as sh


class SwingUp:
    def reset(self, info): ...

    def act(self, observation, info):
        angle, speed = np.arctan2(observation[1], observation[0]), observation[2]
        return np.clip([-12 * angle - 3 * speed if abs(angle) < 0.45 else 2 * np.sign(speed)], -2, 2)


task = ["task.success_reward=-0.1", "task.success_steps=10", "task.reward=success", "task.terminate_on_success=true"]
env = gymnasium.make("Pendulum-v1")
done = sh.train(env, "algo=rlpd", *task, "actor.max_env_steps=4000", expert=SwingUp)
print(sh.evaluate(done.policy, env, episodes=20).success_rate, done.run)
