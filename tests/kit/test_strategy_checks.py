"""Each check of strategies finds the strategy that is wrong in this way."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from mutants import assert_found, assert_proved, found_by, mutant

from chatseq.decoding.contracts import Choice, Ended, Hypothesis, SearchRequest, SearchState
from chatseq.engines.contracts import Array
from chatseq.testing.strategies import PlainChooser, PlainStrategy
from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID

State = tuple[Array, ...]


class Spoilt:
    """A strategy without options whose chooser is spoilt."""

    draws = False
    chooser: type[PlainChooser] = PlainChooser
    width = 2

    def begin(self, task: SearchRequest) -> PlainChooser:
        return self.chooser(task, self.width)


def spoilt(chooser: type[PlainChooser], *, width: int = 2, draws: bool = False) -> Any:
    """Return a strategy with a wrong chooser."""
    wrong = {"chooser": chooser, "width": width, "draws": draws}
    return type(chooser.__name__, (Spoilt,), {**wrong, "__doc__": "Be wrong in one way."})


class EndsWithInfinity(PlainChooser):
    def choose(self, scores: Array, search: SearchState) -> Choice:
        choice = super().choose(scores, search)
        return choice._replace(ended=[Ended(each.row, math.inf) for each in choice.ended])


class NeedsThreeTokens(PlainChooser):
    def __init__(self, task: SearchRequest, width: int) -> None:
        super().__init__(task, width)
        self.share = 1 / max(0, task.max_length - 2)


class AvoidsWhatOthersSay(PlainChooser):
    def choose(self, scores: Array, search: SearchState) -> Choice:
        choice = super().choose(scores, search)
        if not search.step:
            return choice
        said = choice.tokens.tolist()
        other = [
            FIRST_FREE_ID + 2 if said.index(token) < row and row >= self.width else token
            for row, token in enumerate(said)
        ]
        return choice._replace(tokens=self.array(other, choice.tokens))


class SaysMarks(PlainChooser):
    def choose(self, scores: Array, search: SearchState) -> Choice:
        choice = super().choose(scores, search)
        tokens = [END_ID if search.step == 3 else t for t in choice.tokens.tolist()]
        return choice._replace(tokens=self.array(tokens, choice.tokens))


class TellsSomethingElse(PlainChooser):
    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        found = super().rank(hypotheses)
        if len(found) < 2 or not found[-1].ended:
            return found
        worst = replace(found[-1], tokens=tuple(t + 2 for t in found[-1].tokens))
        return [*found[:-1], worst]


class InsistsOnAToken(PlainChooser):
    def choose(self, scores: Array, search: SearchState) -> Choice:
        choice = super().choose(scores, search)
        if search.step != 2:
            return choice
        same = [FIRST_FREE_ID + 1] * len(choice.tokens)
        return choice._replace(tokens=self.array(same, choice.tokens))


class RevivesTheDead(PlainChooser):
    def choose(self, scores: Array, search: SearchState) -> Choice:
        choice = super().choose(scores, search)
        live = [max(score, -1e3) for score in choice.scores.tolist()]
        return choice._replace(scores=self.array(live, choice.scores))


class WritesScores(PlainChooser):
    def choose(self, scores: Array, search: SearchState) -> Choice:
        scores[0, 0] = -math.inf
        return super().choose(scores, search)


class TakesBack(PlainChooser):
    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        best, *others = super().rank(hypotheses)
        if best.ended:
            shorter = best.log_probs[1:] if best.tokens else best.log_probs
            best = replace(best, tokens=best.tokens[:-1], log_probs=shorter)
        return [best, *others]


class TellsWholeRepliesAlone(PlainChooser):
    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        longest = max(len(each.tokens) for each in hypotheses)
        whole = [each for each in hypotheses if each.ended or longest == self.task.max_length]
        return super().rank(whole)


class Remembers(PlainStrategy):
    """Counts the steps of all its searches together."""

    steps = 0

    def __init__(self) -> None:
        super().__init__(width=1)

    def begin(self, task: SearchRequest) -> PlainChooser:
        strategy = self

        class Counting(PlainChooser):
            def choose(self, scores: Array, search: SearchState) -> Choice:
                strategy.steps += 1
                choice = super().choose(scores, search)
                if strategy.steps % 2:
                    return choice
                other = [t ^ 1 if t > FIRST_FREE_ID + 1 else t for t in choice.tokens.tolist()]
                return choice._replace(tokens=self.array(other, choice.tokens))

        return Counting(task, self.width)


class TossesOnTorch(PlainChooser):
    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        found = super().rank(hypotheses)
        return found[::-1] if "torch" in self.task.xp.__name__ else found


CERTAIN, RANKS = "what is certain is said", "it ranks what it was given"
WHOLE = "every reply is whole or cut"
ODD_ONLY = "what is impossible is never said"
ALIKE = "a question is answered alike alone and in a batch"
MUTANTS = {
    WHOLE: mutant(spoilt(EndsWithInfinity), "has a score that is not finite"),
    "very short replies are found too": mutant(spoilt(NeedsThreeTokens), "ZeroDivisionError"),
    ALIKE: mutant(spoilt(AvoidsWhatOthersSay), "otherwise beside other questions"),
    "its choices fit the search": mutant(
        spoilt(SaysMarks), "which are marks or none", WHOLE, CERTAIN, ODD_ONLY
    ),
    RANKS: mutant(spoilt(TellsSomethingElse), "which the search did not find"),
    ODD_ONLY: mutant(spoilt(InsistsOnAToken), "made impossible", CERTAIN),
    CERTAIN: mutant(spoilt(RevivesTheDead), "where only"),
    "scores are not written": mutant(spoilt(WritesScores), "read-only"),
    "what stands is not taken back": mutant(
        spoilt(TakesBack, width=1), "(24, 22, 15) stood, and then (24, 22)", RANKS, CERTAIN
    ),
    "a search can stop at any step": mutant(
        spoilt(TellsWholeRepliesAlone), "after 1 steps there is no reply"
    ),
    "one strategy serves many searches": mutant(Remembers, "than each alone", ODD_ONLY, CERTAIN),
    "the same seed gives the same": mutant(
        spoilt(type("Undrawn", (PlainChooser,), {}), draws=True), "no seed changes a reply"
    ),
    "torch gives what numpy gives": mutant(spoilt(TossesOnTorch), "not those on NumPy"),
}  # fmt: skip


def test_every_check_has_its_mutant() -> None:
    assert_proved("strategy", MUTANTS)


def test_an_honest_strategy_breaks_nothing() -> None:
    assert found_by("strategy", PlainStrategy) == {}


@pytest.mark.slow("every check on every mutant; they change only with the kit")
@pytest.mark.parametrize("check", MUTANTS)
def test_a_check_finds_its_mutant(check: str) -> None:
    assert_found("strategy", check, MUTANTS[check])


# Further ways to be wrong, of which several checks may tell.


class TossesUp(PlainChooser):
    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        found = super().rank(hypotheses)
        random.shuffle(found)
        return found


class FollowsTheSeedSilently(PlainChooser):
    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        found = super().rank(hypotheses)
        return found[::-1] if self.task.seed % 2 else found


class GoesOnFromOthers(PlainChooser):
    def choose(self, scores: Array, search: SearchState) -> Choice:
        choice = super().choose(scores, search)
        return choice._replace(parents=self.array([0] * len(choice.tokens), search.rows))


class HasRowsToSpare(PlainChooser):
    def choose(self, scores: Array, search: SearchState) -> Choice:
        choice = super().choose(scores, search)
        assert choice.parents is not None
        return Choice(choice.parents[1:], choice.tokens[1:], choice.scores[1:], choice.ended)


@pytest.mark.parametrize(
    ("chooser", "check", "told"),
    [
        (TossesUp, "the same seed gives the same", "the same seed gives other replies"),
        (FollowsTheSeedSilently, "the same seed gives the same", "`draws` is False"),
        (GoesOnFromOthers, "its choices fit the search", "which is another question's"),
        (HasRowsToSpare, "its choices fit the search", "not equally many for each"),
    ],
)
def test_another_fault_is_found(chooser: type[PlainChooser], check: str, told: str) -> None:
    assert told in found_by("strategy", spoilt(chooser))[check]
