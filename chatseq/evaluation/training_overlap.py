"""Which questions of an evaluation the bot has met in training."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from chatseq.bots.bundle.pairs import Pairs
from chatseq.core.errors import BundleError
from chatseq.text.normalise import folded


def questions_in_training(folder: Path | None, questions: Collection[str]) -> frozenset[str] | None:
    """Return those of the questions that stand in a bot's training corpus, folded alike.

    None: the bot keeps no corpus, so nobody knows. The corpus is read once, line by line.

    Raises:
        BundleError: the corpus cannot be read.
    """
    wanted = set(map(folded, questions))
    try:
        pairs = Pairs(folder)
        # Looking up first keeps no more in memory than was asked.
        met = {text for pair in pairs if (text := folded(pair.question)) in wanted}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as fault:
        raise BundleError(
            f"The corpus that the bot was trained on cannot be read: {fault}. {folder}. "
            "Train the bot again, or import it again."
        ) from fault
    if not len(pairs):
        return None
    return frozenset(question for question in questions if folded(question) in met)
