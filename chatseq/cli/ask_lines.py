"""Answer many lines of stdin: those that are at hand together, and none later than it could be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from queue import Empty, SimpleQueue
from threading import Thread

from chatseq.api import Bot
from chatseq.cli.output import tell_error
from chatseq.core.errors import ChatseqError
from chatseq.core.exchange import Reply, ReplySource
from chatseq.core.plugins import first_line

MOST_AT_ONCE = 64  # lines


def at_hand(lines: Iterable[str], most: int = MOST_AT_ONCE) -> Iterator[list[str]]:
    """Yield lines in the groups in which they come: who sends one and waits gets it at once."""
    waiting: SimpleQueue[str | BaseException | None] = SimpleQueue()  # None: there are no more
    Thread(target=_read, args=(lines, waiting), daemon=True).start()
    ended = False
    while not ended:
        group: list[str] = []
        line = waiting.get()
        while isinstance(line, str):
            group.append(line)
            if len(group) == most:
                break
            try:
                line = waiting.get_nowait()
            except Empty:
                break
        if group:
            yield group
        if isinstance(line, BaseException):
            raise line
        ended = line is None


def replies_to(bot: Bot, questions: Sequence[str], *, why: bool) -> Iterator[tuple[Reply, bool]]:
    """Yield the reply to each question, and whether it failed; a blank one gets an empty reply.

    All are asked in one pass; where that fails each is asked alone, so that none is lost through
    another.
    """
    nothing = Reply("", ReplySource.DECLINED, 0.0, bot=bot.name, strategy=bot.strategy)
    asked = [question for question in questions if question]
    try:
        together = iter(list(bot.ask_all(asked)))
    except Exception:  # whatever a responder raises
        together = None
    for question in questions:
        try:
            reply = nothing
            if question:
                reply = bot.ask(question) if together is None else next(together)
                reply = bot.explain(question, reply) if why else reply
        except Exception as fault:
            known = isinstance(fault, ChatseqError)
            tell_error(str(fault) if known else f"{type(fault).__name__}: {first_line(fault)}")
            yield nothing, True
        else:
            yield reply, False


def _read(lines: Iterable[str], waiting: SimpleQueue[str | BaseException | None]) -> None:
    try:
        for line in lines:
            waiting.put(line)
    except BaseException as fault:  # raised again where it is waited for
        waiting.put(fault)
    else:
        waiting.put(None)
