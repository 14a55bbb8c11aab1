"""The strategy `sample`: replies drawn at random, as likely as the model finds them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from chatseq.decoding.contracts import Choice, Ended, Hypothesis, SearchRequest, SearchState
from chatseq.decoding.draws import Draws
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import END_ID
from chatseq_strategies.finished import Scoring
from chatseq_strategies.truncation import Truncation

Rank = Callable[[Sequence[Hypothesis]], list[Hypothesis]]


class Sample:
    """Draw each token at random; with several samples, the likeliest of them is said.

    First the temperature, then each rule that is switched on, in the order below, on what the rule
    before it left. The same seed and question give the same reply, alone or in a batch, with NumPy
    or torch. Replies are ranked by the mean of their log-probabilities before temperature and
    rules, and told once however often they were drawn.

    Args:
        temperature: below 1 surer than the model, above 1 bolder
        top_k: only so many of the likeliest tokens (Fan et al. 2018); 0: all
        top_p: only the fewest likely tokens with this mass (Holtzman et al. 2020); 1: all
        min_p: only tokens with at least this share of the likeliest one's probability (Nguyen et
            al. 2024), 0.05 to 0.1; 0: all
        typical_p: only this mass of tokens as surprising as expected (Meister et al. 2022), 0.2 to
            0.95; 1: all
        eta: only tokens above a floor that sinks where the model is unsure (Hewitt et al. 2022),
            around 0.001; 0: all
        samples: replies drawn for a question
    """

    draws = True

    def __init__(
        self,
        *,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 0.9,
        min_p: float = 0.0,
        typical_p: float = 1.0,
        eta: float = 0.0,
        samples: int = 1,
    ) -> None:
        if samples < 1:
            raise ValueError(f"samples ({samples}) must be at least 1.")
        self._samples = samples
        self._truncation = Truncation(
            temperature, top_k=top_k, top_p=top_p, min_p=min_p, typical_p=typical_p, eta=eta
        )

    def begin(self, task: SearchRequest) -> Sampler:
        """Return what chooses for one search."""
        return Sampler(task, self._truncation, self._samples, by_probability)


class Sampler:
    """Draws several replies a question side by side; row j of each is its sample j."""

    def __init__(
        self, task: SearchRequest, truncation: Truncation, samples: int, rank: Rank
    ) -> None:
        self._xp, self._truncation, self._samples = task.xp, truncation, samples
        self._draws, self._rank = Draws(task, samples), rank

    def choose(self, scores: Array, search: SearchState) -> Choice:
        """Draw a token for each row; one that ends leaves a dead row behind."""
        xp, parents = self._xp, None
        rows, sums, shares = search.rows, search.scores, self._truncation(xp, scores)
        if search.width < self._samples:  # before the first token
            rows = parents = xp.repeat(rows, self._samples)
            sums, shares = sums[rows], shares[rows]
        tokens = self._drawn(shares, search)
        sums = sums + scores[rows, tokens]
        ends = (tokens == END_ID) & (sums > -math.inf)
        if not ends.any():
            return Choice(parents, tokens, sums)
        places = [place for place, end in enumerate(ends.tolist()) if end]
        ended = [Ended(int(rows[place]), float(sums[place])) for place in places]
        sums = xp.where(ends, xp.full_like(sums, -math.inf), sums)
        return Choice(parents, tokens, sums, ended, self._done(sums))

    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Rank as the strategy does."""
        return self._rank(hypotheses)

    def _drawn(self, shares: Array, search: SearchState) -> Array:
        """Return the token of each row below whose share of the whole the number falls."""
        xp = self._xp
        sums = xp.exp(shares).cumsum(-1)  # (rows, vocab)
        wanted = self._draws.at(search, shares) * sums[:, -1]
        tokens = xp.sum(sums <= wanted[:, None], axis=-1)
        dead = sums[:, -1] == 0  # nothing can be drawn there, and nothing that is matters
        return xp.where(dead, xp.full_like(tokens, END_ID), tokens)

    def _done(self, sums: Array) -> list[int]:
        over = (sums.reshape(-1, self._samples) == -math.inf).all(-1)
        return [place for place, all_ended in enumerate(over.tolist()) if all_ended]


def by_probability(hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
    """Put whole replies before cut ones and likely ones before others; tell each once."""
    distinct: dict[tuple[int, ...], Hypothesis] = {}
    for reply in Scoring(length_penalty=1.0).ranked(hypotheses):
        distinct.setdefault(reply.tokens, reply)
    return list(distinct.values())
