"""Replies that hold given words: by hand, against all replies there are, and in any company."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from chatseq.core.errors import PartError
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.decoding.contracts import Adjuster, Hypothesis
from chatseq.decoding.search import Decoding, decode
from chatseq.testing import LetterTokenizer, RandomEngine, ScriptedEngine, questions_of
from chatseq.text.tokenizer import END_ID
from chatseq_strategies.banned_words import BannedWords
from chatseq_strategies.beam import Beam
from chatseq_strategies.lexical import Lexical
from chatseq_strategies.words import pattern_of
from chatseq_subword.part import Subword

LETTERS = LetterTokenizer()
ASKED = [(5,), (6, 7), (8, 9, 10), (5, 6)]


def search(
    strategy: Lexical | Beam,
    *asked: tuple[int, ...],
    adjusters: tuple[Adjuster, ...] = (),
    longest: int = 16,
    tokenizer: Any = LETTERS,
    engine: Any = None,
    xp: Any = np,
) -> list[list[Hypothesis]]:
    return decode(
        engine or RandomEngine(vocabulary_size=tokenizer.size, end_bonus=2.0, xp=xp),
        questions_of(*(asked or ASKED)),
        strategy,
        adjusters,
        max_length=longest,
        tokenizer=tokenizer,
    )


def texts(found: list[Hypothesis], tokenizer: Any = LETTERS) -> list[str]:
    return [tokenizer.decode(reply.tokens) for reply in found]


def test_the_word_comes_where_it_costs_least_by_hand() -> None:
    tokenizer = LetterTokenizer("ab ")
    a, b, space = tokenizer.encode("ab ")

    # Free, it would say "a". The word b may come first (.1, then the end .9) or behind a space
    # (.8 * .5 * .3, then the end .9): .09 and .108
    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        table: dict[tuple[int, ...], dict[int, float]] = {
            (): {a: 0.8, b: 0.1, END_ID: 0.1},
            (a,): {space: 0.5, END_ID: 0.5},
            (b,): {a: 0.1, END_ID: 0.9},
            (a, space): {a: 0.7, b: 0.3},
        }
        return table.get(reply, {END_ID: 0.9, a: 0.1})

    engine = ScriptedEngine(language, vocabulary_size=tokenizer.size)
    strategy = Lexical(words=("b",), length_penalty=0.0, n_best=2)
    [found] = search(strategy, (4,), engine=engine, tokenizer=tokenizer)
    assert texts(found, tokenizer) == ["a b", "b"]
    assert [reply.score for reply in found] == pytest.approx([math.log(0.108), math.log(0.09)])


def everything(engine: RandomEngine, letters: LetterTokenizer, longest: int) -> dict[str, float]:
    """Return the sum of log-probabilities of every whole reply."""
    asked = questions_of((5,))
    encoded = engine.encode(asked.ids, asked.mask)
    found: dict[str, float] = {}
    for length in range(longest):
        for tokens in itertools.product(range(3, letters.size), repeat=length):
            total, state = 0.0, encoded.state
            for before, after in itertools.pairwise((1, *tokens, END_ID)):
                stepped = engine.step(engine.array([before]), state, encoded.memory)
                total, state = total + float(stepped.log_probs[0, after]), stepped.state
            found[letters.decode(tokens)] = total
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("words", [("a",), ("b a",), ("a", "b")])
def test_a_beam_wide_enough_finds_the_best_of_all_that_hold_the_words(
    seed: int, words: tuple[str, ...]
) -> None:
    letters = LetterTokenizer("ab ")
    engine = RandomEngine(vocabulary_size=letters.size, seed=seed)
    whole = everything(engine, letters, 6)
    hold = {
        text: total
        for text, total in whole.items()
        if all(pattern_of(word).search(text) for word in words)
    }
    wide = Lexical(words=words, size=400, length_penalty=0.0, n_best=3)
    [found] = search(wide, (5,), engine=engine, tokenizer=letters, longest=6)
    expected = sorted(hold, key=lambda text: -hold[text])[:3]
    assert texts(found, letters) == expected
    assert [reply.score for reply in found] == pytest.approx([hold[text] for text in expected])


@pytest.mark.parametrize("size", [3, 8])
@pytest.mark.parametrize("words", [("cat",), ("dog", "a cat"), ("cat", "dog", "x")])
def test_every_reply_that_ends_holds_all_words(words: tuple[str, ...], size: int) -> None:
    for seed in range(5):
        for bonus in (4.0, -4.0):
            engine = RandomEngine(vocabulary_size=LETTERS.size, seed=seed, end_bonus=bonus)
            found = search(Lexical(words=words, size=size), engine=engine)
            for replies in found:
                assert replies[0].ended
                for reply, text in zip(replies, texts(replies), strict=True):
                    held = all(pattern_of(word).search(text) for word in words)
                    assert held or not reply.ended


@pytest.mark.parametrize("words", [("sat",), ("北京",), ("the cat", "🙂"), ("New York",)])
def test_words_of_any_script_come_in_the_tokens_of_answers(words: tuple[str, ...]) -> None:
    learnt = ["the cat sat on the mat", "我爱北京天安门", "in new york"]
    tokenizer = Subword(vocabulary_size=600).learn(learnt * 4)
    found = search(Lexical(words=words), tokenizer=tokenizer, longest=24)
    for replies in found:
        text = tokenizer.decode(replies[0].tokens)
        assert replies[0].ended
        assert all(pattern_of(word).search(text) for word in words), text


def test_a_reply_that_holds_the_words_anyway_is_found_as_a_beam_finds_it() -> None:
    for seed in range(5):
        engine = RandomEngine(vocabulary_size=LETTERS.size, seed=seed, end_bonus=2.0)
        options = {"size": 8, "length_penalty": 0.0}
        plain = search(Beam(**options), engine=engine)  # type: ignore[arg-type]
        for question, replies in zip(ASKED, plain, strict=True):
            said = texts(replies)[0].split()
            if said:
                strategy = Lexical(words=(said[0],), **options)  # type: ignore[arg-type]
                [found] = search(strategy, question, engine=engine)
                assert found[0].score >= replies[0].score - 1e-5


def test_without_words_it_is_a_plain_beam() -> None:
    assert search(Lexical(size=5)) == search(Beam(size=5))


def test_words_without_room_are_cut_and_the_reply_that_holds_most_is_said() -> None:
    [found] = search(Lexical(words=("cat", "elephant")), (5,), longest=7)
    assert not any(reply.ended for reply in found)
    assert pattern_of("cat").search(texts(found)[0])


def test_a_word_that_an_adjuster_forbids_is_not_said() -> None:
    found = search(Lexical(words=("cat",)), adjusters=(BannedWords(words=("cat",)),))
    for replies in found:
        assert not any(reply.ended for reply in replies)
        assert not any(pattern_of("cat").search(text) for text in texts(replies))


def test_a_batch_and_torch_change_nothing() -> None:
    xp = pytest.importorskip("array_api_compat.torch")
    strategy = Lexical(words=("cat", "a"))
    together, torchs = search(strategy), search(strategy, xp=xp)
    for question, found, other in zip(ASKED, together, torchs, strict=True):
        [alone] = search(strategy, question)
        assert alone == found
        assert texts(other) == texts(found)


def test_it_streams_what_all_beginnings_share() -> None:
    decoding = Decoding(
        RandomEngine(vocabulary_size=LETTERS.size, end_bonus=2.0),
        questions_of((5,)),
        Lexical(words=("cat",)),
        max_length=16,
        tokenizer=LETTERS,
    )
    stood: tuple[int, ...] = ()
    for _ in decoding:
        now = decoding.stable_prefix(0)
        assert now[: len(stood)] == stood
        stood = now
    assert decoding.hypotheses(0)[0].tokens == stood


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"size": 0}, r"size \(0\) must be at least 1"),
        ({"n_best": 9}, r"n_best \(9\) must be between 1 and size \(8\)"),
        ({"length_penalty": -1.0}, r"length_penalty \(-1.0\) must be 0 or more"),
        ({"words": [" "]}, r"words \(\[' '\]\) must not hold a blank"),
    ],
)
def test_options_out_of_range_are_refused(
    registry: Registry, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(PartError, match=told):
        build_part(registry, "strategy", {"name": "lexical", **options}, where="in a test")
