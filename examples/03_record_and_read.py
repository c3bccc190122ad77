"""Record demonstrations, and read them as arrays."""

import sys

import steadyhand as sh

folder = sh.record("task=reach", "demo.demos=3", *sys.argv[1:])
log = sh.read_log(folder)
print(f"{folder}: {log.facts.successes} successes, {log.facts.steps} steps")
for episode in log:
    goal = episode.observations["goal"]
    print(
        f"episode {episode.episode_id}: {len(episode)} steps, reward {episode.rewards.sum():g}, "
        f"goal {goal.shape} from {goal[0].round(3)} to {goal[-1].round(3)} m in the tool frame, "
        f"largest action {abs(episode.actions).max():.2f}"
    )
