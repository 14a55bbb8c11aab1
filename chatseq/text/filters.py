"""The filters of a recipe, in a row: what every question passes before anything reads it.

Training lets them go over the questions and the earlier turns of its exchanges, a bot over what
it is asked. So whatever learns from a question sees it as it will be asked. Answers are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chatseq.core.exchange import Exchange
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.text.contracts import TextFilter

KIND = "text-filter"
_MOST_PASSES = 4  # one filter may make what another looks for; more than twice is hardly seen


class TextFilters:
    """Filters that a text passes one after the other, until none of them changes it any more.

    So what comes out stays as it is when it is filtered again, in whatever order they stand.
    """

    def __init__(self, filters: Iterable[TextFilter] = ()) -> None:
        self._filters = tuple(filters)

    @classmethod
    def of(
        cls, registry: Registry, tables: Iterable[Mapping[str, Any]], *, where: str
    ) -> TextFilters:
        """Build the filters that the tables of a recipe name.

        Args:
            where: the recipe or the bot, as shown in messages

        Raises:
            PartError: there is no such filter, or no such option.
        """
        place = f"{where} [question.filters]"
        return cls(build_part(registry, KIND, table, where=place) for table in tables)

    def __bool__(self) -> bool:
        return bool(self._filters)

    def __call__(self, text: str) -> str:
        """Return the text as it is to be read."""
        for _ in range(_MOST_PASSES):
            before = text
            for each in self._filters:
                text = each(text)
            if len(self._filters) < 2 or text == before:
                break
        return text

    def turns(self, context: Sequence[str]) -> tuple[str, ...]:
        """Return earlier turns as they are to be read."""
        return tuple(map(self, context))

    def exchange(self, exchange: Exchange) -> Exchange:
        """Return an exchange with its question and earlier turns as they are to be read."""
        if not self._filters:
            return exchange
        question, context = self(exchange.question), self.turns(exchange.context)
        return replace(exchange, question=question, context=context)
