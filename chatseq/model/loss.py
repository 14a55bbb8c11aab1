"""Output layer and cross entropy in one, without ever holding all logits.

A batch of 2000 tokens and a vocabulary of 8000 would need 64 MB of logits, twice. Here a chunk of
tokens is multiplied, scored and turned into gradients while its logits are still in the cache.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from chatseq.model.precision import exact, product_dtype, single_precision

_FAINTEST = -30.0  # log-probability; below it no difference counts
CHUNK_NUMBERS = 1 << 21  # logits held at once: 8 MB, within the cache that cores share


class Loss(NamedTuple):
    """The loss of a batch, to be divided by its tokens."""

    total: Tensor  # scalar, the sum over real answer tokens, in nats
    tokens: int  # real answer tokens, the end mark counted


def output_loss(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor,
    targets: Tensor,
    *,
    label_smoothing: float = 0.0,
    allowed: Tensor | None = None,
) -> Tensor:
    """Return the summed cross entropy of `hidden · weightᵀ + bias`.

    Equals `F.cross_entropy(..., label_smoothing=..., reduction="sum")` over the allowed columns. In
    mixed precision the products alone are rounded.

    Args:
        hidden: (tokens, width), real positions only
        weight: (vocab, width)
        bias: (vocab,)
        targets: (tokens,), allowed ones only
        allowed: (vocab,) bool; other columns get no probability. None: all are allowed
    """
    learning, rounded = torch.is_grad_enabled(), product_dtype(hidden)
    with single_precision(hidden.device):
        total: Tensor = _OutputLoss.apply(  # type: ignore[no-untyped-call]
            exact(hidden), weight, bias, targets, label_smoothing, allowed, rounded, learning
        )
    return total


def consistency_loss(log_probs: Tensor) -> Tensor:
    """Return how differently two readings of the same tokens were answered (Liang et al. 2021).

    The mean of the Kullback-Leibler divergences both ways (R-Drop, equation 2), summed over tokens,
    where the readings differ by their dropout alone.

    Args:
        log_probs: (2 x tokens, vocab), the first reading of all tokens, then the second
    """
    one, other = log_probs.clamp(min=_FAINTEST).chunk(2)
    total: Tensor = 0.5 * ((one.exp() - other.exp()) * (one - other)).sum()
    return total


def coverage_loss(weights: Tensor, real: Tensor) -> Tensor:
    """Return how much attention went again to where it had been (See et al. 2017, equation 12).

    The sum over real positions and source tokens of the smaller of a weight and all the weights
    that the token got before.

    Args:
        weights: (batch, target, source)
        real: (batch, target), with padding behind
    """
    before = weights.cumsum(1) - weights  # (batch, target, source)
    return torch.minimum(weights, before).sum(2)[real].sum()


class _OutputLoss(torch.autograd.Function):
    """Makes the gradients while it goes forward, so that logits live for one chunk only."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor,
        targets: Tensor,
        smoothing: float,
        allowed: Tensor | None,
        rounded: torch.dtype,
        learning: bool,
    ) -> Tensor:
        if allowed is not None:
            bias = bias.masked_fill(~allowed, float("-inf"))
        spread = _Spread.over(weight, bias, smoothing, allowed)
        gradients = _Gradients.like(hidden, weight, bias) if learning else None
        total = hidden.new_zeros(())
        rough = weight.to(rounded)
        size = max(1, CHUNK_NUMBERS // weight.shape[0])
        for start in range(0, hidden.shape[0], size):
            chunk, wanted = hidden[start : start + size], targets[start : start + size]
            logits = _logits(chunk, rough, bias)  # (chunk, vocab)
            at_wanted = logits.gather(1, wanted.unsqueeze(1)).squeeze(1)
            highest = logits.amax(1)
            probabilities = torch.softmax(logits, 1)
            # The most probable token has at least 1/vocab, so its logarithm is always safe.
            normaliser = highest - probabilities.amax(1).log()
            total += (normaliser - (1 - smoothing) * at_wanted).sum() - spread.of(chunk)
            if gradients is not None:
                gradients.add(start, chunk, wanted, probabilities, rough, 1 - smoothing)
        if gradients is not None:
            gradients.add_spread(hidden, spread)
            ctx.save_for_backward(*gradients)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, bias = ctx.saved_tensors
        return hidden * scale, weight * scale, bias * scale, *[None] * 5


def _logits(hidden: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return (chunk, vocab) in the precision of the bias; the product in that of the weight."""
    if weight.dtype == bias.dtype:
        return torch.addmm(bias, hidden, weight.t())
    return (hidden.to(weight.dtype) @ weight.t()).to(bias.dtype) + bias


class _Spread(NamedTuple):
    """The share of label smoothing: a sum over the vocabulary, which needs no logits."""

    share: float  # of each allowed token
    allowed: Tensor  # (vocab,) 1 where allowed
    weight: Tensor  # (width,) sum of the allowed rows, times the share
    bias: Tensor  # scalar, the same of the bias

    @classmethod
    def over(
        cls, weight: Tensor, bias: Tensor, smoothing: float, allowed: Tensor | None
    ) -> _Spread:
        if allowed is None:
            allowed = torch.ones_like(bias, dtype=torch.bool)
        share = smoothing / max(1, int(allowed.sum()))
        ones = allowed.to(weight.dtype)
        return cls(share, ones, (ones @ weight) * share, bias[allowed].sum() * share)

    def of(self, chunk: Tensor) -> Tensor:
        """Return the share of the summed logits of these tokens."""
        return (chunk @ self.weight).sum() + self.bias * chunk.shape[0]


class _Gradients(NamedTuple):
    hidden: Tensor  # (tokens, width)
    weight: Tensor  # (vocab, width)
    bias: Tensor  # (vocab,)

    @classmethod
    def like(cls, hidden: Tensor, weight: Tensor, bias: Tensor) -> _Gradients:
        return cls(torch.empty_like(hidden), torch.zeros_like(weight), torch.zeros_like(bias))

    def add(
        self,
        start: int,
        chunk: Tensor,
        wanted: Tensor,
        probabilities: Tensor,
        weight: Tensor,
        certainty: float,
    ) -> None:
        """Add what one chunk gives; the probabilities are overwritten.

        Products are calculated in the precision of the weight.
        """
        at_wanted = wanted.unsqueeze(1)
        less = probabilities.new_full(at_wanted.shape, -certainty)
        errors = probabilities.scatter_add_(1, at_wanted, less)
        self.bias.add_(errors.sum(0))
        rows = self.hidden[start : start + chunk.shape[0]]
        if weight.dtype == self.weight.dtype:
            torch.mm(errors, weight, out=rows)
            self.weight.addmm_(errors.t(), chunk)
        else:
            errors = errors.to(weight.dtype)
            rows.copy_(errors @ weight)
            self.weight.add_(errors.t() @ chunk.to(weight.dtype))

    def add_spread(self, hidden: Tensor, spread: _Spread) -> None:
        """Add what label smoothing takes evenly from every allowed token."""
        self.hidden.sub_(spread.weight)
        self.weight.addr_(spread.allowed, hidden.sum(0), alpha=-spread.share)
        self.bias.sub_(spread.allowed, alpha=spread.share * hidden.shape[0])
