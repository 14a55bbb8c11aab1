"""Each check of adjusters finds the adjuster that breaks just this, and no other check does."""

from __future__ import annotations

import math
from typing import Any

import pytest
from mutants import assert_found, assert_proved, found_by, mutant

from chatseq.decoding.contracts import Adjust, SearchRequest, SearchState
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID

A = FIRST_FREE_ID + 1


def banned(task: SearchRequest, scores: Array, row: Any, token: int) -> Array:
    """Return a copy in which a token is impossible."""
    changed = task.xp.asarray(scores, copy=True)
    changed[row, token] = -math.inf
    return changed


class Honest:
    """Never says the same letter three times in a row."""

    def begin(self, task: SearchRequest) -> Adjust:
        def adjust(scores: Array, search: SearchState) -> Array:
            changed = scores
            for row, tokens in enumerate(search.tokens.tolist()):
                if len(tokens) > 1 and tokens[-1] == tokens[-2]:
                    changed = banned(task, changed, row, tokens[-1])
            return changed

        return adjust


class Raises:
    def begin(self, task: SearchRequest) -> Adjust:
        def adjust(scores: Array, search: SearchState) -> Array:
            changed = task.xp.asarray(scores, copy=True)
            changed[:, A] = changed[:, A] + 2.0
            return changed

        return adjust


class NeverEnds:
    def begin(self, task: SearchRequest) -> Adjust:
        return lambda scores, search: banned(task, scores, slice(None), END_ID)


class WritesScores:
    def begin(self, task: SearchRequest) -> Adjust:
        def adjust(scores: Array, search: SearchState) -> Array:
            scores[:, A] = -math.inf
            return scores

        return adjust


class MindsTheFirstRow:
    def begin(self, task: SearchRequest) -> Adjust:
        return lambda scores, search: banned(task, scores, 0, A)


class CountsItsCalls:
    def begin(self, task: SearchRequest) -> Adjust:
        calls = [0]

        def adjust(scores: Array, search: SearchState) -> Array:
            calls[0] += 1
            return banned(task, scores, slice(None), A) if calls[0] > 2 else scores

        return adjust


class KeepsItsTask:
    def begin(self, task: SearchRequest) -> Adjust:
        self.task = task

        def adjust(scores: Array, search: SearchState) -> Array:
            return banned(self.task, scores, slice(None), FIRST_FREE_ID + self.task.seed)

        return adjust


class IsOtherOnTorch:
    def begin(self, task: SearchRequest) -> Adjust:
        on_torch = "torch" in task.xp.__name__
        token = FIRST_FREE_ID if on_torch else A
        return lambda scores, search: banned(task, scores, slice(None), token)


MUTANTS = {
    "it only lowers scores": mutant(Raises, "probabilities sum to more than 1"),
    "a reply can always go on": mutant(NeverEnds, "a reply that wants to end cannot"),
    "scores are not written": mutant(WritesScores, "it writes into the scores"),
    "rows change nothing for each other": mutant(MindsTheFirstRow, "in another place"),
    "it looks at the search alone": mutant(CountsItsCalls, "otherwise when it begins afresh"),
    "one adjuster serves many searches": mutant(KeepsItsTask, "than each alone"),
    "torch gives what numpy gives": mutant(IsOtherOnTorch, "not those on NumPy"),
}


def test_every_check_has_its_mutant() -> None:
    assert_proved("adjuster", MUTANTS)


def test_an_honest_adjuster_breaks_nothing() -> None:
    assert found_by("adjuster", Honest) == {}


@pytest.mark.parametrize("check", MUTANTS)
def test_a_check_finds_its_mutant_and_is_alone(check: str) -> None:
    assert_found("adjuster", check, MUTANTS[check])


# Further ways to be wrong, of which several checks may tell.


class LeavesNothing:
    """Forbids everything after three tokens."""

    def begin(self, task: SearchRequest) -> Adjust:
        return lambda scores, search: scores - math.inf if search.step == 3 else scores


class TakesTheBatchTogether:
    """Forbids what any question's reply holds."""

    def begin(self, task: SearchRequest) -> Adjust:
        def adjust(scores: Array, search: SearchState) -> Array:
            changed = scores
            for token in {token for row in search.tokens.tolist() for token in row}:
                changed = banned(task, changed, slice(None), token)
            return changed

        return adjust


class GivesNoNumbers:
    """Divides by nothing."""

    def begin(self, task: SearchRequest) -> Adjust:
        return lambda scores, search: scores * math.nan


@pytest.mark.parametrize(
    ("wrong", "check", "told"),
    [
        (LeavesNothing, "a reply can always go on", "after 3 tokens none is possible"),
        (TakesTheBatchTogether, "rows change nothing for each other", "beside other questions"),
        (GivesNoNumbers, "it only lowers scores", "a score is NaN"),
    ],
)
def test_another_fault_is_found(wrong: type, check: str, told: str) -> None:
    assert told in found_by("adjuster", wrong)[check]
