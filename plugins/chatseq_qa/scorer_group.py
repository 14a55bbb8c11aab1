"""The scorers of a bot, asked together about the same candidate answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from chatseq.bots.bot import Bot
from chatseq.bots.contracts import (
    DECLINE,
    NO_CANDIDATE,
    AnswerScores,
    FittedScorer,
    Floats,
    Ints,
    Query,
    Scorer,
)
from chatseq.core.options import build_part, part_table
from chatseq.core.plugins import Registry

ALL_SCORED = 256  # answers at most, of which every one is a candidate
MOST_PROPOSED = 48  # by each scorer, where there are more
_WORTH_THREADS = 8  # questions; of fewer, starting threads takes longer than they save
_USUAL = 16  # the most frequent answers, where nobody proposes any
USUAL_SCORERS = ("network", "linear", "nearest")

# Confidence features that are the ensemble's own.
SHARE, LEAD, OVER_DECLINING = (
    "ensemble: logit of the share",
    "ensemble: lead over the second",
    "ensemble: lead over declining",
)


class ScoredCandidates(NamedTuple):
    """What every scorer says of the candidate answers to some questions."""

    candidates: Ints  # (questions, candidates), see chatseq.bots.contracts.FittedScorer
    scores: Mapping[str, Floats]  # by the name of the scorer, each (questions, candidates)
    features: Mapping[str, Floats]  # by "scorer: feature", each (questions, candidates)

    def rows(self, questions: Sequence[int]) -> ScoredCandidates:
        """Return what is said about some of the questions."""
        at = np.asarray(questions, np.int64)
        return ScoredCandidates(
            self.candidates[at],
            {name: scores[at] for name, scores in self.scores.items()},
            {name: values[at] for name, values in self.features.items()},
        )


@dataclass(frozen=True, slots=True)
class ScorerGroup:
    """The scorers of a bot by their names, in the order of its recipe."""

    scorers: Mapping[str, FittedScorer]
    answers: int  # that the bot knows
    declines: bool  # whether saying nothing is a candidate

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The confidence features of a reply, those of the ensemble first."""
        own = (f"{name}: {each}" for name, one in self.scorers.items() for each in one.features)
        return (SHARE, LEAD, OVER_DECLINING, *own)

    def score(self, queries: Sequence[Query], candidates: Ints | None = None) -> ScoredCandidates:
        """Ask every scorer about some questions, all at once.

        Args:
            candidates: (questions, candidates); None: all answers, or those that are proposed
        """
        if candidates is None:
            candidates = self._candidates(queries)
        features = {}
        told = dict(zip(self.scorers, self._asked(queries, candidates), strict=True))
        for name, scorer in self.scorers.items():
            features.update(
                {f"{name}: {each}": told[name].features[each] for each in scorer.features}
            )
        scores = {name: one.scores for name, one in told.items()}
        return ScoredCandidates(candidates, scores, features)

    def _asked(self, queries: Sequence[Query], candidates: Ints) -> list[AnswerScores]:
        """Ask the scorers, at the same time where that saves any: the network lets others run."""

        def ask(scorer: FittedScorer) -> AnswerScores:
            return scorer.score(queries, candidates)

        if len(queries) < _WORTH_THREADS:
            return list(map(ask, self.scorers.values()))
        with ThreadPoolExecutor(len(self.scorers)) as pool:
            return list(pool.map(ask, self.scorers.values()))

    def _candidates(self, queries: Sequence[Query]) -> Ints:
        declining = [DECLINE] if self.declines else []
        if self.answers <= ALL_SCORED:
            row = np.array([*range(self.answers), *declining], np.int64)
            return np.repeat(row[None], len(queries), axis=0)
        proposals = [one.propose(queries, MOST_PROPOSED) for one in self.scorers.values()]
        rows: list[list[int]] = []
        for each in zip(*proposals, strict=True):
            proposed = list(dict.fromkeys(answer for answers in each for answer in answers))
            rows.append([*(proposed or range(min(_USUAL, self.answers))), *declining])
        found = np.full((len(rows), max(map(len, rows), default=0)), NO_CANDIDATE, np.int64)
        for at, numbers in enumerate(rows):
            found[at, : len(numbers)] = numbers
        return found


def mean_scores(one: ScoredCandidates, other: ScoredCandidates) -> ScoredCandidates:
    """Return the means of what speaks for the same candidates as answers to two questions."""
    return ScoredCandidates(
        one.candidates,
        {name: (scores + other.scores[name]) / 2 for name, scores in one.scores.items()},
        {name: (values + other.features[name]) / 2 for name, values in one.features.items()},
    )


def build_scorers(
    registry: Registry, wanted: Sequence[str | Mapping[str, Any]]
) -> dict[str, Scorer]:
    """Return scorers by name, in order.

    Args:
        wanted: each a name, or a table with a `name` and options

    Raises:
        PartError: there is no such scorer, or an option does not fit.
        ValueError: there is none, or one comes twice.
    """
    tables = list(map(part_table, wanted))
    names = [str(table.get("name", "")) for table in tables]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"scorers ({', '.join(names)}) must be at least one, each once.")
    return {
        name: build_part(registry, "scorer", table, where="in [responder] scorers")
        for name, table in zip(names, tables, strict=True)
    }


def open_scorers(bot: Bot, scorers: Mapping[str, Scorer], *, declines: bool) -> ScorerGroup:
    """Open what each scorer has learnt; those that have nothing to say are left out.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    assert bot.answers is not None  # noqa: S101  (a trained bot has them)
    fitted = {name: scorer.open(bot) for name, scorer in scorers.items()}
    speaking = {name: scorer for name, scorer in fitted.items() if scorer is not None}
    return ScorerGroup(speaking, len(bot.answers.texts), declines)
