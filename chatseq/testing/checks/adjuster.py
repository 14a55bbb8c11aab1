"""What every adjuster must keep to; see chatseq.decoding.contracts.Adjuster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from chatseq.decoding.contracts import Adjust, Adjuster, SearchRequest, SearchState
from chatseq.engines.contracts import Array, Engine
from chatseq.testing.check import Context, Make, check, require
from chatseq.testing.checks.searching import (
    ASKED,
    looping_engine,
    random_engine,
    replies,
    searching,
    tokens_of,
)
from chatseq.testing.rounds import Rounds
from chatseq.testing.strategies import PlainStrategy

CLOSE = 1e-5
WIDTHS = (1, 2)  # rows of a question


def arguments() -> Iterator[tuple[()]]:
    """Yield nothing: an adjuster has options only."""
    yield ()


class Step(NamedTuple):
    """What an adjuster was given in a step of a search, and what it gave."""

    task: SearchRequest
    scores: Array
    search: SearchState
    changed: Array


@check()
def it_only_lowers_scores(make: Make, context: Context) -> None:
    """No score rises, unless what it leaves of the others makes room for that."""
    for step in _steps(make()):
        require(step.changed.shape == step.scores.shape, f"scores of {step.changed.shape} come out")
        rises = (step.changed > step.scores + CLOSE).any(axis=1)
        sums = np.exp(step.changed).sum(axis=1)
        what = "a score rises, and the probabilities sum to more than 1"
        require(bool((~rises | (sums < 1 + CLOSE)).all()), what)


@check()
def a_reply_can_always_go_on(make: Make, context: Context) -> None:
    """In every step some token stays possible, and the end mark at the latest in the end."""
    for step in _steps(make()):
        possible = np.isfinite(step.changed).any(axis=1)
        require(bool(possible.all()), f"after {step.search.step} tokens none is possible")
    for found in replies(PlainStrategy(), engine=certain_end(), adjusters=[make()], longest=40):
        require(found[0].ended, "a reply that wants to end cannot, even after 40 tokens")


@check(Rounds.CHOICES)
def scores_are_not_written(make: Make, context: Context) -> None:
    """The scores that it is given stay as they are; what it changes is a copy."""
    for step in _steps(make()):
        before = step.scores.copy()
        given = step.scores.copy()
        make().begin(step.task)(given, step.search)
        require(bool((given == before).all()), "it writes into the scores that it is given")


@check()
def rows_change_nothing_for_each_other(make: Make, context: Context) -> None:
    """A row is adjusted alike whatever other rows and questions stand beside it."""
    for step in _steps(make()):
        if step.search.width > 1:
            places = np.arange(len(step.scores)).reshape(-1, step.search.width)
            turned = places[:, ::-1].reshape(-1)
            search = _reordered(step.search, turned)
            straight = make().begin(step.task)(step.scores.copy(), step.search)
            changed = make().begin(step.task)(step.scores[turned], search)
            _same(changed, straight[turned], "a row is adjusted otherwise in another place")
    together = tokens_of(replies(PlainStrategy(), adjusters=[make()], engine=looping_engine()))
    for asked, found in zip(ASKED, together, strict=True):
        alone = replies(PlainStrategy(), asked, adjusters=[make()], engine=looping_engine())
        same = tokens_of(alone) == [found]
        require(same, f"the question {asked} is adjusted otherwise beside other questions")


@check()
def it_looks_at_the_search_alone(make: Make, context: Context) -> None:
    """What it does follows from what each row holds, not from the steps it has seen before.

    Beams change their places between two steps, and nobody tells an adjuster.
    """
    for step in _steps(make()):
        afresh = make().begin(step.task)(step.scores.copy(), step.search)
        what = f"after {step.search.step} tokens it adjusts otherwise when it begins afresh"
        _same(afresh, step.changed, what)


@check(Rounds.CHOICES)
def one_adjuster_serves_many_searches(make: Make, context: Context) -> None:
    """Two searches that take turns find what each finds alone: the object holds options only."""
    adjuster, seeds = make(), (1, 2)
    searches = [
        searching(PlainStrategy(), adjusters=[adjuster], engine=looping_engine(), seed=seed)
        for seed in seeds
    ]
    going_on = list(searches)
    while going_on:
        going_on = [search for search in going_on if next(search, None) is not None]
    for search, seed in zip(searches, seeds, strict=True):
        found = [search.hypotheses(question) for question in range(len(ASKED))]
        alone = replies(PlainStrategy(), adjusters=[make()], engine=looping_engine(), seed=seed)
        same = tokens_of(found) == tokens_of(alone)
        require(same, "two searches that take turns find otherwise than each alone")


@check()
def torch_gives_what_numpy_gives(make: Make, context: Context) -> None:
    """The scores are the same whichever library the arrays are of."""
    import array_api_compat.torch as xp

    for step in _steps(make()):
        search = replace(
            step.search,
            rows=xp.asarray(step.search.rows),
            tokens=xp.asarray(step.search.tokens),
            scores=xp.asarray(step.search.scores),
            weights=xp.asarray(step.search.weights),
        )
        scores = step.scores.copy()
        on_torch = make().begin(step.task._replace(xp=xp))(xp.asarray(step.scores.copy()), search)
        on_numpy = make().begin(step.task)(scores, step.search)
        _same(np.asarray(on_torch), on_numpy, "the scores on torch are not those on NumPy")


def certain_end() -> Engine:
    """Return an engine that wants to end at once, and says anything else if it may not."""
    return random_engine(end_bonus=30.0)


class _Recorder:
    """An adjuster that keeps what another is given and gives."""

    def __init__(self, adjuster: Adjuster) -> None:
        self.adjuster = adjuster
        self.steps: list[Step] = []

    def begin(self, task: SearchRequest) -> Adjust:
        adjust = self.adjuster.begin(task)

        def recorded(scores: Array, search: SearchState) -> Array:
            kept = replace(search, tokens=search.tokens.copy())
            before = scores.copy()
            changed = adjust(scores, search)
            require(not np.isnan(changed).any(), "a score is NaN")
            self.steps.append(Step(task, before, kept, np.asarray(changed).copy()))
            return changed

        return recorded


def _steps(adjuster: Adjuster) -> list[Step]:
    """Return all steps of some searches, in languages that repeat themselves and that do not."""
    recorder = _Recorder(adjuster)
    for width in WIDTHS:
        for engine in (random_engine(), looping_engine()):
            replies(PlainStrategy(width=width), engine=engine, adjusters=[recorder])
    return recorder.steps


def _reordered(search: SearchState, order: Array) -> SearchState:
    return replace(
        search,
        tokens=search.tokens[order],
        scores=search.scores[order],
        weights=search.weights[order],
    )


def _same(found: Array, wanted: Array, what: str) -> None:
    impossible = np.isneginf(wanted)
    same = (np.isneginf(found) == impossible).all()
    finite = ~impossible
    require(bool(same) and np.allclose(found[finite], wanted[finite], atol=CLOSE), what)
