"""What explains a reply, as values and as lines; numbers by hand."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chatseq.bots.explain import explanation, explanation_lines, remembered
from chatseq.core.errors import ChatseqError
from chatseq.core.exchange import Alternative, Neighbour, Piece, Reply, ReplySource
from chatseq.history.contracts import Message, Role, Status
from chatseq.text.display_width import Page, cells
from chatseq.text.terminal import safe_line

EVIL = "\x1b]0;owned\x07\x1b[2J\u202e"
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u202e]")
WHOLE = Reply(
    "Seven to ten.",
    ReplySource.GENERATED,
    0.82,
    alternatives=(
        Alternative("Nine to six.", 0.11, "opening hours of the library"),
        Alternative("Never.", 0.024),
    ),
    neighbours=(Neighbour("when does the pool open", "Seven to ten.", "hours.txt:4", 0.914),),
    bot="hours",
    strategy="sample",
    tokens=3,
    milliseconds=12.3456,
    pieces=(
        Piece("Seven", math.log(0.5), (0.25, 0.75)),
        Piece(" to ten.", math.log(0.2), (1.0, 0.0)),
    ),
    question_pieces=(" pool", "<end mark>"),
    seed=7,
    model="0123456789abcdef",
    extra={"note": "Only the first 64 tokens of the question were read."},
)
BARE = Reply("Hello.", ReplySource.RETRIEVED, 1.0)
DECLINED = Reply(
    "I do not know.",
    ReplySource.DECLINED,
    0.31,
    alternatives=(Alternative("Nine to six.", 0.31), Alternative("Never.", 0.02)),
)


PAGE = Page()


def lines(reply: Reply, page: Page = PAGE) -> list[str]:
    return explanation_lines(reply, page)


def test_the_values_are_what_the_reply_tells() -> None:
    assert explanation(WHOLE) == {
        "text": "Seven to ten.",
        "source": "generated",
        "confidence": 0.82,
        "unsure": False,
        "interrupted": False,
        "candidates": [
            {"text": "Seven to ten.", "confidence": 0.82, "question": ""},
            {
                "text": "Nine to six.",
                "confidence": 0.11,
                "question": "opening hours of the library",
            },
            {"text": "Never.", "confidence": 0.024, "question": ""},
        ],
        "neighbours": [
            {
                "question": "when does the pool open",
                "answer": "Seven to ten.",
                "source": "hours.txt:4",
                "similarity": 0.914,
            }
        ],
        "question_pieces": [" pool", "<end mark>"],
        "pieces": [
            {"text": "Seven", "probability": 0.5, "weights": [0.25, 0.75]},
            {"text": " to ten.", "probability": 0.2, "weights": [1.0, 0.0]},
        ],
        "bot": "hours",
        "model": "0123456789ab",
        "strategy": "sample",
        "seed": 7,
        "tokens": 3,
        "milliseconds": 12.346,
        "extra": {"note": "Only the first 64 tokens of the question were read."},
    }


def test_the_lines_tell_the_same_to_people() -> None:
    assert lines(WHOLE) == [
        "Generated: written by the network, token by token; confidence 0.82",
        "Candidates:",
        "  0.82  Seven to ten.",
        "  0.11  opening hours of the library -> Nine to six.",
        "  0.02  Never.",
        "Nearest questions of the corpus, by likeness:",
        "  0.91  hours.txt:4",
        "        when does the pool open -> Seven to ten.",
        "Tokens, their probability, and where they looked:",
        "                 pool (end)",
        "  Seven    0.50  ▂▂▂▂ ▆▆▆▆▆",
        "  to ten.  0.20  ████ ·····",
        "bot hours, model 0123456789ab, strategy sample, seed 7, 3 tokens, 12.3 ms",
        "note: Only the first 64 tokens of the question were read.",
    ]


def test_what_is_not_known_is_left_out() -> None:
    assert lines(BARE) == [
        "Retrieved: an answer of the corpus as it stands there; confidence 1.00",
        "Candidates:",
        "  1.00  Hello.",
    ]
    told = explanation(BARE)
    assert (told["neighbours"], told["pieces"], told["seed"], told["extra"]) == ([], [], None, {})


def test_a_corrected_reply_says_who_said_so() -> None:
    corrected = replace(BARE, source=ReplySource.CORRECTED, confidence=0.9)
    assert lines(corrected)[0] == "Corrected: a user said that this is right; confidence 0.90"


def test_an_unsure_reply_says_so() -> None:
    assert lines(replace(BARE, unsure=True))[0].endswith("confidence 1.00, which is not sure")
    assert explanation(replace(BARE, unsure=True))["unsure"] is True


def test_a_declined_reply_tells_what_it_would_have_said_and_how_sure_it_was() -> None:
    assert lines(DECLINED) == [
        "Declined: confidence 0.31 in the best answer it had",
        "What it did not say:",
        "  0.31  Nine to six.",
        "  0.02  Never.",
    ]
    told = explanation(DECLINED)["candidates"]
    assert [one["text"] for one in told] == ["Nine to six.", "Never."]


def test_a_declined_reply_tells_the_threshold_where_it_is_known() -> None:
    reply = replace(DECLINED, extra={"decline_below": "0.42", "suggest_below": "0.6"})
    told = lines(reply)
    assert told[0] == "Declined: confidence 0.31 in the best answer it had; decline_below is 0.42"
    assert told[-1] == "suggest_below: 0.6"
    assert len(told) == 5
    kept = replace(reply, source=ReplySource.RETRIEVED)
    assert lines(kept)[-2:] == ["decline_below: 0.42", "suggest_below: 0.6"]


def test_a_bot_that_had_nothing_to_say_says_so() -> None:
    reply = replace(DECLINED, alternatives=())
    assert lines(reply) == ["Declined: it had nothing to say to this"]


def test_a_stopped_reply_has_no_confidence() -> None:
    stopped = replace(WHOLE, interrupted=True, alternatives=())
    told = lines(stopped)
    assert told[0] == (
        "Generated: written by the network, token by token; "
        "stopped before its end, so there is no confidence"
    )
    assert told[1].startswith("Nearest questions")


def test_tokens_without_attention_keep_their_probabilities() -> None:
    reply = replace(BARE, pieces=(Piece("Hello.", math.log(0.25)),), question_pieces=("hi",))
    assert lines(reply)[3:] == ["Tokens, their probability:", "  Hello.  0.25"]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, -1.0, 2.0])
def test_numbers_that_are_none_do_not_break_the_json(number: float) -> None:
    reply = replace(
        WHOLE,
        confidence=number,
        milliseconds=number,
        alternatives=(Alternative("x", number),),
        neighbours=(Neighbour("q", "a", "f:1", number),),
        pieces=(Piece("x", number, (number,)),),
    )
    told = json.loads(json.dumps(explanation(reply), allow_nan=False))
    shares = [told["confidence"], told["candidates"][1]["confidence"]]
    shares += [told["neighbours"][0]["similarity"], told["pieces"][0]["probability"]]
    shares += told["pieces"][0]["weights"]
    assert all(0 <= share <= 1 for share in shares)
    assert len(lines(reply)) > 10


def test_a_token_that_could_not_be_has_the_probability_0() -> None:
    reply = replace(BARE, pieces=(Piece("x", -math.inf),))
    assert explanation(reply)["pieces"][0]["probability"] == 0.0


def hostile() -> Reply:
    return Reply(
        EVIL,
        ReplySource.GENERATED,
        0.5,
        alternatives=(Alternative(EVIL, 0.1, EVIL),),
        neighbours=(Neighbour(EVIL, EVIL, EVIL, 0.5),),
        bot=EVIL,
        strategy=EVIL,
        model=EVIL,
        pieces=(Piece(EVIL, -1.0, (0.5,)),),
        question_pieces=(EVIL,),
        extra={EVIL: EVIL, "decline_below": EVIL},
    )


@pytest.mark.parametrize("source", ReplySource)
@pytest.mark.parametrize("columns", [79, 20])
def test_nothing_that_a_terminal_obeys_is_in_the_lines(source: ReplySource, columns: int) -> None:
    told = lines(replace(hostile(), source=source), Page(columns))
    assert not any(UNSAFE.search(line) for line in told)


def test_candidates_neighbours_and_tokens_fit_on_the_page() -> None:
    long = "opening hours of 退货 " * 9
    reply = replace(
        WHOLE,
        text=long,
        alternatives=(Alternative(long, 0.1, long), Alternative("short", 0.1, long)),
        neighbours=(Neighbour(long, long, "f:1", 0.5), Neighbour("short", long, "f:2", 0.4)),
    )
    told = lines(reply, Page(50))
    assert all(cells(line) <= 50 for line in told[1:-2])
    assert [line for line in told if line.endswith("... -> short")]
    assert [line for line in told if line.startswith("        short -> opening hours of 退货 open")]


def message(**told: object) -> Message:
    kept = Message(
        id=2,
        conversation="c",
        parent=1,
        role=Role.REPLY,
        text="Nine to six.",
        status=Status.COMPLETE,
        created=datetime.now(UTC),
        source="retrieved",
        confidence=0.4,
        alternatives=DECLINED.alternatives,
    )
    return replace(kept, **told)  # type: ignore[arg-type]


def test_a_stored_reply_still_tells_its_source_confidence_and_alternatives() -> None:
    kept = message(bot="hours", model="0" * 64, strategy="beam", tokens=4, seed=3)
    assert lines(remembered(kept)) == [
        "Retrieved: an answer of the corpus as it stands there; confidence 0.40",
        "Candidates:",
        "  0.40  Nine to six.",
        "  0.31  Nine to six.",
        "  0.02  Never.",
        "bot hours, model 000000000000, strategy beam, seed 3, 4 tokens",
    ]


def test_a_stored_reply_that_was_stopped_has_no_confidence() -> None:
    kept = message(source="generated", confidence=None, status=Status.INTERRUPTED, alternatives=())
    (line,) = lines(remembered(kept))
    assert line.endswith("; stopped before its end, so there is no confidence")


@pytest.mark.parametrize("source", ["", "dreamt\x1b[2J"])
def test_a_stored_reply_of_unknown_source_is_told_of(source: str) -> None:
    with pytest.raises(ChatseqError) as caught:
        remembered(message(source=source))
    assert str(caught.value) == (
        f"Where this reply came from ('{safe_line(source)}') is not known. It "
        "was imported into the history. /retry answers its question again."
    )


def test_the_page_about_it_names_every_field() -> None:
    page = Path(__file__).parents[2] / "docs" / "why.md"
    rows = re.findall(r"^\| (`.*?) \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert re.findall(r"`(\w+)`", " ".join(rows)) == list(explanation(WHOLE))
