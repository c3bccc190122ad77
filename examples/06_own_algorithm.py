"""Your own algorithm, and its settings in `config/algo/return_cloning.yaml`.

It clones the recorded actions, those of the policy itself too, weighted by the return that followed. In your own
package `entry_point` is `my_package.algos:ReturnCloning`; `steadyhand.contracts.algorithm` tests it.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import torch

import steadyhand as sh
from steadyhand.learner.algos.algorithm import Algorithm, AlgorithmSettings, Sampling
from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.guarded_adam import GuardedAdam
from steadyhand.policies import heads
from steadyhand.runtime.config import use_config_dir


@dataclass(frozen=True)
class ReturnCloningSettings(AlgorithmSettings):
    """The keys of the YAML file."""

    batch_size: int
    demo_ratio: float  # share of the rows that come from demonstrations and corrections, 0..1
    gamma: float  # discount of one control step
    image_shift: int  # largest random shift of a frame [pixels]
    policy_lr: float

    @property
    def sampling(self) -> Sampling:
        """One batch per block, with the return from each row to the end of its episode."""
        return Sampling(self.batch_size, 1, self.demo_ratio, 1, self.gamma, self.image_shift, with_returns=True)


class ReturnCloning(Algorithm[ReturnCloningSettings]):
    """Algorithm that maximises the likelihood of recorded actions, weighted by their returns."""

    settings_type = ReturnCloningSettings

    def __init__(self, settings: ReturnCloningSettings, policy, seed: int) -> None:
        super().__init__(settings, policy, seed)
        trained = (parameter for parameter in policy.parameters() if parameter.requires_grad)
        self.optimizers = {"policy": GuardedAdam(trained, settings.policy_lr)}

    def update(self, block):
        """Make one gradient step."""
        batch = Batch.from_block(block, self.device).shifted(self.settings.image_shift, self.noise)
        mean, log_std = self.policy.distribution(self.policy.features(batch.observation, self.noise))
        weight = batch.mc_return.clamp(min=0.0) + batch.is_demo.float()
        loss = -(weight * heads.log_prob(mean, log_std, batch.action)).sum() / weight.sum().clamp(min=1.0)
        self.optimizers["policy"].step(loss)
        return {"loss": loss.detach(), "weight": torch.mean(weight)}


if __name__ == "__main__":
    use_config_dir(Path(__file__).parent / "config")
    one = ["policy.obs_horizon=1", "policy.hidden_keys=[previous_action]"]  # one observation is sufficient
    words = ["task=reach", "algo=return_cloning", "actor.max_env_steps=2000", *one]
    done = sh.train(*words, *sys.argv[1:])
    print(sh.evaluate(done.run, episodes=20).success_rate, done.run)
