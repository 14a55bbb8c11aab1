"""The responder `qa` where answers hardly recur, and with bots of which something is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qa_fakes import SHOP, bot_of, fit

from chatseq.bots.bot import Bot
from chatseq.bots.responder import Correction
from chatseq.core.errors import BundleError
from chatseq.core.exchange import Reply, ReplySource
from chatseq.testing import babbling_bot
from chatseq_qa import responder_fit
from chatseq_qa.answered_corpus import PAIR_ANSWERS
from chatseq_qa.calibration import FILE
from chatseq_qa.linear_classifier import FILES
from chatseq_qa.responder import QaResponder
from chatseq_qa.seq2seq import Seq2SeqResponder

ASKED = ["when do you open", "a", "", "zzz"]


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bot in whose corpus answers hardly recur."""
    folder = tmp_path_factory.mktemp("talk")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(responder_fit, "_MOST_BY_HEART", 3)
        fit(folder, closed=False)
    return folder


def alike(one: Reply, other: Reply) -> bool:
    """Tell whether two replies differ in nothing but their neighbours and the time they took."""
    return replace(one, neighbours=(), milliseconds=0.0) == replace(
        other, neighbours=(), milliseconds=0.0
    )


def test_the_network_writes_the_replies_as_it_does_alone(talk: Path) -> None:
    bot = bot_of(talk)
    both = zip(
        QaResponder(bot).reply_all(ASKED), Seq2SeqResponder(bot).reply_all(ASKED), strict=True
    )
    assert all(alike(*pair) for pair in both)


def test_its_replies_come_with_the_nearest_questions(talk: Path) -> None:
    reply, _, blank, _ = QaResponder(bot_of(talk)).reply_all(ASKED)
    assert (reply.neighbours[0].question, reply.neighbours[0].similarity) == (ASKED[0], 1.0)
    assert blank.neighbours == ()


def test_its_replies_come_piece_by_piece(talk: Path) -> None:
    responder = QaResponder(bot_of(talk))
    replies = ((one.question, responder.reply(one.question)) for one in SHOP)
    generated = ReplySource.GENERATED
    long = next(asked for asked, r in replies if r.source is generated and len(r.text) > 2)
    stream = responder.stream(long)
    first = next(stream)
    assert isinstance(first, str)
    assert stream.partial().text == first
    assert stream.partial().interrupted
    *parts, reply = stream
    assert isinstance(reply, Reply)
    assert first + "".join(map(str, parts)) == reply.text
    assert alike(reply, responder.reply(long))
    assert reply.neighbours == stream.partial().neighbours
    assert len(parts) > 1


def test_a_closed_stream_keeps_what_was_said(talk: Path) -> None:
    stream = QaResponder(bot_of(talk)).stream("when do you open")
    said = next(stream)
    stream.close()
    assert list(stream) == []
    assert (stream.partial().text, stream.partial().interrupted) == (said, True)


def test_corrections_come_first_there_too(talk: Path) -> None:
    bot = bot_of(talk, corrections=lambda: [Correction("when do you open", "At ten.")])
    responder = QaResponder(bot)
    text, reply = responder.stream("when do you open")
    assert isinstance(reply, Reply)
    assert (text, reply.source) == ("At ten.", ReplySource.CORRECTED)
    assert responder.reply("zzz").source is not ReplySource.CORRECTED


def test_without_a_corpus_the_network_answers_alone() -> None:
    bot = babbling_bot()
    reply = QaResponder(bot).reply("hello")
    assert alike(reply, Seq2SeqResponder(bot).reply("hello"))
    assert reply.neighbours == ()


def test_what_another_responder_left_is_enough_for_neighbours(tmp_path: Path) -> None:
    fit(tmp_path)
    (tmp_path / FILE).unlink()  # as the responder `retrieval` leaves it
    reply = QaResponder(bot_of(tmp_path)).reply("when do you open")
    assert reply.neighbours[0].similarity == 1.0
    assert alike(reply, Seq2SeqResponder(bot_of(tmp_path)).reply("when do you open"))


AGAIN = r"Train it again: chatseq train FILE --bot babbler( --set responder.name=qa)?$"


def refused(bot: Bot) -> str:
    with pytest.raises(BundleError, match=AGAIN) as caught:
        QaResponder(bot)
    told = str(caught.value)
    assert "\n" not in told
    return told


def test_a_bot_that_was_trained_without_an_index_is_to_be_trained_again(tmp_path: Path) -> None:
    assert refused(babbling_bot(folder=tmp_path)).startswith(
        "The bot 'babbler' has no index of its questions: it was trained without."
    )


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"weights": 1}', "\x00", "[" * 5000])
def test_a_damaged_fit_is_told(tmp_path: Path, text: str) -> None:
    fit(tmp_path)
    (tmp_path / FILE).write_text(text)
    assert refused(bot_of(tmp_path)).startswith(
        "What the bot 'babbler' has learnt about answers cannot be read: "
        "ensemble.json does not hold what was fitted."
    )


def test_a_fit_that_is_no_text_is_told(tmp_path: Path) -> None:
    fit(tmp_path)
    (tmp_path / FILE).write_bytes(b"\xff\xfe")
    assert "cannot be read" in refused(bot_of(tmp_path))


@pytest.mark.parametrize("name", [PAIR_ANSWERS, *map(FILES.format, ("weights", "bias", "grams"))])
def test_a_missing_or_damaged_array_is_told(tmp_path: Path, name: str) -> None:
    fit(tmp_path)
    whole = (tmp_path / name).read_bytes()
    for damaged in (None, b"", b"no array", whole[: len(whole) // 2]):
        (tmp_path / name).unlink(missing_ok=True)
        if damaged is not None:
            (tmp_path / name).write_bytes(damaged)
        assert "has learnt about answers cannot be read" in refused(bot_of(tmp_path))
    np.save(tmp_path / name, np.zeros((3, 3)))
    assert "belong" in refused(bot_of(tmp_path))


@pytest.mark.parametrize("questions", [[], ["a"], ["a", "", "b"] * 50])
def test_any_number_of_questions_is_answered_in_order(
    tmp_path: Path, questions: Sequence[str]
) -> None:
    fit(tmp_path)
    replies = list(QaResponder(bot_of(tmp_path)).reply_all(questions))
    blank = [reply.text == "Please ask me something." for reply in replies]
    assert blank == [not question for question in questions]


def test_as_many_contexts_as_questions_are_wanted(tmp_path: Path) -> None:
    fit(tmp_path, SHOP)
    with pytest.raises(ValueError, match="zip"):
        list(QaResponder(bot_of(tmp_path)).reply_all(["a", "b"], [()]))
