"""Attentions that remember what they attended to, so target steps are made one after the other."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from chatseq.model.contracts import Attended, Memory
from chatseq_attention.additive import AdditiveAttention, recomputed
from chatseq_attention.base import unfold, weighted_sum
from chatseq_attention.normalise import Normaliser, exact


class HistoryAttention(AdditiveAttention):
    """Add a term of the weights so far inside the additive score: tanh(W query + U memory + term).

    The state is the history, (rows, source). What is built on it gives `term` and `after`.
    """

    def term(self, history: Tensor) -> Tensor:
        """Return (rows, source, attention) from a history (rows, source)."""
        raise NotImplementedError

    def after(self, history: Tensor, weights: Tensor) -> Tensor:
        """Return the history after a step; all are (rows, source)."""
        raise NotImplementedError

    def start(self, memory: Memory) -> tuple[Tensor, ...]:
        """Return the history of nothing."""
        return (torch.zeros_like(memory.mask, dtype=exact(memory.states).dtype),)

    def forward(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        """Attend.

        Args:
            query: (rows, target, query)
            prepared: as `prepare` gave it, or the same tensors in a plain tuple
            state: the history, (rows, source)
        """
        states, mask, keys = prepared
        (history,) = state
        queries = self.project_query(query)  # (rows, target, attention)
        numbers = queries.numel() * states.shape[1]  # of all steps together
        real = mask.unsqueeze(1)  # (batch, 1, source), True where a token is
        steps = []
        for step in queries.unbind(1):
            scores = recomputed(self._step_scores, step, history, keys, numbers=numbers)
            steps.append(self.normalise(scores, real))  # (batch, k, source)
            history = self.after(history, steps[-1].flatten(0, 1))
        weights = torch.stack(steps, 2).flatten(1, 2)  # (batch, k x target, source)
        context = weighted_sum(weights, states)  # (batch, k x target, memory)
        return Attended(*unfold(context, weights, query), (history,))

    def _step_scores(self, query: Tensor, history: Tensor, keys: Tensor) -> Tensor:
        batch, source, width = keys.shape
        rows = query.unsqueeze(1) + self.term(history.to(query.dtype))  # (rows, source, attention)
        mixed = torch.tanh(rows.view(batch, -1, source, width) + keys.unsqueeze(1))
        scores: Tensor = self.score(mixed).squeeze(3)  # (batch, k, source)
        return scores


class CoverageAttention(HistoryAttention):
    """Tell the score how much of a token was attended to so far (See et al. 2017, eq. 10 and 11).

    Coverage as in Tu et al. 2016, section 3.1, with the plain sum of earlier weights.
    """

    def __init__(
        self,
        query_size: int,
        memory_size: int,
        *,
        hidden_size: int | None = None,
        normaliser: Normaliser = "softmax",
    ) -> None:
        """Build.

        Args:
            hidden_size: width of the small network; as wide as the query if not given
            normaliser: softmax, or sparsemax or entmax15, which leave tokens out
        """
        super().__init__(query_size, memory_size, hidden_size=hidden_size, normaliser=normaliser)
        self.project_coverage = nn.Linear(1, self.score.in_features, bias=False)

    def term(self, history: Tensor) -> Tensor:
        """Return w · coverage."""
        term: Tensor = self.project_coverage(history.unsqueeze(2))
        return term

    def after(self, history: Tensor, weights: Tensor) -> Tensor:
        """Add the weights to the coverage."""
        return history + weights


class LocationAttention(HistoryAttention):
    """Tell the score what was attended to last around a token (Chorowski et al. 2015, eq. 8, 9)."""

    def __init__(
        self,
        query_size: int,
        memory_size: int,
        *,
        hidden_size: int | None = None,
        filters: int = 10,
        kernel_size: int = 7,
        normaliser: Normaliser = "softmax",
    ) -> None:
        """Build.

        Args:
            hidden_size: width of the small network; as wide as the query if not given
            filters: patterns of earlier weights that are told apart
            kernel_size: tokens that a pattern spans, an odd number
            normaliser: softmax, or sparsemax or entmax15, which leave tokens out
        """
        super().__init__(query_size, memory_size, hidden_size=hidden_size, normaliser=normaliser)
        if filters < 1:
            raise ValueError(f"filters ({filters}) must be at least 1. Set it to 10.")
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(
                f"kernel_size ({kernel_size}) must be odd and at least 1. Set it to "
                f"{max(1, kernel_size + 1)}."
            )
        self.convolve = nn.Conv1d(1, filters, kernel_size, padding=kernel_size // 2, bias=False)
        self.project_location = nn.Linear(filters, self.score.in_features, bias=False)

    def term(self, history: Tensor) -> Tensor:
        """Return U · (F * the last weights)."""
        patterns = self.convolve(history.unsqueeze(1))  # (rows, filters, source)
        term: Tensor = self.project_location(patterns.transpose(1, 2))
        return term

    def after(self, history: Tensor, weights: Tensor) -> Tensor:  # noqa: ARG002
        """Keep the last weights only."""
        return weights
