"""The baseline: a policy cloned from human actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from steadyhand.demo_compat import action_gains
from steadyhand.job import Job, seed_for
from steadyhand.learner.algos.bc import BcSettings
from steadyhand.learner.fit_bc import fit_bc, open_store
from steadyhand.learner.policy_spec import build_policy_spec
from steadyhand.learner.replay.features import FeatureCache
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.pipeline.evaluation import evaluate
from steadyhand.policies import load_backbone
from steadyhand.runtime.logging import get_logger
from steadyhand.transport import log_folder

__all__ = ["clone", "practice_logs"]

logger = get_logger("pipeline")


def clone(job: Job, folders: Sequence[Path], stop: Callable[[], bool] = lambda: False) -> SavedPolicy:
    """Clone the human actions in these logs, and return the best policy of the fit.

    The candidates are compared on validation episodes, which are in no training data. Evaluate the winner on other
    episodes.

    Args:
        job: The settings of the fit, and the environment of the validation episodes.
        folders: Demo sets, and logs of practice: their interventions count as demonstrations (HG-DAgger).
        stop: Ends the fit early.

    Raises:
        BcDataError: The logs hold no human action.
        EncoderError: The weights of the frozen encoder are missing.
    """
    settings = job.settings
    demo, policy_config = settings.demo, settings.policy
    cloning: BcSettings = settings.cloning.settings
    store, readers = open_store(folders, action_gains(job, folders))
    backbone = load_backbone(policy_config.encoder, policy_config.encoder_weights)
    floors = settings.learner.scale_floors
    spec = build_policy_spec(policy_config, readers[0].schema, readers, floors, backbone)
    features, views = None, policy_config.feature_cache
    if backbone is not None and views:
        features = FeatureCache(job.run.features, backbone, spec.inputs, views, cloning.sampling.image_shift)
    candidates = fit_bc(store, spec, cloning, demo.fit, job.seed, backbone, features, stop=stop)
    if features is not None:
        features.close()
    identity = job.identity.to_json()
    policies = [SavedPolicy(spec, 0, candidate.epoch, candidate.tensors, identity) for candidate in candidates]
    episodes, seed = demo.validation_episodes, seed_for(job.seed, "validation")
    results = [evaluate(job, policy, episodes, seed, stop) for policy in policies]
    # Ties in success go to the shorter cycle time. Taking the last candidate would be no fairer.
    order = [(result.successes, -(result.median_cycle_time_s or 0.0)) for result in results]
    best = max(range(len(policies)), key=order.__getitem__)
    successes = ", ".join(f"{policy.policy_version}: {order[i][0]}" for i, policy in enumerate(policies))
    logger.info(
        "behaviour cloning: epoch %d chosen; successes of %d validation episodes by epoch: %s",
        policies[best].policy_version,
        episodes,
        successes,
    )
    for reader in readers:
        reader.close()
    return policies[best]


def practice_logs(job: Job) -> list[Path]:
    """Return the learner's logs of practice, one per session of an actor."""
    return [path for path in sorted(job.run.log.iterdir()) if path.is_dir() and log_folder.paths(path)]
