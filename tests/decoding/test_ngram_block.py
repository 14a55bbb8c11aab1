"""The n-gram block: loops stop, what people write goes through, characters stay whole."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import cycle, islice

import numpy as np
import pytest

from chatseq.core.errors import PartError
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.decoding.contracts import SearchRequest, SearchState
from chatseq.decoding.search import decode
from chatseq.testing import ScriptedEngine, questions_of, saying
from chatseq.text.tokenizer import END_ID
from chatseq_strategies.beam import Beam
from chatseq_strategies.greedy import Greedy
from chatseq_strategies.ngram_block import NgramBlock
from chatseq_subword.part import Subword
from chatseq_subword.tokenizer import SubwordTokenizer

A, B, C = 3, 4, 5


def banned(block: NgramBlock, *rows: Sequence[int]) -> list[list[int]]:
    """Return the tokens that are forbidden after each row."""
    tokens = np.asarray(rows)
    search = SearchState(
        sources=[0],
        width=len(rows),
        rows=np.arange(len(rows)),
        tokens=tokens,
        scores=np.zeros(len(rows)),
        state=(),
        weights=None,
        step=tokens.shape[1],
    )
    given = np.zeros((len(rows), 10), dtype=np.float32)
    found = block.begin(SearchRequest(np, ((5,),), 64))(given, search)
    assert not given.any()  # the argument stays as it was
    return [np.flatnonzero(np.isneginf(row)).tolist() for row in found]


def test_the_papers_rule_by_hand() -> None:
    block = NgramBlock(size=3, times=1)
    assert banned(block, [A, B, C, A, B]) == [[C]]
    assert banned(block, [A, B, C, A]) == [[]]
    assert banned(block, [A, B, C, B, A]) == [[]]
    assert banned(block, [A, B, C, A, B, A, A, B]) == [[A, C]]
    assert banned(block, [A, A]) == [[]]
    assert banned(block, [A, A, A]) == [[A]]


def test_each_row_has_its_own_past() -> None:
    block = NgramBlock(size=2, times=1)
    assert banned(block, [A, B, A], [B, C, B], [A, B, C]) == [[B], [C], []]


def test_a_run_may_stand_as_often_as_allowed() -> None:
    assert banned(NgramBlock(size=2, times=2), [A, B, A]) == [[]]
    assert banned(NgramBlock(size=2, times=2), [A, B, A, B, A]) == [[B]]
    assert banned(NgramBlock(size=2, times=2), [A, B, A, C, A]) == [[]]


def test_nothing_forbidden_gives_the_argument_back() -> None:
    given = np.zeros((1, 5), dtype=np.float32)
    search = SearchState(
        [0], 1, np.arange(1), np.asarray([[A, B, C, A, B, C]]), given[0], (), None, 6
    )
    assert NgramBlock().begin(SearchRequest(np, ((5,),), 64))(given, search) is given


def chanting(*turn: int) -> object:
    """A language that says the same for ever, and ends when it may not."""

    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        return {next(islice(cycle(turn), len(reply), None)): 0.9, END_ID: 0.1}

    return language


@pytest.mark.parametrize(("turn", "tokens"), [((A,), 5), ((A, B), 7), ((A, B, C, 6, 7), 13)])
def test_a_loop_stops_early_in_its_third_turn(turn: tuple[int, ...], tokens: int) -> None:
    engine = ScriptedEngine(chanting(*turn), vocabulary_size=8)  # type: ignore[arg-type]
    for strategy in (Greedy(), Beam(size=2, n_best=1)):
        [[reply]] = decode(engine, questions_of((5,)), strategy, [NgramBlock()], max_length=64)
        assert len(reply.tokens) <= tokens
    [[reply]] = decode(engine, questions_of((5,)), Greedy(), [NgramBlock()], max_length=64)
    assert len(reply.tokens) == tokens == 2 * len(turn) + 3


@pytest.fixture(scope="module")
def tokenizer() -> SubwordTokenizer:
    return Subword(vocabulary_size=600).learn(["哈哈哈 好 人山人海 " * 3, "no the cat sat " * 3])


@pytest.mark.parametrize(
    "answer",
    [
        "😀😃😀😃😀😃😀😃😀😃",  # two emoji that share three of four bytes
        "👍👍👍👍👍👍👍👍👍",
        "哈哈哈哈哈",
        "人山人海，人山人海！",
        "no no no no no",
        "the cat sat, the cat sat on the cat",
    ],
)
def test_what_people_write_comes_through_word_for_word(
    tokenizer: SubwordTokenizer, answer: str
) -> None:
    language = saying({(5,): tokenizer.encode(answer)})
    [[reply]] = decode(
        ScriptedEngine(language, vocabulary_size=tokenizer.size),
        questions_of((5,)),
        Greedy(),
        [NgramBlock()],
        max_length=64,
        tokenizer=tokenizer,
    )
    assert tokenizer.decode(reply.tokens) == answer
    assert reply.ended


def test_only_tokens_that_begin_with_a_byte_are_never_forbidden() -> None:
    class Spelling:
        """A tokenizer as far as it is asked."""

        def pieces(self, ids: Sequence[int]) -> list[str]:
            return [{A: "<0x9F>", B: "<0x98><0x80> so", C: "so<0xF0>"}[at] for at in ids]

    tokens = np.asarray([[A, A, A], [B, B, B], [C, C, C]])
    search = SearchState([0], 3, np.arange(3), tokens, np.zeros(3), (), None, 3)
    scores = np.zeros((3, 8), dtype=np.float32)
    task = SearchRequest(np, ((5,),), 64, tokenizer=Spelling())  # type: ignore[arg-type]
    found = NgramBlock(size=2, times=1).begin(task)(scores, search)
    assert [np.flatnonzero(np.isneginf(row)).tolist() for row in found] == [[], [], [C]]


def test_torch_is_blocked_alike() -> None:
    xp = pytest.importorskip("array_api_compat.torch")
    tokens = xp.asarray([[A, B, A, B, A], [A, B, C, A, B]])
    scores = xp.zeros((2, 8))
    search = SearchState([0], 2, xp.arange(2), tokens, scores[:, 0], (), None, 5)
    found = NgramBlock(size=2, times=2).begin(SearchRequest(xp, ((5,),), 64))(scores, search)
    assert (found == -math.inf).nonzero().tolist() == [[0, B]]
    assert not scores.any()


@pytest.mark.parametrize(
    ("options", "told"),
    [({"size": 1}, r"size \(1\) must be at least 2"), ({"times": 0}, r"times \(0\) must be")],
)
def test_options_out_of_range_are_refused(
    registry: Registry, options: dict[str, int], told: str
) -> None:
    with pytest.raises(PartError, match=told):
        build_part(registry, "adjuster", {"name": "ngram-block", **options}, where="in a test")
