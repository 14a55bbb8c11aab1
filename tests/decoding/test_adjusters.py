"""Adjusters that make a reply longer, fresher, or begin and hold what they should."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from chatseq.core.errors import PartError
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.decoding.contracts import Adjuster, SearchRequest, SearchState
from chatseq.decoding.search import decode
from chatseq.testing import LetterTokenizer, RandomEngine, ScriptedEngine, questions_of
from chatseq.text.tokenizer import END_ID, Tokenizer
from chatseq_strategies.banned_words import BannedWords
from chatseq_strategies.beam import Beam
from chatseq_strategies.forced_prefix import ForcedPrefix
from chatseq_strategies.greedy import Greedy
from chatseq_strategies.lexical import Lexical
from chatseq_strategies.minimum_length import MinimumLength
from chatseq_strategies.repetition_penalty import RepetitionPenalty
from chatseq_strategies.required_words import RequiredWords
from chatseq_strategies.stop_strings import StopStrings
from chatseq_subword.part import Subword
from chatseq_subword.tokenizer import SubwordTokenizer

A, B, C = 3, 4, 5
LETTERS = LetterTokenizer()


@pytest.fixture(params=["numpy", "torch"])
def xp(request: pytest.FixtureRequest) -> Any:
    return np if request.param == "numpy" else pytest.importorskip("array_api_compat.torch")


def adjusted(
    xp: Any,
    adjuster: Adjuster,
    rows: Sequence[Sequence[int]],
    shares: Sequence[float],
    *,
    longest: int = 20,
    tokenizer: Tokenizer | None = LETTERS,
) -> list[list[float]]:
    """Return the probabilities that an adjuster makes of the same shares behind each row."""
    tokens = xp.asarray(np.asarray(rows, dtype=np.int64).reshape(len(rows), -1))
    state = SearchState(
        sources=[0],
        width=len(rows),
        rows=xp.arange(len(rows)),
        tokens=tokens,
        scores=xp.zeros(len(rows)),
        state=(),
        weights=None,
        step=len(rows[0]),
    )
    with np.errstate(divide="ignore"):
        scores = xp.asarray(np.log(np.asarray([shares] * len(rows), dtype=np.float32)))
    before = scores.tolist()
    task = SearchRequest(xp, ((5,),), longest, tokenizer=tokenizer)
    found = adjuster.begin(task)(scores, state)
    assert scores.tolist() == before  # the argument stays as it was
    return [[math.exp(score) for score in row] for row in found.tolist()]


SHARES = (0.0, 0.0, 0.1, 0.4, 0.3, 0.2)


def test_a_repeated_token_gets_the_power_of_its_probability(xp: Any) -> None:
    found = adjusted(xp, RepetitionPenalty(penalty=2.0), [(A, A, B), (C, C, C)], SHARES)
    assert found[0] == pytest.approx([0, 0, 0.1, 0.16, 0.09, 0.2])
    assert found[1] == pytest.approx([0, 0, 0.1, 0.4, 0.3, 0.04])
    near = adjusted(xp, RepetitionPenalty(penalty=2.0, window=1), [(A, A, B)], SHARES)
    assert near[0] == pytest.approx([0, 0, 0.1, 0.4, 0.09, 0.2])


def test_a_penalty_of_one_and_an_empty_reply_change_nothing(xp: Any) -> None:
    for adjuster, row in ((RepetitionPenalty(penalty=1.0), (A,)), (RepetitionPenalty(), ())):
        assert adjusted(xp, adjuster, [row], SHARES)[0] == pytest.approx(SHARES)


def test_the_end_mark_is_impossible_before_the_minimum(xp: Any) -> None:
    held = [0, 0, 0, 0.4, 0.3, 0.2]
    assert adjusted(xp, MinimumLength(tokens=2), [(A,)], SHARES)[0] == pytest.approx(held)
    assert adjusted(xp, MinimumLength(tokens=2), [(A, A)], SHARES)[0] == pytest.approx(SHARES)


def test_no_reply_is_shorter_than_the_minimum() -> None:
    engine = RandomEngine(vocabulary_size=9, end_bonus=9.0)
    for tokens in (1, 4):
        for strategy in (Greedy(), Beam()):
            found = decode(
                engine, questions_of((5,)), strategy, [MinimumLength(tokens=tokens)], max_length=9
            )
            lengths = [len(reply.tokens) for reply in found[0]]
            assert min(lengths) >= tokens
            assert lengths[0] == tokens or strategy.__class__ is Beam


def letters(text: str) -> tuple[int, ...]:
    return tuple(LETTERS.encode(text))


def even() -> list[float]:
    return [0.0, 0.0, *[1 / 28] * 28]


def test_the_share_of_the_end_mark_goes_to_what_brings_the_word_on(xp: Any) -> None:
    [row] = adjusted(xp, RequiredWords(words=("cat",)), [letters("the")], even())
    wanted = even()
    wanted[END_ID], wanted[letters(" ")[0]] = 0.0, 2 / 28  # a space before the c
    assert row == pytest.approx(wanted)
    [row] = adjusted(xp, RequiredWords(words=("cat",)), [letters("the ca")], even())
    wanted = even()
    wanted[END_ID], wanted[letters("t")[0]] = 0.0, 2 / 28
    assert row == pytest.approx(wanted)


def test_a_reply_that_holds_the_words_is_left_alone(xp: Any) -> None:
    adjuster = RequiredWords(words=("cat", "the"))
    found = adjusted(xp, adjuster, [letters("cat the"), letters("the cab")], even())
    assert found[0] == pytest.approx(even())
    assert found[1][END_ID] == 0.0


def test_when_there_is_only_room_for_the_words_nothing_else_is_possible(xp: Any) -> None:
    # " cat" takes 4 tokens and the end mark 1; of 9 tokens, 4 are there
    adjuster = RequiredWords(words=("cat",))
    [row] = adjusted(xp, adjuster, [letters("then")], even(), longest=9)
    assert row[letters(" ")[0]] == pytest.approx(1.0)
    assert sum(row) == pytest.approx(1.0)
    [row] = adjusted(xp, adjuster, [letters("then")], even(), longest=10)
    assert row[letters("e")[0]] == pytest.approx(1 / 28)


@pytest.mark.parametrize("words", [("cat",), ("a", "dog"), ("in the",)])
@pytest.mark.parametrize("strategy", [Greedy(), Beam(size=3)])
def test_every_reply_holds_the_required_words(words: tuple[str, ...], strategy: Any) -> None:
    for bonus in (5.0, -5.0):  # a model that wants to end at once, and one that never does
        engine = RandomEngine(vocabulary_size=LETTERS.size, end_bonus=bonus)
        found = decode(
            engine,
            questions_of((5,), (6, 7), (8,)),
            strategy,
            [RequiredWords(words=words)],
            max_length=25,
            tokenizer=LETTERS,
        )
        for replies in found:
            text = LETTERS.decode(replies[0].tokens)
            assert replies[0].ended
            assert all(f" {word} " in f" {text} " for word in words)


def test_a_word_without_room_is_cut() -> None:
    engine = RandomEngine(vocabulary_size=LETTERS.size, end_bonus=5.0)
    [[reply]] = decode(
        engine,
        questions_of((5,)),
        Greedy(),
        [RequiredWords(words=("elephant",))],
        max_length=5,
        tokenizer=LETTERS,
    )
    assert (LETTERS.decode(reply.tokens), reply.ended) == ("eleph", False)


@pytest.fixture(scope="module")
def tokenizer() -> SubwordTokenizer:
    texts = ["hello there, how are you", "help yourself", "你好，很高兴见到你", "no no no no"]
    return Subword(vocabulary_size=600).learn(texts * 4)


def beginning(
    tokenizer: Tokenizer, text: str, *others: Adjuster, longest: int = 20, seed: int = 0
) -> str:
    engine = RandomEngine(vocabulary_size=tokenizer.size, seed=seed)
    [[reply]] = decode(
        engine,
        questions_of((5,)),
        Greedy(),
        [*others, ForcedPrefix(text=text)],
        max_length=longest,
        tokenizer=tokenizer,
    )
    return tokenizer.decode(reply.tokens)


@pytest.mark.parametrize(
    "text", ["hello", "hel", "hello ", "(why", "你好，很", "😀", "你好 hi", "x"]
)
def test_every_reply_begins_with_the_prefix(tokenizer: SubwordTokenizer, text: str) -> None:
    for seed in range(4):
        assert beginning(tokenizer, text, seed=seed).startswith(text)


def test_the_last_token_may_be_longer_than_what_is_left(tokenizer: SubwordTokenizer) -> None:
    # "hello " ends in a lone space, which no answer has: a word with its space may stand there
    hello = tokenizer.encode_answer("hello")
    there = tokenizer.encode_answer("hello there")[len(hello)]
    assert tokenizer.encode_answer("hello ")[: len(hello)] == hello

    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        return {END_ID: 1.0} if len(reply) > len(hello) else {there: 0.1, A: 0.9}

    engine = ScriptedEngine(language, vocabulary_size=tokenizer.size)
    [[reply]] = decode(
        engine,
        questions_of((5,)),
        Greedy(),
        [ForcedPrefix(text="hello ")],
        max_length=9,
        tokenizer=tokenizer,
    )
    assert reply.tokens == (*hello, there)
    assert tokenizer.decode(reply.tokens) == "hello t"


def test_what_is_forced_costs_nothing(xp: Any) -> None:
    adjuster = ForcedPrefix(text="ab")
    [row] = adjusted(xp, adjuster, [()], even())
    assert row[letters("a")[0]] == 1.0
    assert sum(row) == 1.0
    [row] = adjusted(xp, adjuster, [letters("a")], even())
    assert row[letters("b")[0]] == pytest.approx(1.0)
    assert adjusted(xp, adjuster, [letters("ab")], even())[0] == pytest.approx(even())


class Syllables:
    """A tokenizer of six pieces, which writes "hello" as he, l, lo."""

    size = 9
    names = ("", "", "", "h", "he", "l", "lo", "hell", "la")

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self.names[at] for at in ids)

    def pieces(self, ids: Sequence[int]) -> list[str]:
        return [self.names[at] for at in ids]

    def encode_answer(self, text: str) -> list[int]:
        assert text in ("hello", "hel")
        return [4, 5, 6] if text == "hello" else [4, 5]


@pytest.mark.parametrize(
    ("text", "said", "left"),
    [
        ("hello", (), {4: 0.2, 7: 0.8}),  # he and hell; h is shorter than an answer would have it
        ("hello", (4,), {5: 1.0}),  # l
        ("hello", (4, 5), {6: 1.0}),  # lo
        ("hello", (7,), {}),  # nothing goes on with an o: the reply ends
        ("hel", (4,), {5: 0.25, 6: 0.25, 8: 0.5}),  # l, and what begins with it
        ("hel", (7,), None),  # it is there already
    ],
)
def test_the_model_chooses_among_what_fits(
    xp: Any, text: str, said: tuple[int, ...], left: dict[int, float] | None
) -> None:
    shares = (0.0, 0.0, 0.1, 0.2, 0.1, 0.05, 0.05, 0.4, 0.1)
    [row] = adjusted(xp, ForcedPrefix(text=text), [said], shares, tokenizer=Syllables())  # type: ignore[arg-type]
    wanted = [(left or {END_ID: 1.0}).get(token, 0.0) for token in range(9)]
    assert row == pytest.approx(shares if left is None else wanted)


def test_a_prefix_stands_against_a_ban_and_is_cut_at_the_maximum_length(
    tokenizer: SubwordTokenizer,
) -> None:
    class Nothing:
        def begin(self, task: SearchRequest) -> Any:
            return lambda scores, _: np.full_like(scores, -np.inf)

    assert beginning(tokenizer, "no no no no", Nothing()) == "no no no no"
    assert beginning(tokenizer, "no no no no", longest=2) == "no no"


def test_without_anything_to_do_the_scores_are_handed_on() -> None:
    given = np.zeros((1, 30), dtype=np.float32)
    search: Any = None
    for adjuster in (ForcedPrefix(), RequiredWords()):
        assert (
            adjuster.begin(SearchRequest(np, ((5,),), 9, tokenizer=LETTERS))(given, search) is given
        )


@pytest.mark.parametrize(
    "part",
    [
        ForcedPrefix(text="a"),
        RequiredWords(words=("a",)),
        BannedWords(words=("a",)),
        StopStrings(strings=("a",)),
        Lexical(words=("a",)),
    ],
)
def test_what_looks_at_text_asks_for_a_tokenizer(part: Any) -> None:
    with pytest.raises(ValueError, match=r"looks at text\. Hand the tokenizer to the search"):
        part.begin(SearchRequest(np, ((5,),), 9))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"name": "repetition-penalty", "penalty": 0.9}, r"penalty \(0.9\) must be at least 1"),
        ({"name": "repetition-penalty", "penalty": math.nan}, r"penalty \(nan\) must be"),
        ({"name": "repetition-penalty", "window": -1}, r"window \(-1\) must be 0 or more"),
        ({"name": "minimum-length", "tokens": 0}, r"tokens \(0\) must be at least 1"),
        ({"name": "required-words", "words": [" "]}, r"words \(\[' '\]\) must not hold a blank"),
        ({"name": "stop-strings", "strings": ["a", ""]}, r"strings \(\['a', ''\]\) must not hold"),
    ],
)
def test_options_out_of_range_are_refused(
    registry: Registry, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(PartError, match=told):
        build_part(registry, "adjuster", options, where="in a test")
