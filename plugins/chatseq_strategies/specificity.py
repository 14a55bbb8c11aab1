"""The adjuster `specificity`: what would be said to any question becomes less likely."""

from __future__ import annotations

import math
from typing import Any

from chatseq.decoding.answers import Answers
from chatseq.decoding.arrays import log_sums
from chatseq.decoding.contracts import Adjust, SearchRequest, SearchState
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import START_ID, Tokenizer
from chatseq_strategies.bigrams import Bigrams

_MOST = 20_000  # answers that the language model is made of, the most frequent; each takes 40 µs


class Specificity:
    """Prefer what suits the question to what suits every question (Li et al. 2016).

    Their section 4.5.1, MMI-antiLM: a reply is scored by log p(reply | question) - weight * log
    U(reply), where U is a language model of replies that counts the first few tokens alone: they
    decide what is talked about, and later ones would lose their grammar. Here U is a small model of
    pairs of tokens in the answers that the bot was trained on, each as often as it was given.

    Dividing by U also favours what is hardly ever said because it is wrong. So a token gets its
    advantage only where the network itself finds it plausible, which is the constraint of Li,
    Holtzman et al. 2023: at least a share of `plausible` as likely as the likeliest. Others keep
    their score; then all make room for each other, so that scores stay log-probabilities. A bot
    that knows no answers is left alone.

    Args:
        weight: 0 or more; 0 does nothing, 0.5 is moderate
        first: how many tokens of a reply are looked at
        plausible: 0 to 1; 0 is the rule of 2016, which takes rare words too
    """

    def __init__(self, *, weight: float = 0.5, first: int = 5, plausible: float = 0.1) -> None:
        if not 0 <= weight < math.inf:
            raise ValueError(f"weight ({weight}) must be a number from 0 on.")
        if first < 1:
            raise ValueError(f"first ({first}) must be at least 1.")
        if not 0 <= plausible <= 1:
            raise ValueError(f"plausible ({plausible}) must be between 0 and 1.")
        self._weight, self._first = weight, first
        self._margin = math.log(plausible) if plausible else -math.inf
        self._known: tuple[Tokenizer, Answers, Bigrams] | None = None

    def begin(self, task: SearchRequest) -> Adjust:
        """Return what changes scores in one search; the first one builds the language model."""
        xp, usual = task.xp, self._usual(task)
        if usual is None or not self._weight:
            return lambda scores, _: scores

        def adjust(scores: Array, search: SearchState) -> Array:
            if search.step >= self._first:
                return scores
            last = search.tokens[:, -1] if search.step else xp.full_like(search.rows, START_ID)
            return self._turned(xp, scores, usual.log_probs(xp, last))

        return adjust

    def _turned(self, xp: Any, scores: Array, usual: Array) -> Array:
        """Return scores of the same sum, in which what is less usual has more."""
        least = xp.max(scores, axis=-1)[:, None] + self._margin
        changed = xp.where(scores >= least, scores - self._weight * usual, scores)
        # What adjusters before this one took away stays away: beams compare the sums.
        share = log_sums(xp, scores)
        share = xp.where(share > 0, xp.zeros_like(share), share)  # rounded up
        return changed - log_sums(xp, changed) + share

    def _usual(self, task: SearchRequest) -> Bigrams | None:
        tokenizer, answers = task.tokenizer, task.answers
        if tokenizer is None or answers is None or not answers.counted:
            return None
        known = self._known
        if known is None or known[0] is not tokenizer or known[1] is not answers:
            counted = answers.counted[:_MOST]
            spelt = ((tokenizer.encode_answer(text), times) for text, times in counted)
            known = self._known = tokenizer, answers, Bigrams(spelt, tokenizer.size)
        return known[2]
