"""Less of what suits any question: by hand, over beams, and with what the contract asks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from chatseq.decoding.answers import Answers
from chatseq.decoding.contracts import SearchRequest, SearchState, Strategy
from chatseq.decoding.search import decode
from chatseq.testing import LetterTokenizer, RandomEngine, ScriptedEngine, questions_of
from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID, START_ID, Tokenizer
from chatseq_strategies.beam import Beam
from chatseq_strategies.bigrams import Bigrams
from chatseq_strategies.contrastive import Contrastive
from chatseq_strategies.greedy import Greedy
from chatseq_strategies.known_answers import KnownAnswers
from chatseq_strategies.sample import Sample
from chatseq_strategies.specificity import Specificity

LETTERS = LetterTokenizer("ab")
A, B = LETTERS.encode("ab")
# (start, a) 3, (start, b) 1, (a, b) 3, (b, end) 4; tokens a 3, b 4, end 4, of 11, in 5 ids
KNOWN = (("ab", 3), ("b", 1))
REST = 0.75 * 3 / 11 / 5  # of each id, of what the discounts of 3 tokens leave
ALONE = {A: 2.25 / 11 + REST, B: 3.25 / 11 + REST, END_ID: 3.25 / 11 + REST}
FIRST = {  # after the start mark: 3 of 4 and 1 of 4, and 0.75 * 2 / 4 for all
    A: 2.25 / 4 + 0.375 * ALONE[A],
    B: 0.25 / 4 + 0.375 * ALONE[B],
    END_ID: 0.375 * ALONE[END_ID],
}


@pytest.fixture(params=["numpy", "torch"])
def xp(request: pytest.FixtureRequest) -> Any:
    return np if request.param == "numpy" else pytest.importorskip("array_api_compat.torch")


def bigrams(counted: Sequence[tuple[str, int]] = KNOWN) -> Bigrams:
    return Bigrams(((LETTERS.encode(text), times) for text, times in counted), LETTERS.size)


def probabilities(model: Bigrams, *last: int, xp: Any = np) -> list[list[float]]:
    found = model.log_probs(xp, xp.asarray(np.array(last, dtype=np.int64)))
    return [[math.exp(value) for value in row] for row in found.tolist()]


def adjusted(
    xp: Any,
    adjuster: Specificity,
    rows: Sequence[Sequence[int]],
    shares: Sequence[float],
    *,
    known: Sequence[str | tuple[str, int]] = KNOWN,
    tokenizer: Tokenizer | None = LETTERS,
) -> list[list[float]]:
    """Return the probabilities that are made of the same shares behind each row."""
    search = SearchState(
        sources=[0],
        width=len(rows),
        rows=xp.arange(len(rows)),
        tokens=xp.asarray(np.asarray(rows, dtype=np.int64).reshape(len(rows), -1)),
        scores=xp.zeros(len(rows)),
        state=(),
        weights=None,
        step=len(rows[0]),
    )
    with np.errstate(divide="ignore"):
        scores = xp.asarray(np.log(np.asarray([shares] * len(rows), dtype=np.float32)))
    task = SearchRequest(xp, ((5,),), 20, tokenizer=tokenizer, answers=Answers(lambda: known))
    found = adjuster.begin(task)(scores, search)
    assert bool((found <= 0).all())
    return [[math.exp(score) for score in row] for row in found.tolist()]


def test_the_language_model_by_hand(xp: Any) -> None:
    after_start, after_a, after_end = probabilities(bigrams(), START_ID, A, END_ID, xp=xp)
    assert [after_start[token] for token in FIRST] == pytest.approx(list(FIRST.values()), rel=1e-5)
    assert after_a[B] == pytest.approx(2.25 / 3 + 0.25 * ALONE[B], rel=1e-5)
    assert after_a[A] == pytest.approx(0.25 * ALONE[A], rel=1e-5)
    assert [after_end[token] for token in ALONE] == pytest.approx(list(ALONE.values()), rel=1e-5)


def test_the_language_model_has_a_probability_for_everything() -> None:
    every = probabilities(bigrams(), *range(LETTERS.size))
    assert all(sum(row) == pytest.approx(1.0, rel=1e-5) for row in every)
    assert all(min(row) > 0 for row in every)
    [nothing] = probabilities(bigrams(()), A)
    assert nothing == pytest.approx([0.2] * 5)


def test_specificity_by_hand(xp: Any) -> None:
    model = {A: 0.6, B: 0.3, END_ID: 0.1}
    shares = [0.0, 0.0, model[END_ID], model[A], model[B]]
    wanted = {token: model[token] / FIRST[token] for token in model}
    [row] = adjusted(xp, Specificity(weight=1.0), [()], shares)
    total = sum(wanted.values())
    assert total == pytest.approx(0.6 / 0.654545 + 0.3 / 0.188636 + 0.1 / 0.126136, rel=1e-4)
    assert row == pytest.approx([0, 0, *(wanted[t] / total for t in (END_ID, A, B))], rel=1e-4)
    assert row[B] > row[A]  # most answers begin with a


def test_half_the_weight_takes_the_root(xp: Any) -> None:
    [row] = adjusted(xp, Specificity(weight=0.5), [()], [0, 0, 0, 0.6, 0.4])
    a, b = 0.6 / math.sqrt(FIRST[A]), 0.4 / math.sqrt(FIRST[B])
    assert row[A] == pytest.approx(a / (a + b), rel=1e-4)


def test_each_row_is_turned_by_its_own_last_token(xp: Any) -> None:
    shares = [0, 0, 0, 0.5, 0.5]
    after_a, after_b = adjusted(xp, Specificity(weight=1.0), [(B, A), (A, B)], shares)
    usual = 2.25 / 3 + 0.25 * ALONE[B]
    unusual = 0.25 * ALONE[A]
    assert after_a[B] == pytest.approx(unusual / (usual + unusual), rel=1e-4)
    assert after_b[B] == pytest.approx(ALONE[A] / (ALONE[A] + ALONE[B]), rel=1e-4)


def test_only_the_first_tokens_are_looked_at() -> None:
    shares = [0, 0, 0.1, 0.6, 0.3]
    adjuster = Specificity(first=2)
    assert adjusted(np, adjuster, [(A,)], shares)[0] != pytest.approx(shares, rel=1e-3)
    assert adjusted(np, adjuster, [(A, B)], shares)[0] == pytest.approx(shares)


def test_what_is_not_plausible_gets_no_advantage() -> None:
    shares = [0, 0, 0.3, 0.69, 0.01]  # b is rarer than a hundredth of a; in answers it is rare too
    [kept] = adjusted(np, Specificity(weight=1.0, plausible=0.1), [()], shares)
    [free] = adjusted(np, Specificity(weight=1.0, plausible=0.0), [()], shares)
    assert kept[B] < 0.01
    assert free[B] > 0.01
    a, end = 0.69 / FIRST[A], 0.3 / FIRST[END_ID]
    assert kept[B] == pytest.approx(0.01 / (a + end + 0.01), rel=1e-4)


def test_what_others_took_away_stays_away(xp: Any) -> None:
    for shares in ([0, 0, 0.0, 0.2, 0.1], [0, 0, 0, 0, 1.0], [0, 0, 0, 0, 0]):
        [row] = adjusted(xp, Specificity(), [()], shares)
        assert sum(row) == pytest.approx(sum(shares))
        assert [share > 0 for share in row] == [share > 0 for share in shares]


def test_without_known_answers_or_a_weight_nothing_changes() -> None:
    shares = [0, 0, 0.1, 0.6, 0.3]
    for options in ({"known": ()}, {"known": (" ",)}, {"tokenizer": None}):
        assert adjusted(np, Specificity(), [()], shares, **options)[0] == pytest.approx(shares)
    assert adjusted(np, Specificity(weight=0), [()], shares)[0] == pytest.approx(shares)
    engine = RandomEngine(vocabulary_size=LETTERS.size)
    plain = decode(engine, questions_of((5,)), Greedy(), max_length=5, tokenizer=LETTERS)
    same = decode(
        engine, questions_of((5,)), Greedy(), [Specificity()], max_length=5, tokenizer=LETTERS
    )
    assert same == plain


def test_answers_count_as_often_as_they_were_given() -> None:
    shares = [0, 0, 0, 0.5, 0.5]
    [often] = adjusted(np, Specificity(), [()], shares, known=[("a", 9), ("b", 1)])
    [even] = adjusted(np, Specificity(), [()], shares, known=["a", "b"])
    assert often[A] < 0.4
    assert even[A] == pytest.approx(0.5)


def dull(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
    """To any question "a" is a little likelier than as many b as the question has tokens."""
    if not reply:
        return {A: 0.55, B: 0.45}
    wanted = len(question) if reply[0] == B else 1
    return {reply[0]: 1.0} if len(reply) < wanted else {END_ID: 1.0}


@pytest.mark.parametrize(
    "strategy", [Greedy(), Beam(size=2, n_best=1, length_penalty=0), Contrastive(), Sample()]
)
def test_replies_tell_the_questions_apart(strategy: Strategy) -> None:
    engine = ScriptedEngine(dull, vocabulary_size=LETTERS.size)
    answers = Answers(lambda: [("a", 400), ("bb", 1), ("bbb", 1)])

    def said(*adjusters: Specificity) -> list[str]:
        questions = questions_of((4, 4), (4, 4, 4))
        found = decode(
            engine, questions, strategy, adjusters, max_length=9, tokenizer=LETTERS,
            answers=answers,
        )  # fmt: skip
        return [LETTERS.decode(some[0].tokens) for some in found]

    if not strategy.draws:
        assert said() == ["a", "a"]
    assert said(Specificity(weight=1.0)) == ["bb", "bbb"]


def test_among_known_answers_the_rarer_wins_where_both_suit() -> None:
    def even(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        return {END_ID: 1.0} if reply else {A: 0.52, B: 0.48}

    engine = ScriptedEngine(even, vocabulary_size=LETTERS.size)
    answers = Answers(lambda: [("a", 90), ("b", 10)])
    for adjusters, best in (((), "a"), ((Specificity(),), "b")):
        [found] = decode(
            engine, questions_of((4,)), KnownAnswers(), adjusters, max_length=5,
            tokenizer=LETTERS, answers=answers,
        )  # fmt: skip
        assert sorted(LETTERS.decode(reply.tokens) for reply in found) == ["a", "b"]
        assert LETTERS.decode(found[0].tokens) == best


def test_the_language_model_is_built_once_for_a_bot() -> None:
    class Counting(LetterTokenizer):
        cut = 0

        def encode_answer(self, text: str) -> list[int]:
            Counting.cut += 1
            return self.encode(text)

    tokenizer, adjuster = Counting("ab"), Specificity()
    answers = Answers(lambda: ["a", "b"])
    adjuster.begin(SearchRequest(np, ((5,),), 9))
    assert Counting.cut == 0  # nothing is known, nothing is built
    for _ in range(3):
        adjuster.begin(SearchRequest(np, ((5,),), 9, tokenizer=tokenizer, answers=answers))
    assert Counting.cut == 2
    adjuster.begin(
        SearchRequest(np, ((5,),), 9, tokenizer=tokenizer, answers=Answers(lambda: ["b"]))
    )
    assert Counting.cut == 3  # another bot


def test_at_most_twenty_thousand_answers_are_looked_at() -> None:
    many = [("a", 1)] * 20_000 + [("b", 1)] * 20_000
    [row] = adjusted(
        np, Specificity(weight=1.0, plausible=0), [()], [0, 0, 0, 0.5, 0.5], known=many
    )
    assert row[B] > 0.99


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"weight": -0.1}, r"weight \(-0.1\) must be a number from 0 on\."),
        ({"weight": math.nan}, r"weight \(nan\) must be a number from 0 on\."),
        ({"weight": math.inf}, r"weight \(inf\) must be a number from 0 on\."),
        ({"first": 0}, r"first \(0\) must be at least 1\."),
        ({"plausible": 1.5}, r"plausible \(1.5\) must be between 0 and 1\."),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Specificity(**options)


def test_ids_stand_for_what_this_file_says() -> None:
    assert (A, B, LETTERS.size) == (FIRST_FREE_ID, FIRST_FREE_ID + 1, 5)
