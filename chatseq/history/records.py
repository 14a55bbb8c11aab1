"""Values made ready to be stored, the same for every history; their message ids are still 0."""

from __future__ import annotations

import hashlib
import math
import re
import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime

from chatseq.core.exchange import Alternative, Reply
from chatseq.history import faults
from chatseq.history.contracts import (
    LAST,
    Feedback,
    Message,
    Review,
    Role,
    Status,
    Verdict,
)

TITLE_WIDTH = 60
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's 32: none is mistaken for another
# Lone surrogates have no UTF-8 form, and PostgreSQL refuses NUL.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def a_question(text: str, conversation: str, parent: int | None, bot: str) -> Message:
    """Return a question that waits for its reply."""
    return Message(
        id=0,
        conversation=conversation,
        parent=parent,
        role=Role.QUESTION,
        text=clean(text),
        status=Status.PENDING,
        created=now(),
        bot=clean(bot),
    )


def a_reply(reply: Reply, conversation: str, question: int) -> Message:
    """Return a reply as a message; of an interrupted one the confidence is not known."""
    return Message(
        id=0,
        conversation=conversation,
        parent=question,
        role=Role.REPLY,
        text=clean(reply.text),
        status=Status.INTERRUPTED if reply.interrupted else Status.COMPLETE,
        created=now(),
        source=reply.source.value,
        confidence=None if reply.interrupted else finite(reply.confidence),
        strategy=clean(reply.strategy),
        bot=clean(reply.bot),
        model=clean(reply.model),
        tokens=reply.tokens,
        milliseconds=finite(reply.milliseconds) or 0.0,
        seed=reply.seed,
        alternatives=tuple(
            Alternative(clean(a.text), finite(a.confidence) or 0.0, clean(a.question))
            for a in reply.alternatives
        ),
    )


def a_feedback(reply: Message, question: str, verdict: Verdict, correction: str) -> Feedback:
    """Return a verdict on a reply; its id is still 0.

    Raises:
        HistoryError: the message is no reply.
    """
    if reply.role is not Role.REPLY:
        raise faults.no_reply(reply.id)
    return Feedback(
        id=0,
        conversation=reply.conversation,
        message=reply.id,
        bot=reply.bot,
        question=question,
        reply=reply.text,
        verdict=verdict,
        correction=correction,
        status=Review.NEW,
        created=now(),
    )


def a_correction(verdict: Verdict, text: str) -> str:
    """Return the correction of a verdict as it is stored.

    Raises:
        ValueError: the verdict needs one, or takes none.
    """
    if (verdict is Verdict.CORRECT) != bool(text.strip()):
        raise ValueError(f"{verdict!r} with the correction {text!r}. Only CORRECT has a correction")
    return clean(text)


def reviewed(feedback: Feedback, status: Review) -> Feedback:
    """Return a verdict with what was decided about it.

    Raises:
        HistoryError: it is accepted, but nothing can be learnt from it.
    """
    if feedback.verdict is Verdict.BAD and status is Review.ACCEPTED:
        raise faults.nothing_to_learn(feedback.id)
    return replace(feedback, status=status)


def clean(text: str) -> str:
    """Return the text as every database can store it; only NUL and lone surrogates change."""
    return _UNSTORABLE.sub("\ufffd", text)


def title_of(question: str) -> str:
    """Return the title of a conversation that begins with this question."""
    line = " ".join(clean(question).split())
    return line if len(line) <= TITLE_WIDTH else line[: TITLE_WIDTH - 1] + "…"


def new_id() -> str:
    """Return a name for a conversation: 9 digits of time in milliseconds, then 4 by chance."""
    number = (time.time_ns() // 1_000_000 << 20) | secrets.randbits(20)
    return "".join(_DIGITS[number >> 5 * place & 31] for place in reversed(range(13)))


def wanted_prefix(which: str) -> str:
    """Return what is typed for an id as the beginning of an id."""
    wanted = clean(which).strip().lower()
    return "" if wanted == LAST else wanted


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def checksum_of(text: str) -> str:
    """Return the checksum by which `doctor` finds a text that has changed on the disk."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def finite(number: float | None) -> float | None:
    """Return the number, or None where JSON could not hold it."""
    return number if number is not None and math.isfinite(number) else None
