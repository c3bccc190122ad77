"""How thorough the fault tests are: a fast subset by default, everything with STEADYHAND_FAULTS=full."""

import os

FULL = os.environ.get("STEADYHAND_FAULTS") == "full"


def spread(items: list[str], count: int) -> list[str]:
    """Return all items, or `count` of them spread over the list when the tests are to be fast."""
    return items if FULL else items[:: max(1, len(items) // count)][:count]
