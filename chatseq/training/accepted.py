"""Accepted feedback as exchanges, and how these join those of a corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from chatseq.chat.turns import turns_of
from chatseq.core.errors import ErrorKind, TrainingError
from chatseq.core.exchange import Exchange, ReplySource
from chatseq.history.contracts import Feedback, History, Review, Verdict, branch
from chatseq.text.filters import TextFilters
from chatseq.text.normalise import normalise_answer, question_key, question_text
from chatseq.text.question_encoder import newest_turns
from chatseq.text.terminal import safe_line

_SHOWN = 3  # places of exchanges that were left out
Asked = tuple[str, tuple[str, ...]]  # a question as it is read, and the turns read before it


class Accepted(NamedTuple):
    """What accepted feedback teaches."""

    exchange: Exchange
    corrects: bool  # other answers to the question are wrong; else it is one of the right ones


class FittedEnsemble(NamedTuple):
    """The parts of a corpus with what was accepted."""

    train: list[Exchange]
    held_back: list[Exchange]
    remarks: tuple[str, ...]


def accepted_feedback(history: History, bot: str) -> list[Accepted]:
    """Return what the accepted feedback about a bot teaches, newest first.

    A declined reply that was good teaches to decline.

    Raises:
        HistoryError: the history cannot be read.
        TrainingError: nothing is accepted.
    """
    said = history.feedback(bot=bot, status=Review.ACCEPTED)
    found = [taught for each in said if (taught := _taught(history, each))]
    if found:
        return found
    waiting = sum(
        each.verdict is not Verdict.BAD for each in history.feedback(bot=bot, status=Review.NEW)
    )
    wait = {0: "none waits", 1: "1 waits"}.get(waiting, f"{waiting} wait")
    raise TrainingError(
        f"No feedback about the bot '{bot}' is accepted, and {wait} for review. Look through what "
        "was said with /good and /correct, and accept it: "
        f"chatseq history feedback list --bot {bot}",
        kind=ErrorKind.NOTHING_TO_LEARN,
        place=bot,
    )


def filtered_feedback(accepted: Sequence[Accepted], filters: TextFilters) -> list[Accepted]:
    """Return what was accepted as it is learnt; what leaves no question is left out."""
    passed = [each._replace(exchange=filters.exchange(each.exchange)) for each in accepted]
    return [each for each in passed if each.exchange.question.strip()]


def join_accepted(
    train: Sequence[Exchange],
    held_back: Sequence[Exchange],
    accepted: Sequence[Accepted],
    context_turns: int,
) -> FittedEnsemble:
    """Return the parts with what was accepted in the training part, each exchange once.

    All rows of such a question are learnt then, so that none validates; those that a correction
    contradicts are left out. Joining again changes nothing.

    Args:
        accepted: newest first; of a question only the newest counts
    """
    newest = _newest(accepted, context_turns)
    keys = {question_key(taught.exchange.question) for taught in accepted}
    moved = [each for each in held_back if question_key(each.question) in keys]
    rows, wrong, known = [], [], set()
    for each in (*train, *moved):
        asked = _asked(each, context_turns)
        taught = newest.get(asked)
        same = taught is not None and _same_answer(taught.exchange, each)
        if taught is not None and taught.corrects and not same:
            wrong.append(each)
            continue
        rows.append(each)
        if same:
            known.add(asked)
    rows += [taught.exchange for asked, taught in newest.items() if asked not in known]
    rest = [each for each in held_back if question_key(each.question) not in keys]
    return FittedEnsemble(rows, rest, tuple(_told(wrong)))


def rows_accepted(
    exchanges: Sequence[Exchange], accepted: Sequence[Accepted], context_turns: int
) -> tuple[int, ...]:
    """Return where what was accepted stands among exchanges, each once."""
    newest = _newest(accepted, context_turns)
    found: dict[Asked, int] = {}
    for row, each in enumerate(exchanges):
        taught = newest.get(asked := _asked(each, context_turns))
        if taught is not None and _same_answer(taught.exchange, each):
            found.setdefault(asked, row)
    return tuple(found.values())


def _taught(history: History, said: Feedback) -> Accepted | None:
    """Return what one verdict teaches; nothing where no question came before the reply."""
    if not said.question.strip() or said.verdict is Verdict.BAD:
        return None
    *before, _, reply = branch(history.messages(said.conversation), said.message)
    corrects = said.verdict is Verdict.CORRECT
    declined = reply.source == ReplySource.DECLINED
    answer = said.correction if corrects else "" if declined else said.reply
    context = tuple(turns_of(before))
    exchange = Exchange(said.question, answer, context, source=f"history:{said.id}")
    return Accepted(exchange, corrects)


def _newest(accepted: Sequence[Accepted], context_turns: int) -> dict[Asked, Accepted]:
    """Return the newest of each question, with no more earlier turns than are read."""
    found: dict[Asked, Accepted] = {}
    for exchange, corrects in accepted:
        context = newest_turns(exchange.context, context_turns)
        cut = Exchange(exchange.question, exchange.answer, context, (), exchange.source)
        found.setdefault(_asked(cut, context_turns), Accepted(cut, corrects))
    return found


def _asked(exchange: Exchange, context_turns: int) -> Asked:
    turns = newest_turns(exchange.context, context_turns)
    return question_text(exchange.question), turns


def _same_answer(one: Exchange, other: Exchange) -> bool:
    return normalise_answer(one.answer) == normalise_answer(other.answer)


def _told(wrong: Sequence[Exchange]) -> Iterator[str]:
    if not wrong:
        return
    places = ", ".join(safe_line(each.source) for each in wrong[:_SHOWN] if each.source)
    more = ", …" if len(wrong) > _SHOWN else ""
    many = "1 exchange of the corpus was" if len(wrong) == 1 else f"{len(wrong)} exchanges were"
    where = f": {places}{more}" if places else ""
    yield f"{many} left out, since corrections say otherwise{where}."
