"""Scheduled sampling: while learning, some tokens fed in are the model's own instead of the true.

A reply is made of the model's own tokens, whose mistakes it never meets when only true ones are fed
in (Bengio et al. 2015). Sampling step by step would lose the speed of learning all steps at once,
and is not possible for every decoder. So a first pass over the true tokens gives what the model
would have said at each place, and a second one learns from a mix (Mihaylova and Martins 2019,
section 3; Duckworth et al. 2019). No gradient goes through the first pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from chatseq.text.tokenizer import END_ID

Places = tuple[Tensor, ...]  # the row and the target position of each place, (places,) both

_TOGETHER = 512  # places


class ScheduledSampling(NamedTuple):
    """How many tokens are the model's own, and which it takes."""

    share: float = 0.0  # 0..1, of the tokens of an answer
    argmax: bool = False  # the likeliest token; else one drawn from its probabilities


def with_own_tokens(
    answers: Tensor, mask: Tensor, own: ScheduledSampling, predict: Callable[[Places], Tensor]
) -> Tensor:
    """Return the answers with a share of their tokens replaced by what the model says there.

    Where it would end the reply, the true token stays: nothing is ever fed in after an end mark.
    Chance is torch's, so it follows the seed that was set before the step.

    Args:
        answers: (batch, target), ending with the end mark
        mask: (batch, target)
        predict: from places to the log-probabilities there, (places, vocab)
    """
    coins = torch.rand(answers.shape, device=answers.device)
    chosen = (coins < own.share) & mask & (answers != END_ID)
    places = chosen.nonzero(as_tuple=True)
    said = torch.cat([_said(predict(some), own) for some in _parts(places)])
    return answers.index_put(places, torch.where(said == END_ID, answers[places], said))


def _parts(places: Places) -> Iterable[Places]:
    """Part the places, so that not all of their probabilities are held at once."""
    return zip(*(torch.split(axis, _TOGETHER) for axis in places), strict=True)


def _said(log_probs: Tensor, own: ScheduledSampling) -> Tensor:
    if own.argmax:
        return log_probs.argmax(1)
    # The largest after adding Gumbel noise is a draw from the probabilities; unlike a multinomial
    # draw it bears numbers that are not finite, which the step itself then finds and drops.
    noise = torch.empty_like(log_probs).exponential_().log_()
    return (log_probs - noise).argmax(1)
