"""The keys that differ from the usual ones of a line editor."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.application import get_app
from prompt_toolkit.filters import Condition, is_searching
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent


@Condition
def _choosing() -> bool:
    """A completion is selected in the menu."""
    state = get_app().current_buffer.complete_state
    return state is not None and state.current_completion is not None


def bindings(interrupt: Callable[[], None]) -> KeyBindings:
    """Return the keys of the prompt.

    Args:
        interrupt: what Ctrl-C does outside a search
    """
    keys = KeyBindings()

    @keys.add("c-c", filter=~is_searching)
    def _(event: KeyPressEvent) -> None:  # noqa: ARG001
        interrupt()

    @keys.add("enter", filter=~is_searching)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("enter", filter=_choosing & ~is_searching)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.complete_state = None  # take the choice; a second Enter sends it

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys
