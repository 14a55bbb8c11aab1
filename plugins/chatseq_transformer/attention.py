"""Self-attention over all positions, or over those so far, kept from step to step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from chatseq_transformer.positions import Rotation, rotated


class SelfAttention(nn.Module):
    """Let every position look at the others, in several heads (Vaswani et al. 2017, section 3.2).

    The keys and values of a step never change once made, so they can be kept: `past` holds those of
    the steps before, (rows, 2 x heads, steps, head), keys in the first half of its heads.
    """

    def __init__(self, hidden_size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.head_size = hidden_size // heads
        # Queries, keys and values at once. A matrix so high begins with smaller weights than three
        # would, which learns as fast (tatoeba_fra_eng, 500 steps).
        self.project = nn.Linear(hidden_size, 3 * hidden_size)
        self.join = nn.Linear(hidden_size, hidden_size)

    def nothing_yet(self, like: Tensor) -> Tensor:
        """Return the keys and values of no step, for as many rows as a tensor has."""
        return like.new_zeros(like.shape[0], 2 * self.heads, 0, self.head_size)

    def forward(
        self,
        states: Tensor,
        past: Tensor | None,
        rotation: Rotation | None,
        unseen: Tensor | None,
        steps: int,
    ) -> tuple[Tensor, Tensor]:
        """Attend, and return the keys and values up to here as well.

        Args:
            states: (rows, steps, hidden)
            unseen: added to the scores: 0 or very low, (..., steps, all steps)
            steps: of the states; a plain number makes a graph for so many steps that is cheaper
        """
        heads = self.heads
        projected = self.project(states)  # (rows, steps, 3 x hidden)
        parts = projected.reshape(-1, steps, 3 * heads, self.head_size)
        if rotation is not None:
            turned = rotated(parts[:, :, : 2 * heads], rotation)
            parts = torch.cat([turned, parts[:, :, 2 * heads :]], dim=2)
        parts = parts.transpose(1, 2)  # (rows, 3 x heads, steps, head)
        queries, keys_values = parts[:, :heads], parts[:, heads:]
        if past is not None:
            keys_values = torch.cat(
                [past, keys_values], dim=2
            )  # (rows, 2 x heads, all steps, head)
        found = attend(queries, keys_values[:, :heads], keys_values[:, heads:], unseen)
        found = found.transpose(1, 2).reshape(-1, steps, heads * self.head_size)
        return self.join(found), keys_values


def attend(queries: Tensor, keys: Tensor, values: Tensor, unseen: Tensor | None) -> Tensor:
    """Return the values that each query finds (Vaswani et al. 2017, equation 1).

    Args:
        queries: (rows, heads, steps, head)
        keys: (rows, heads, all steps, head)
        unseen: added to the scores, broadcast over them
    """
    scores: Tensor = queries @ keys.transpose(2, 3) * int(keys.shape[3]) ** -0.5
    if unseen is not None:
        scores = scores + unseen
    return scores.softmax(-1) @ values


def unseen_padding(states: Tensor, mask: Tensor) -> Tensor:
    """Return what hides padding when it is added to scores, (batch, 1, 1, source)."""
    unseen = states.new_zeros(()).expand(mask.shape).masked_fill(~mask, _lowest(states))
    return unseen.unsqueeze(1).unsqueeze(1)


def unseen_future(states: Tensor, past: int, steps: int) -> Tensor:
    """Return what hides later steps when it is added to scores, (steps, past + steps)."""
    return states.new_full((steps, past + steps), _lowest(states)).triu(past + 1)


def _lowest(states: Tensor) -> float:
    # Half of the lowest number, for a score is added; and never -inf: a row of only that is NaN.
    return torch.finfo(states.dtype).min / 2
