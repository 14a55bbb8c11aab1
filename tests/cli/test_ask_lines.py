"""Lines of stdin are answered together where they are at hand, and at once where they are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from queue import SimpleQueue
from typing import Any, cast

import pytest

from chatseq.api import Bot
from chatseq.cli.ask_lines import at_hand, replies_to
from chatseq.core.errors import ChatseqError
from chatseq.core.exchange import Reply, ReplySource


def test_every_line_comes_once_and_in_order_whatever_the_groups() -> None:
    lines = [str(number) for number in range(500)]
    groups = list(at_hand(iter(lines), 64))
    assert [line for group in groups for line in group] == lines
    assert max(map(len, groups)) <= 64
    assert list(at_hand(iter(()))) == []


def test_a_line_is_not_kept_waiting_for_the_next() -> None:
    sent: SimpleQueue[str | None] = SimpleQueue()
    groups = at_hand(iter(sent.get, None), 64)
    for line in ("one", "two"):
        sent.put(line)
        assert next(groups) == [line]  # no more has been sent yet
    sent.put(None)
    assert list(groups) == []


def test_a_fault_of_reading_comes_after_the_lines_before_it() -> None:
    def lines() -> Iterator[str]:
        yield "whole"
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid")

    groups = at_hand(lines())
    assert next(groups) == ["whole"]
    with pytest.raises(UnicodeDecodeError):
        next(groups)


class Asked:
    """A bot that remembers how it was asked; some questions it cannot stand."""

    name, strategy = "asked", "greedy"

    def __init__(self) -> None:
        self.batches: list[Sequence[str]] = []

    def ask_all(self, questions: Sequence[str]) -> Iterator[Reply]:
        self.batches.append(list(questions))
        return map(self._answered, questions)

    def ask(self, question: str) -> Reply:
        self.batches.append([question])
        return self._answered(question)

    def explain(self, question: str, reply: Reply) -> Reply:
        return Reply(reply.text, reply.source, 1.0, extra={"asked": question})

    def _answered(self, question: str) -> Reply:
        if question == "bad":
            raise ChatseqError("Not that.")
        return Reply(question.upper(), ReplySource.GENERATED, 0.5)


def answered(bot: Asked, *questions: str, why: bool = False) -> list[tuple[str, bool]]:
    pairs = replies_to(cast("Any", bot), questions, why=why)
    return [(reply.text, failed) for reply, failed in pairs]


def test_a_group_is_asked_in_one_pass() -> None:
    bot = Asked()
    assert answered(bot, "a", "", "b") == [("A", False), ("", False), ("B", False)]
    assert bot.batches == [["a", "b"]]


def test_one_that_fails_does_not_lose_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    bot = Asked()
    assert answered(bot, "a", "bad", "b") == [("A", False), ("", True), ("B", False)]
    assert capsys.readouterr().err == "Error: Not that.\n"


def test_each_is_explained_where_that_is_wanted() -> None:
    ((reply, failed),) = replies_to(cast("Bot", Asked()), ["a"], why=True)
    assert (reply.extra, failed) == ({"asked": "a"}, False)
