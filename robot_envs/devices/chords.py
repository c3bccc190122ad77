"""Buttons with a meaning alone or in combination."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Chords"]


class Chords:
    """Decoder from pressed buttons to their meanings.

    Two buttons pressed together do not also have the meaning of each one alone. A meaning begins with a press, never
    with a release: releasing two buttons one after the other does not count as pressing the second one.

    Args:
        buttons: The buttons that have to be down together, by meaning.
    """

    def __init__(self, buttons: Mapping[str, tuple[int, ...]]) -> None:
        self._buttons = {name: frozenset(numbers) for name, numbers in buttons.items()}
        self._down: frozenset[int] = frozenset()
        self.held: frozenset[str] = frozenset()

    def press(self, button: int) -> tuple[str, ...]:
        """Register a pressed button; return the meanings that begin with it."""
        self._down |= {button}
        complete = {name: numbers for name, numbers in self._buttons.items() if numbers <= self._down}
        largest = {name for name, own in complete.items() if not any(own < other for other in complete.values())}
        begun = {name for name in largest if button in self._buttons[name]}
        self.held = (self.held & largest) | begun
        return tuple(sorted(begun))

    def release(self, button: int) -> None:
        """Register a released button."""
        self._down -= {button}
        self.held = frozenset(name for name in self.held if button not in self._buttons[name])

    def clear(self) -> None:
        """Mark all buttons as released."""
        self._down, self.held = frozenset(), frozenset()
