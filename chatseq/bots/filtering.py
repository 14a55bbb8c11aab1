"""What a bot does with its text filters: nothing behind them meets a question as it was typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from chatseq.bots.forwarding import ForwardingResponder
from chatseq.bots.responder import Correction, Responder
from chatseq.text.filters import TextFilters


class FilteringResponder(ForwardingResponder):
    """Stands in front of a bot's responder, and lets it read what its network read in training."""

    def __init__(self, inner: Responder, filters: TextFilters, *, bot: str = "") -> None:
        super().__init__(inner, bot=bot)
        self._filters = filters

    def before(self, question: str) -> str:
        """Return the question as the filters leave it."""
        return self._filters(question)

    def before_context(self, context: Sequence[str]) -> Sequence[str]:
        """Return each earlier turn as the filters leave it."""
        return self._filters.turns(context)


class FilteredCorrections:
    """Corrections whose questions have passed the filters, as the questions that are asked have.

    While the corrections are the very same tuple, so are these: they need not be indexed again.
    """

    def __init__(
        self, corrections: Callable[[], Sequence[Correction]], filters: TextFilters
    ) -> None:
        self._corrections, self._filters = corrections, filters
        self._given: Sequence[Correction] | None = None
        self._filtered: tuple[Correction, ...] = ()

    def __call__(self) -> Sequence[Correction]:
        """Return them, newest first."""
        given = self._corrections()
        if given is not self._given:
            self._filtered = tuple(replace(c, question=self._filters(c.question)) for c in given)
            self._given = given
        return self._filtered
