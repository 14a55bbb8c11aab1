"""Questions that say too little alone, and are read with the question before them."""

from __future__ import annotations

from pathlib import Path

import pytest
from qa_fakes import bot_of, fit

from chatseq.bots.responder import Correction
from chatseq.core.exchange import Exchange, ReplySource
from chatseq_qa.responder import QaResponder

OPEN = {"saturdays": "open from ten on saturdays", "sundays": "closed on sundays"}
DELIVERY = {"saturdays": "we deliver till noon", "sundays": "no parcels on that day"}
HOURS = [
    Exchange(question.format(day), answers[day], source="hours.csv:2")
    for day in ("saturdays", "sundays")
    for answers, questions in (
        (OPEN, ("are you open on {}", "when do you open on {}", "opening hours on {}")),
        (DELIVERY, ("do you deliver on {}", "is there a delivery on {}", "delivery times on {}")),
    )
    for question in questions
]


@pytest.fixture
def responder(tmp_path: Path) -> QaResponder:
    fit(tmp_path, HOURS)
    # Where all is unsure, what is asked is always looked at with the question before it.
    return QaResponder(bot_of(tmp_path, HOURS), suggest_below=1.0, decline_below=0.0)


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        ("are you open on saturdays", OPEN["sundays"]),
        ("do you deliver on saturdays", DELIVERY["sundays"]),
    ],
)
def test_a_follow_up_is_about_what_was_asked_before(
    responder: QaResponder, before: str, wanted: str
) -> None:
    said = responder.reply(before).text
    assert responder.reply("and on sundays", (before, said)).text == wanted


def test_what_adds_nothing_to_the_question_before_is_judged_alone(responder: QaResponder) -> None:
    before = "are you open on saturdays"
    alone = responder.reply("saturdays")
    # What was said before does not matter: it may be a correction, or a part of an answer.
    for said in (OPEN["saturdays"], "Corrected.", "open from"):
        after = responder.reply("saturdays", (before, said))
        assert (after.text, after.confidence) == (alone.text, alone.confidence)


def test_noise_is_no_follow_up(tmp_path: Path) -> None:
    fit(tmp_path, HOURS)
    careful = QaResponder(bot_of(tmp_path, HOURS))
    reply = careful.reply("xqzt plok", ("are you open on saturdays", OPEN["saturdays"]))
    assert reply.source is ReplySource.DECLINED
    assert reply.confidence == careful.reply("xqzt plok").confidence


@pytest.mark.parametrize("context", [("only one turn",), ("", "said"), (" ", "said")])
def test_without_a_question_before_it_is_read_alone(
    responder: QaResponder, context: tuple[str, ...]
) -> None:
    alone = responder.reply("on sundays")
    assert responder.reply("on sundays", context).confidence == alone.confidence


def test_a_question_of_the_corpus_is_not_taken_for_a_corrected_one(tmp_path: Path) -> None:
    fit(tmp_path, HOURS)
    known = (Correction("are you open on saturdays", "Not any more."),)
    bot = bot_of(tmp_path, HOURS, corrections=lambda: known)
    careless = QaResponder(bot, corrected_above=0.1, decline_below=0.0)
    assert careless.reply("Are you open on Saturdays?").text == "Not any more."
    assert careless.reply("are you open on sundays").text == OPEN["sundays"]
