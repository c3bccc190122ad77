"""The table of topics and services as Markdown for docs/ros.md: `python -m actor_ros.topic_table`. Needs no ROS."""

from __future__ import annotations

import sys

from actor_ros.topics import SERVICES, TOPICS

__all__ = ["render"]


def render() -> str:
    """Return the tables of topics and services."""
    lines = ["| topic | message | from | to | quality of service | what it says |", "|---|---|---|---|---|---|"]
    for topic in TOPICS:
        quality = topic.offered if topic.offered == topic.requested else f"{topic.offered}, read as {topic.requested}"
        named = f" Named by `{topic.profile_key}`." if topic.profile_key else ""
        frame = f" Frame: {topic.frame}." if topic.frame else ""
        lines.append(
            f"| `{topic.name}` | {_short(topic.message)} | {topic.publisher} | {', '.join(topic.subscribers)} "
            f"| {quality} | {topic.description}.{frame}{named} |"
        )
    lines += ["", "| service | type | server | what it does |", "|---|---|---|---|"]
    lines += [f"| `{s.name}` | {_short(s.type)} | {s.server} | {s.description}. |" for s in SERVICES]
    return "\n".join(lines) + "\n"


def _short(message: str) -> str:
    return message.rpartition("/")[2]


if __name__ == "__main__":
    sys.stdout.write(render())
