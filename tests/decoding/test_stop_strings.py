"""Stop strings: the reply ends before them, and nothing of them is ever shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatseq.bots.bot import Bot
from chatseq.core.exchange import Reply, ReplySource
from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe
from chatseq.decoding.contracts import SearchRequest, SearchState
from chatseq.decoding.growing_text import GrowingText, stops_of, text_of
from chatseq.decoding.search import Decoding, decode
from chatseq.testing import LetterTokenizer, ScriptedEngine, questions_of
from chatseq.text.question_encoder import QuestionEncoder
from chatseq.text.tokenizer import END_ID
from chatseq_strategies.beam import Beam
from chatseq_strategies.greedy import Greedy
from chatseq_strategies.ngram_block import NgramBlock
from chatseq_strategies.stop_strings import StopStrings
from chatseq_subword.part import Subword

LETTERS = LetterTokenizer()


def of_bytes(tokens: Sequence[int]) -> str:
    return bytes(tokens).decode(errors="replace")


def shown(text: str, *stops: str, ended: bool = True) -> list[str]:
    growing, tokens = GrowingText(of_bytes, stops), list(text.encode())
    parts = [growing.grow(tokens[:count]) for count in range(1, len(tokens) + 1)]
    return [*parts, growing.finish(tokens, ended=ended)]


def test_text_ends_before_the_first_stop() -> None:
    assert shown("ab|c", "|") == ["a", "b", "", "", ""]
    assert "".join(shown("one. two! three", "!", ". ")) == "one"


def test_what_may_be_the_beginning_of_a_stop_waits() -> None:
    assert shown("abxaby", "aby") == ["", "", "abx", "", "", "", ""]
    assert shown("aab", "ab") == ["", "a", "", ""]
    assert shown("a\nb\n\n", "\n\n") == ["a", "", "\nb", "", "", ""]


def test_a_beginning_at_the_end_of_the_reply_is_shown_after_all() -> None:
    assert shown("xab", "abc") == ["x", "", "", "ab"]
    assert shown("xab", "abc", ended=False) == ["x", "", "", "ab"]
    assert text_of(of_bytes, b"xab\xf0\x9f", ended=False, stops=("abc",)) == "xab"


some_text = st.text("ab c\u4f60", max_size=12)
some_stops = st.lists(st.text("ab c\u4f60", min_size=1, max_size=3), max_size=3)


@given(some_text, some_stops)
def test_what_is_shown_is_the_text_before_the_first_stop(text: str, stops: list[str]) -> None:
    places = [text.find(stop) for stop in stops if stop in text]
    before = text[: min(places)] if places else text
    parts = shown(text, *stops)
    whole = "".join(parts)
    assert whole == (before if before.strip() else "")
    assert text_of(of_bytes, text.encode(), ended=True, stops=stops) == whole
    assert not any(stop in whole for stop in stops)


def test_the_strings_come_from_all_adjusters_that_have_some() -> None:
    adjusters = [NgramBlock(), StopStrings(strings=("a",)), StopStrings(strings=("b", "c"))]
    assert stops_of(adjusters) == ("a", "b", "c")


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_only_the_end_mark_follows_a_stop_and_costs_nothing(library: str) -> None:
    xp = np if library == "numpy" else pytest.importorskip("array_api_compat.torch")
    rows = xp.asarray([LETTERS.encode("x ab"), LETTERS.encode("a bc"), LETTERS.encode("abxx")])
    search = SearchState([0], 3, xp.arange(3), rows, xp.zeros(3), (), None, 4)
    scores = xp.zeros((3, LETTERS.size)) - 3.0
    found = StopStrings(strings=("ab",)).begin(SearchRequest(xp, ((5,),), 9, tokenizer=LETTERS))(
        scores, search
    )
    for row in (0, 2):
        assert found[row, END_ID] == 0.0
        assert (found[row] == 0.0).sum() == 1
        assert (found[row] == -np.inf).sum() == LETTERS.size - 1
    assert (found[1] == -3.0).all()
    assert (scores == -3.0).all()


def babbling(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
    """The alphabet, over and over, without an end."""
    first = LETTERS.encode("a")[0]
    return {first + len(reply) % 26: 0.7, first + (len(reply) + 7) % 26: 0.3}


@pytest.mark.parametrize("strategy", [Greedy(), Beam(size=3)])
def test_a_reply_ends_in_the_step_after_the_stop(strategy: Greedy | Beam) -> None:
    engine = ScriptedEngine(babbling, vocabulary_size=LETTERS.size)
    [found] = decode(
        engine,
        questions_of((5,)),
        strategy,
        [StopStrings(strings=("de",))],
        max_length=20,
        tokenizer=LETTERS,
    )
    assert LETTERS.decode(found[0].tokens) == "abcde"
    assert found[0].ended
    assert text_of(LETTERS.decode, found[0].tokens, ended=True, stops=("de",)) == "abc"


def test_a_beam_stops_at_the_string_in_every_row() -> None:
    engine = ScriptedEngine(babbling, vocabulary_size=LETTERS.size)
    decoding = Decoding(
        engine,
        questions_of((5,)),
        Beam(size=4, n_best=4),
        [StopStrings(strings=("c",))],
        max_length=6,
        tokenizer=LETTERS,
    )
    for search in decoding:
        for row, tokens in enumerate(search.tokens.tolist()):
            alive = search.scores[row] > -np.inf
            assert not alive or "c" not in LETTERS.decode(tokens[:-1])


class Talking:
    """A bot that answers with a text, in subwords."""

    def __init__(self, registry: Registry, answer: str, *settings: str) -> None:
        tokenizer = Subword(vocabulary_size=600).learn([answer, "hello"] * 3)
        recipe = load_recipe("tiny").apply(["question.features=0", *settings])
        asked = QuestionEncoder(tokenizer).read("hello").ids[:-1]
        ids = (*tokenizer.encode_answer(answer), END_ID)

        def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
            right = question == asked and reply == ids[: len(reply)]
            return {ids[len(reply)]: 0.9, END_ID: 0.1} if right else {END_ID: 1.0}

        engine = ScriptedEngine(language, vocabulary_size=tokenizer.size)
        self.bot = Bot(registry, recipe, tokenizer, engine)

    def streamed(self) -> tuple[list[str], Reply]:
        *parts, reply = self.bot.responder.stream("hello")
        assert isinstance(reply, Reply)
        return [str(part) for part in parts], reply


STOP = 'decoding.adjusters=[{name="stop-strings", strings=["User:", "\\n\\n"]}]'
ANSWER = "I am Used to it.\nUser: and you?"


@pytest.mark.parametrize("strategy", ["greedy", "beam", "sample", "contrastive"])
def test_a_bot_never_shows_the_stop_string(registry: Registry, strategy: str) -> None:
    talking = Talking(registry, ANSWER, STOP, f"decoding.strategy.name={strategy}")
    parts, reply = talking.streamed()
    assert "".join(parts) == reply.text == "I am Used to it.\n"
    assert reply.source is ReplySource.GENERATED
    assert all("Us" not in part or "Used" in part for part in parts)
    assert talking.bot.responder.reply("hello").text == reply.text
    assert talking.bot.stops == ("User:", "\n\n")


def test_a_reply_that_begins_with_the_stop_string_is_declined(registry: Registry) -> None:
    _, reply = Talking(registry, "User: me", STOP).streamed()
    assert reply.source is ReplySource.DECLINED
    assert reply.text == "I do not know."
