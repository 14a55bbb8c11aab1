"""Bots that have learnt answers without a trained network, for tests of the responder `qa`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from chatseq.bots.bot import Bot
from chatseq.bots.bundle.answers import most_frequent
from chatseq.bots.bundle.pairs import write_pairs
from chatseq.bots.contracts import FitData, Query
from chatseq.bots.responder import Correction
from chatseq.core.exchange import Exchange
from chatseq.decoding.answers import Answers
from chatseq.engines.contracts import Engine
from chatseq.testing import babbling_bot
from chatseq_qa.responder import QaResponder

OPEN, PAY, SEND = "we open at nine", "you can pay by card", "it takes two days"
SHOP = [
    Exchange(question, answer, source=f"shop.csv:{line}")
    for line, (question, answer) in enumerate(
        [
            ("when do you open", OPEN),
            ("what are your opening hours", OPEN),
            ("are you open today", OPEN),
            ("opening times please", OPEN),
            ("how can i pay", PAY),
            ("do you take cards", PAY),
            ("can i pay by card", PAY),
            ("how long does delivery take", SEND),
            ("when will my parcel arrive", SEND),
            ("will it rain tomorrow", ""),
            ("who won the football game", ""),
            ("sing me a song", ""),
        ],
        start=2,
    )
]
TALKING = [one for one in SHOP if one.answer]
TOPICS = [f"{one}{two}" for one in "bdfgklmn" for two in ("ab", "eb", "ib", "ob", "ub")]
# Forty answers; the earlier the more frequent.
MANY = [
    Exchange(f"{how} {topic}", f"all of {topic}")
    for at, topic in enumerate(TOPICS)
    for how in ("tell me of", "what is", "explain")[: 3 if at < 20 else 2]
]


def bot_of(
    folder: Path,
    exchanges: Sequence[Exchange] = SHOP,
    engine: Engine | None = None,
    corrections: Callable[[], Sequence[Correction]] = tuple,
) -> Bot:
    """Return a bot that knows the answers, and whose network finds them likely at random."""
    counted = Counter(one.answer for one in exchanges)
    answers = Answers(lambda: most_frequent(counted))
    return babbling_bot(engine, folder, answers=answers, corrections=corrections)


def queries_of(bot: Bot, *texts: str) -> list[Query]:
    """Return questions as scorers take them."""
    return [Query(text, bot.reader.read(text)) for text in texts]


def fit(
    folder: Path,
    exchanges: Sequence[Exchange] = SHOP,
    held_out: Sequence[Exchange] = (),
    *,
    closed: bool = True,
    fitted: Path | None = None,
    known: Sequence[Exchange] | None = None,
    seed: int = 0,
) -> Mapping[str, float | None]:
    """Let the responder learn from exchanges.

    Args:
        known: those whose answers the bot knows, if not all of them
    """
    write_pairs(folder, exchanges)
    bot = bot_of(folder, exchanges if known is None else known)
    data = FitData(bot, exchanges, held_out, closed, seed, fitted)
    return QaResponder.fit(data, folder, {})
