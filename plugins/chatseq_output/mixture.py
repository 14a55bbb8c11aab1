"""The loss of a token that can come in two ways, without ever holding all logits.

It differs from chatseq.model.loss in that each position learns as far as its token came from the
scores, and no further.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from chatseq.model.precision import single_precision

CHUNK_NUMBERS = 1 << 21  # logits held at once: 8 MB, within the cache that cores share


class Scored(NamedTuple):
    """What the scores of all tokens are made of; the softmax of `hidden · weightᵀ + bias`."""

    hidden: Tensor  # (positions, width)
    weight: Tensor  # (vocab, width)
    bias: Tensor  # (vocab,)


def mixture_loss(
    scored: Scored,
    targets: Tensor,
    log_share: Tensor,
    log_other: Tensor,
    *,
    label_smoothing: float,
    allowed: Tensor,
) -> Tensor:
    """Return the summed -log(share · p(target) + other), in nats, with p the softmax of the scores.

    Label smoothing spreads its part evenly over the allowed tokens, and is scored by p alone.

    Args:
        targets: (positions,), allowed ones only
        log_share: (positions,), how far a token comes from the scores
        log_other: (positions,), the logarithm of how probable the target is otherwise
        allowed: (vocab,) bool; other columns get no probability
    """
    lowest = torch.finfo(scored.bias.dtype).min / 2  # finite: 0 times it is 0
    scored = scored._replace(bias=scored.bias.masked_fill(~allowed, lowest))
    even = allowed.to(scored.bias.dtype) * (label_smoothing / max(1, int(allowed.sum())))
    learning = torch.is_grad_enabled()
    with single_precision(scored.hidden.device):  # half numbers end before it
        total: Tensor = _MixtureLoss.apply(  # type: ignore[no-untyped-call]
            *scored, targets, log_share, log_other, even, label_smoothing, learning
        )
    return total


class _MixtureLoss(torch.autograd.Function):
    """Makes the gradients while it goes forward, so that logits live for one chunk only."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor,
        targets: Tensor,
        log_share: Tensor,
        log_other: Tensor,
        even: Tensor,
        smoothing: float,
        learning: bool,
    ) -> Tensor:
        total = hidden.new_zeros(())
        gradients = [torch.zeros_like(t) for t in (hidden, weight, bias, log_share, log_other)]
        size = max(1, CHUNK_NUMBERS // weight.shape[0])
        for start in range(0, hidden.shape[0], size):
            here = slice(start, start + size)
            wanted = targets[here].unsqueeze(1)
            log_probs = torch.addmm(bias, hidden[here], weight.t()).log_softmax(1)  # (chunk, vocab)
            scored = log_share[here] + log_probs.gather(1, wanted).squeeze(1)
            mixed = torch.logaddexp(scored, log_other[here])
            total -= (1 - smoothing) * mixed.sum() + (log_probs @ even).sum()
            if learning:
                from_scores = (1 - smoothing) * (scored - mixed).exp_()  # (chunk,)
                errors = log_probs.exp_().mul_((from_scores + smoothing).unsqueeze(1)).sub_(even)
                errors.scatter_add_(1, wanted, -from_scores.unsqueeze(1))
                torch.mm(errors, weight, out=gradients[0][here])
                gradients[1].addmm_(errors.t(), hidden[here])
                gradients[2].add_(errors.sum(0))
                gradients[3][here] = -from_scores
                gradients[4][here] = from_scores - (1 - smoothing)
        ctx.save_for_backward(*gradients)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, bias, log_share, log_other = (g * scale for g in ctx.saved_tensors)
        return hidden, weight, bias, None, log_share, log_other, None, None, None
