"""A run folder as a finished demo leaves it, made of invented numbers."""

import json
import math
from pathlib import Path

import numpy as np
from PIL import Image

from steadyhand.actor.statistics import wilson_interval
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.transport.demo_set import DemoManifest, write_manifest
from steadyhand.transport.log import LogWriter
from steadyhand.transport.record import Kind, Phase, record_dtype
from steadyhand.transport.schema import FieldSpec, Schema

PERIOD_S = 0.1


def schema() -> Schema:
    return Schema(
        observation=(FieldSpec("pose", (3,), "float32", -1.0, 1.0, "m", "base"),),
        action=FieldSpec("action", (2,), "float32", -1.0, 1.0, "1", ""),
        command_size=0,
        reward_terms=(),
        control_period_s=PERIOD_S,
    )


def write_log(folder: Path, lengths: list[int], phase: Phase = Phase.DEMO, human_steps: int = 0) -> None:
    """Write one successful episode per length; the person acts in the first `human_steps` steps of each."""
    writer = LogWriter(folder, schema(), "robot", "ab" * 16, 1 << 20)
    record = np.zeros((), record_dtype(schema()))
    for episode, length in enumerate(lengths):
        for step in range(length + 1):
            record["episode_id"], record["step_index"], record["phase"] = episode, step, phase
            record["kind"] = Kind.FINAL if step == length else Kind.STEP
            record["has_human"] = step < min(human_steps, length)
            record["success"] = step >= length - 1
            record["valid"] = True
            writer.append(record)
    writer.close()


def write_demos(folder: Path, lengths: list[int], expert: str = "scripted") -> None:
    write_log(folder, lengths)
    episodes = len(lengths)
    write_manifest(
        folder,
        DemoManifest(
            schema=schema(),
            episodes=episodes + 2,
            successes=episodes,
            steps=sum(lengths),
            task={"name": "peg_insert"},
            actor_id="robot",
            session_id="ab" * 16,
            date="2026-01-02T03:04:05Z",
            expert=expert,
        ),
    )


def evaluation(successes: int, episodes: int, seconds: float, rng: np.random.Generator) -> dict:
    low, high = wilson_interval(successes, episodes)
    rows = [
        {
            "episode_id": index,
            "success": index < successes,
            "steps": 20,
            "duration_s": float(max(0.6, rng.gamma(12.0, seconds / 12.0))),
            "stop_reason": "force" if index == episodes - 1 else "",
        }
        for index in range(episodes)
    ]
    won = sorted(row["duration_s"] for row in rows if row["success"])
    return {
        "episodes": episodes,
        "successes": successes,
        "success_rate": successes / episodes,
        "wilson_low": low,
        "wilson_high": high,
        "median_cycle_time_s": won[len(won) // 2] if won else None,
        "throughput_per_hour": 3600.0 * len(won) / sum(row["duration_s"] for row in rows),
        "rows": rows,
    }


def practice(episodes: int, rng: np.random.Generator) -> list[dict]:
    rows, env_steps, updates = [], 0, 2000
    for index in range(episodes):
        skill = 1 - math.exp(-index / (episodes / 4))
        helped = bool(rng.random() > skill * 0.97)
        steps = int(rng.integers(12, 40 - int(15 * skill)))
        env_steps, updates = env_steps + steps, updates + 2 * steps
        rows.append(
            {
                "episode_id": index,
                "success": bool(rng.random() < 0.9 + 0.1 * skill),
                "helped": helped,
                "human_steps": int(rng.integers(3, 12)) if helped else 0,
                "steps": steps,
                "env_steps": env_steps,
                "control_minutes": env_steps * PERIOD_S / 60,
                "updates": updates,
                "true_utd": updates / env_steps,
                "policy_version": updates // 50,
                "stop_reason": "force" if rng.random() < 0.03 else "",
            }
        )
    return rows


def learning(updates: int, rng: np.random.Generator) -> list[dict]:
    rows = []
    for update in range(100, updates, 100):
        done = update / updates
        rows.append(
            {
                "update": update,
                "q_mean": 0.85 - 0.6 * math.exp(-4 * done) + rng.normal(0, 0.01),
                "entropy": -1.0 - 4 * done + rng.normal(0, 0.2),
                "critic_loss": 0.004 * math.exp(-2 * done) + abs(rng.normal(0, 2e-4)),
                "true_utd": 2 + 2000 / (update + 500),
            }
        )
    rows[3]["q_mean"] = float("nan")
    return rows


def make_run(root: Path, name: str = "synthetic", successes: int = 195, task: str = "peg_insert") -> RunFolder:
    run, rng = RunFolder(root, name), np.random.default_rng(0)
    config = {
        "task": {"entry_point": f"robot_envs.tasks.{task}:Task"},
        "seed": 3,
        "learner": {"device": "cpu"},
        "demo": {"required_success": 0.95},
    }
    run.write_manifest(config, {"seed": 3}, {"compute_device": "cpu"})
    write_demos(run.demos / "scripted", [18, 22, 25, 17, 30, 21, 26, 24])
    rows = practice(420, rng)
    (run.metrics / "actor.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    lines = [json.dumps(row) + "\n" for row in learning(rows[-1]["updates"], rng)]
    (run.metrics / "learner.jsonl").write_text("".join(lines) + '{"update": 99', encoding="utf-8")
    for who, won, seconds in (("policy", successes, 1.6), ("bc", 164, 1.9)):
        (run.metrics / f"evaluation_{who}.json").write_text(json.dumps(evaluation(won, 200, seconds, rng)))
    stages = [("demonstrations", 21.0), ("behaviour cloning", 75.4), ("practice", 1460.0), ("evaluation", 33.0)]
    lines = [json.dumps({"name": stage, "wall_time_s": seconds}) + "\n" for stage, seconds in stages]
    (run.metrics / "stages.jsonl").write_text("".join(lines), encoding="utf-8")
    return run


def add_pictures(run: RunFolder) -> None:
    media = run.path / "media"
    media.mkdir()
    image = Image.fromarray(np.linspace(0, 255, 90 * 320 * 3).reshape(90, 320, 3).astype(np.uint8))
    image.save(media / "film.gif")
    image.save(media / "view_side.png")
