"""Every strategy with every adjuster: it ends, streams, and is the same wherever it is run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from selection import thinned

from chatseq.core.options import build_part
from chatseq.core.plugins import discover
from chatseq.decoding.answers import Answers
from chatseq.decoding.contracts import Adjuster, Hypothesis, Strategy
from chatseq.decoding.growing_text import GrowingText, stops_of, text_of
from chatseq.decoding.search import Decoding
from chatseq.engines.contracts import Engine
from chatseq.testing import LetterTokenizer, RandomEngine, ScriptedEngine, questions_of
from chatseq.testing.elsewhere import elsewhere
from chatseq.testing.run import subject_of
from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID

REGISTRY = discover()
LETTERS = LetterTokenizer(" abcdefghij")
LONGEST = 11
ASKED = [(5,), (6, 7), (8, 9, 10), (5, 6)]
ANSWERS = ["a", "ab", "abba", "cab a", "dad", "fad face", "ab ab ab"]

STRATEGIES: dict[str, dict[str, Any]] = {
    name: {} for name in REGISTRY.parts("strategy")
} | {
    "lexical": {"words": ["ab"]},
    "sample": {"samples": 3, "min_p": 0.02},
    "mbr": {"samples": 4},
    "beam": {"coverage_penalty": 0.2},
}  # fmt: skip
OPTIONS: dict[str, dict[str, Any]] = {
    "banned-words": {"words": ["c", "ab a"]},
    "required-words": {"words": ["a", "fad"]},
    "minimum-length": {"tokens": 4},
    "stop-strings": {"strings": ["d", "a b"]},
    "forced-prefix": {"text": "fa"},
    "ngram-block": {"size": 2, "times": 1},
}
ADJUSTERS: dict[str, list[str]] = {
    "none": [],
    **{name: [name] for name in REGISTRY.parts("adjuster")},
    "all": sorted(REGISTRY.parts("adjuster")),
    "all, turned round": sorted(REGISTRY.parts("adjuster"), reverse=True),
}


def part(kind: str, name: str, options: Mapping[str, Any]) -> Any:
    """Build a part, with examples for the options that have no default and are not given."""
    first = subject_of(kind, REGISTRY.find(kind, name).load()).first
    options = {**first, **options}
    return build_part(REGISTRY, kind, {"name": name, **options}, where="in a test")


def strategy_of(name: str) -> Strategy:
    return part("strategy", name, STRATEGIES[name])  # type: ignore[no-any-return]


def adjusters_of(mix: str) -> list[Adjuster]:
    return [part("adjuster", name, OPTIONS.get(name, {})) for name in ADJUSTERS[mix]]


def search(
    strategy: str, mix: str, asked: Sequence[tuple[int, ...]] = ASKED, engine: Engine | None = None
) -> Decoding:
    return Decoding(
        engine or RandomEngine(vocabulary_size=LETTERS.size, end_bonus=1.0),
        questions_of(*asked),
        strategy_of(strategy),
        adjusters_of(mix),
        max_length=LONGEST,
        seed=5,
        tokenizer=LETTERS,
        answers=Answers(lambda: ANSWERS),
    )


def replies(decoding: Decoding, count: int = len(ASKED)) -> list[list[Hypothesis]]:
    for _ in decoding:
        pass
    return [decoding.hypotheses(question) for question in range(count)]


def said(found: Sequence[Sequence[Hypothesis]]) -> list[list[tuple[tuple[int, ...], bool]]]:
    return [[(reply.tokens, reply.ended) for reply in some] for some in found]


EVERY = [(strategy, mix) for strategy in sorted(STRATEGIES) for mix in ADJUSTERS]


@pytest.mark.parametrize(("strategy", "mix"), EVERY)
def test_replies_are_whole_or_cut_and_never_too_long(strategy: str, mix: str) -> None:
    for some in replies(search(strategy, mix)):
        for reply in some:
            length = len(reply.tokens) + reply.ended
            assert length <= LONGEST
            assert all(FIRST_FREE_ID <= token < LETTERS.size for token in reply.tokens)
            # where adjusters leave no reply of the kind that is wanted, what there was is cut
            stuck = strategy in ("known-answers", "lexical") and mix.startswith(
                ("all", "req", "for")
            )
            assert reply.ended or length == LONGEST or stuck
            assert len(reply.log_probs) == length
            assert math.isfinite(reply.score)


@pytest.mark.parametrize(("strategy", "mix"), thinned(EVERY))
def test_a_batch_the_same_seed_and_torch_give_the_same(strategy: str, mix: str) -> None:
    together = replies(search(strategy, mix))
    assert replies(search(strategy, mix)) == together
    for question, some in zip(ASKED, together, strict=True):
        assert said(replies(search(strategy, mix, [question]), 1)) == said([some])
    xp = pytest.importorskip("array_api_compat.torch")
    engine = RandomEngine(vocabulary_size=LETTERS.size, end_bonus=1.0, xp=xp)
    assert said(replies(search(strategy, mix, engine=engine))) == said(together)


@pytest.mark.parametrize("mix", ["none", "all"])
@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_on_another_device_all_arrays_are_made_there(strategy: str, mix: str) -> None:
    xp = pytest.importorskip("array_api_compat.torch")
    with elsewhere() as device:
        engine = RandomEngine(vocabulary_size=LETTERS.size, end_bonus=1.0, xp=xp, device=device)
        found = replies(search(strategy, mix, engine=engine))
    assert said(found) == said(replies(search(strategy, mix)))


@pytest.mark.parametrize(("strategy", "mix"), EVERY)
def test_what_was_streamed_is_always_the_beginning_of_the_text(strategy: str, mix: str) -> None:
    decoding = search(strategy, mix)
    stops = stops_of(adjusters_of(mix))
    growing = [GrowingText(LETTERS.decode, stops) for _ in ASKED]
    for _ in decoding:
        for question, text in enumerate(growing):
            text.grow(decoding.stable_prefix(question))
    for question, text in enumerate(growing):
        best = decoding.hypotheses(question)[0]
        whole = text_of(LETTERS.decode, best.tokens, ended=best.ended, stops=stops)
        assert whole.startswith(text.shown)
        assert not any(stop in whole for stop in stops)


def narrow(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
    """One reply is possible, and after it only the end mark."""
    whole = (*LETTERS.encode("ab"), END_ID)
    return {whole[min(len(reply), 2)]: 1.0}


@pytest.mark.parametrize(("strategy", "mix"), EVERY)
def test_a_language_with_one_reply_leaves_dead_rows_and_still_ends(strategy: str, mix: str) -> None:
    engine = ScriptedEngine(narrow, vocabulary_size=LETTERS.size)
    decoding = search(strategy, mix, [(5,), (6, 7)], engine)
    steps = 0
    for found in decoding:
        steps += 1
        assert not np.isnan(found.scores).any()
    assert steps <= LONGEST
    free = strategy in ("greedy", "beam", "diverse-beam", "sample", "contrastive", "mbr")
    for some in said(replies(decoding, 2)):
        assert some
        if mix == "none" and free:
            assert some == [(tuple(LETTERS.encode("ab")), True)]


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_what_adjusters_promise_is_kept_by_every_strategy(strategy: str) -> None:
    def texts(mix: str) -> list[str]:
        found = replies(search(strategy, mix))
        return [LETTERS.decode(reply.tokens) for some in found for reply in some if reply.ended]

    assert all("ab a" not in text for text in texts("banned-words"))
    assert all("fad" in text.split() for text in texts("required-words"))
    assert all(len(text) >= 4 for text in texts("minimum-length"))
    assert all(text.startswith("fa") for text in texts("forced-prefix"))
    runs = [text[at : at + 2] for text in texts("ngram-block") for at in range(len(text) - 1)]
    assert runs
    for text in texts("ngram-block"):
        own = [text[at : at + 2] for at in range(len(text) - 1)]
        assert len(set(own)) == len(own)


def test_all_that_is_installed_is_mixed() -> None:
    assert {strategy for strategy, _ in EVERY} == set(REGISTRY.parts("strategy"))
    assert {mix for _, mix in EVERY} - {"none", "all", "all, turned round"} == set(
        REGISTRY.parts("adjuster")
    )
    assert {"greedy", "beam", "diverse-beam", "sample", "contrastive", "mbr"} <= set(STRATEGIES)
    assert {"known-answers", "lexical"} <= set(STRATEGIES)
    assert {*OPTIONS, "repetition-penalty", "specificity"} <= set(REGISTRY.parts("adjuster"))
