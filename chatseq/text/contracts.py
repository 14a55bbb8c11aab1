"""What a text filter must offer; the built-in ones are in plugins/chatseq_text_filters."""

from __future__ import annotations

from typing import Protocol


class TextFilter(Protocol):
    """Changes text before anything reads it; what the hook `chatseq_text_filters` names."""

    def __call__(self, text: str) -> str:
        """Return the text as it is to be read: the same for the same text, wherever it is asked.

        What comes out stays as it is when it is filtered again. Any string is taken, and an empty
        one stays empty.
        """
