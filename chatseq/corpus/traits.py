"""What a corpus is like as a whole, on which recipes, validation and responders depend."""

from __future__ import annotations

from collections.abc import Sequence

from chatseq.core.exchange import Exchange
from chatseq.text.normalise import normalise_answer


def answers_recur(exchanges: Sequence[Exchange]) -> bool:
    """Tell whether each answer stands in two exchanges on average, as in a FAQ.

    Then replies can be judged word for word.
    """
    answers = {normalise_answer(exchange.answer) for exchange in exchanges}
    return 2 * len(answers) <= len(exchanges)


def is_dialogue(exchanges: Sequence[Exchange]) -> bool:
    """Tell whether a corpus holds conversations: a quarter of its exchanges have earlier turns.

    The others lose nothing by it, since a question without earlier turns is read as before.
    """
    return 4 * sum(bool(exchange.context) for exchange in exchanges) >= len(exchanges)
