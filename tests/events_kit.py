"""Event subscribers for tests."""

from steadyhand.actor.control_loop import INTERRUPTED
from steadyhand.actor.events import EpisodeEnded, Events


def on_episode(handler) -> Events:
    """Return events that call `handler` with the summary of every episode that was finished."""
    events = Events()

    def tell(event):
        if event.summary.stop_reason != INTERRUPTED:
            handler(event.summary)

    events.subscribe(EpisodeEnded, tell)
    return events


def kept(events: Events, *kinds):
    """Return the list to which every event of these kinds is added from now on."""
    found = []
    for kind in kinds:
        events.subscribe(kind, lambda event: found.append(event))
    return found
