"""What else could be meant: offered, chosen by its number, and the reply that it makes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatseq.chat.choices import choices_of, chosen, chosen_number, offered
from chatseq.core.exchange import Alternative, Neighbour, Piece, Reply, ReplySource
from chatseq.text.display_width import Page

POOL = Alternative("Seven to ten.", 0.3, "opening hours of the pool")
SHOP = Alternative("Nine to noon.", 0.2)
MORE = (Alternative("c", 0.1), Alternative("d", 0.05))
UNSURE = Reply("Nine to six.", ReplySource.GENERATED, 0.4, (POOL, SHOP, *MORE), unsure=True)
SURE = replace(UNSURE, unsure=False)
DECLINED = replace(UNSURE, source=ReplySource.DECLINED)
STOPPED = replace(UNSURE, interrupted=True)
ALONE = replace(UNSURE, alternatives=())


def test_an_unsure_reply_offers_three_at_most_the_best_first() -> None:
    assert choices_of(UNSURE) == (POOL, SHOP, MORE[0])


@pytest.mark.parametrize("reply", [None, SURE, DECLINED, STOPPED, ALONE])
def test_nothing_is_offered_after_any_other_reply(reply: Reply | None) -> None:
    assert choices_of(reply) == ()
    assert offered(reply, Page()) == ""
    assert chosen_number("1", reply) is None


def test_choices_are_numbered_and_named_by_their_question_where_it_is_known() -> None:
    assert offered(UNSURE, Page()).split("\n") == [
        "I am not sure. Did you mean (type its number):",
        "  1  opening hours of the pool",
        "  2  Nine to noon.",
        "  3  c",
    ]


def test_where_no_number_can_be_typed_none_is_asked_for() -> None:
    assert offered(UNSURE, Page(), typing=False).startswith("I am not sure. Did you mean:\n  1  ")


def test_a_chinese_reply_has_chinese_words() -> None:
    pool = Alternative("七点到十点。", 0.3, "泳池几点开")
    reply = replace(UNSURE, text="九点到六点。", alternatives=(pool,))
    assert offered(reply, Page()) == "我不太确定，你是不是想问（输入序号）：\n  1  泳池几点开"
    assert offered(reply, Page(), typing=False).startswith("我不太确定，你是不是想问：\n")


def test_each_choice_is_safe_and_on_one_line_that_fits() -> None:
    evil = Alternative("a\nb\x1b]0;owned\x07", 0.1, "line\n\x1b[2J" + "long " * 40)
    lines = offered(replace(UNSURE, alternatives=(evil,)), Page(30)).split("\n")
    assert lines[1:] == ["  1  line \ufffd[2Jlong long lon..."]


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("1", 1),
        ("3", 3),
        ("2", 2),
        ("２", 2),  # as a Chinese keyboard writes it
        ("0", None),
        ("4", None),
        ("12", None),
        ("1.", None),
        ("²", None),
        ("one", None),
        ("", None),
    ],
)
def test_the_number_alone_chooses(typed: str, number: int | None) -> None:
    assert chosen_number(typed, UNSURE) == number


def test_a_number_beyond_the_choices_is_none_of_them() -> None:
    assert chosen_number("2", replace(UNSURE, alternatives=(POOL,))) is None


def test_what_is_chosen_becomes_a_retrieved_reply_and_what_was_said_an_alternative() -> None:
    near = (Neighbour("when?", "Seven to ten.", "a.txt:1", 0.9),)
    said = replace(
        UNSURE,
        neighbours=near,
        bot="hours",
        model="abc",
        strategy="sample",
        seed=3,
        tokens=5,
        milliseconds=9.0,
        pieces=(Piece("Nine", -0.1, (1.0,)),),
        question_pieces=("when",),
        extra={"note": "of the first"},
    )
    assert chosen(said, 1) == Reply(
        "Seven to ten.",
        ReplySource.RETRIEVED,
        0.3,
        alternatives=(Alternative("Nine to six.", 0.4), SHOP, *MORE),
        neighbours=near,
        bot="hours",
        model="abc",
        strategy="sample",
        extra={"chosen": "opening hours of the pool"},
    )
    assert chosen(said, 2).extra == {"chosen": "Nine to noon."}
