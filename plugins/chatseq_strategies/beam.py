"""The strategy `beam`: several beginnings of a reply side by side, the best whole one wins."""

from __future__ import annotations

import math
from collections.abc import Sequence

from chatseq.decoding.arrays import top_continuations
from chatseq.decoding.contracts import Choice, Ended, Hypothesis, SearchRequest, SearchState
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import END_ID
from chatseq_strategies.finished import Kept, LengthForm, Scoring


class Beam:
    """Keep the best few beginnings and return the best replies found (beam search).

    A reply's score is the sum of its log-probabilities divided by its length ** length_penalty, the
    end mark counted. With 1 it is the mean, so that exp(score) is the confidence that is shown;
    with 0 it is the plain sum, which favours short replies. The form `wu` divides by
    ((5 + length) / 6) ** length_penalty instead, and the coverage penalty is added: the logarithm
    of the attention that each token of the question got in all, at most 1 each (Wu et al. 2016,
    section 7 and equation 14).

    The search of a question ends when no beginning can become better than the worst of the
    `n_best` replies kept, whatever follows; so nothing better is ever missed among what the beam
    holds. That is true of every length and coverage penalty. `patience` gives it up for time: the
    search then also ends when `patience * size` replies have ended (Kasai et al. 2022).

    Args:
        size: beginnings that are kept at each step
        length_penalty: 0 or more
        length_form: what the penalty is the exponent of
        coverage_penalty: 0 or more; their paper takes 0.2. Useful with attention only
        patience: above 0; 1 is what most programs do
        n_best: replies returned, the first of them said and the others told as alternatives
    """

    draws = False

    def __init__(
        self,
        *,
        size: int = 5,
        length_penalty: float = 1.0,
        length_form: LengthForm = "power",
        coverage_penalty: float = 0.0,
        patience: float | None = None,
        n_best: int = 3,
    ) -> None:
        if size < 1:
            raise ValueError(f"size ({size}) must be at least 1.")
        if not 1 <= n_best <= size:
            raise ValueError(f"n_best ({n_best}) must be between 1 and size ({size}).")
        if patience is not None and not patience > 0:
            raise ValueError(f"patience ({patience}) must be above 0.")
        self._size, self._n_best = size, n_best
        self._scoring = Scoring(length_penalty, length_form, coverage_penalty)
        self._enough = math.inf if patience is None else patience * size

    def begin(self, task: SearchRequest) -> BeamChooser:
        """Return what chooses for one search."""
        return BeamChooser(
            task, self._scoring, size=self._size, n_best=self._n_best, enough=self._enough
        )


class BeamChooser:
    """A beam search at work; also on scores that others have thinned out.

    Args:
        enough: replies of a question that end its search, however good they are
    """

    def __init__(
        self,
        task: SearchRequest,
        scoring: Scoring,
        *,
        size: int,
        n_best: int,
        enough: float = math.inf,
    ) -> None:
        self._xp, self._size, self._n_best = task.xp, size, n_best
        self._scoring, self._enough = scoring, enough
        # The most that a sum can be divided by: log-probabilities only lower it.
        self._longest = scoring.divisor(task.max_length)
        self._some_kept = False
        self._kept = [Kept(n_best) for _ in task.questions]
        self._lengths = [len(question) for question in task.questions]  # without padding

    def choose(self, scores: Array, search: SearchState) -> Choice:
        """Choose among twice as many candidates as rows, since every row has one that ends it."""
        xp, batch = self._xp, len(search.sources)
        found = top_continuations(xp, scores, search.scores, batch, 2 * self._size)
        questions = xp.arange(batch, device=found.tokens.device)[:, None]
        parents = found.parents + questions * search.width  # (batch, count)
        ends = found.tokens == END_ID
        covered = self._covered(search)
        ended = self._endings(ends[:, : self._size], parents, found.scores, search, covered)
        # Those that go on come first, still best first; there are as many for every question.
        count = min(self._size, ends.shape[-1] - search.width)
        order = xp.argsort(ends, axis=-1, stable=True)[:, :count]
        sums = found.scores[questions, order]
        parents = parents[questions, order].reshape(-1)
        return Choice(
            parents=parents,
            tokens=found.tokens[questions, order].reshape(-1),
            scores=sums.reshape(-1),
            ended=ended,
            done=self._done(sums, search) if self._some_kept else (),
            row_notes=() if covered is None else (covered[parents],),
        )

    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Put whole replies before cut ones, and the higher score first."""
        return self._scoring.ranked(hypotheses)[: self._n_best]

    def _covered(self, search: SearchState) -> Array | None:
        """Return the attention that each token of the question got so far, (rows, source)."""
        if not self._scoring.coverage_penalty:
            return None
        return search.weights + search.row_notes[0] if search.row_notes else search.weights

    def _endings(
        self, ends: Array, parents: Array, sums: Array, search: SearchState, covered: Array | None
    ) -> list[Ended]:
        """Return the replies that end, which must be among the `size` best candidates."""
        if not ends.any():
            return []
        ended = []
        for place, column in zip(*(at.tolist() for at in self._xp.nonzero(ends)), strict=True):
            reply = Ended(int(parents[place, column]), float(sums[place, column]))
            if reply.score > -math.inf:
                shares = [] if covered is None else covered[reply.row].tolist()
                self._keep(search.sources[place], reply.score, search.step + 1, shares)
                ended.append(reply)
        return ended

    def _keep(self, question: int, total: float, length: int, shares: list[float]) -> None:
        shares = shares[: self._lengths[question]]
        self._kept[question].add(self._scoring.score(total, length, shares))
        self._some_kept = True

    def _done(self, sums: Array, search: SearchState) -> list[int]:
        """Return the places of questions whose best beginning cannot beat the worst reply kept."""
        done = []
        for place, score in enumerate(sums[:, 0].tolist()):
            kept = self._kept[search.sources[place]]
            over = score == -math.inf or kept.count >= self._enough
            if over or kept.beats(score / self._longest):
                done.append(place)
        return done
