"""What every layer is made of: the feed-forward network, and how a sublayer joins the stream."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from chatseq.model.dropout import variational_dropout

NormPlace = Literal["pre", "post"]


class FeedForward(nn.Module):
    """Change each position on its own, in a wider space (Vaswani et al. 2017, section 3.3)."""

    def __init__(self, hidden_size: int, inner_size: int) -> None:
        super().__init__()
        self.widen = nn.Linear(hidden_size, inner_size)
        self.narrow = nn.Linear(inner_size, hidden_size)

    def forward(self, states: Tensor) -> Tensor:
        """Change: (rows, steps, hidden) to the same."""
        changed: Tensor = self.narrow(self.widen(states).relu())
        return changed


class PreNorm(nn.Module):
    """Normalise in front of the sublayer, so that the stream itself is only added to.

    It learns without a long warm-up (Xiong et al. 2020); the stack's end needs a norm of its own.
    """

    def __init__(self, hidden_size: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden_size)
        self.dropout = dropout

    def before(self, states: Tensor) -> Tensor:
        """Return the states normalised."""
        normed: Tensor = self.norm(states)
        return normed

    def after(self, states: Tensor, found: Tensor) -> Tensor:
        """Return the sum."""
        return states + variational_dropout(found, self.dropout, training=self.training)


class PostNorm(nn.Module):
    """Normalise the sum of stream and sublayer (Vaswani et al. 2017, section 3.1)."""

    def __init__(self, hidden_size: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden_size)
        self.dropout = dropout

    def before(self, states: Tensor) -> Tensor:
        """Return the states as they are."""
        return states

    def after(self, states: Tensor, found: Tensor) -> Tensor:
        """Return the sum normalised."""
        normed: Tensor = self.norm(
            states + variational_dropout(found, self.dropout, training=self.training)
        )
        return normed


def make_joint(place: NormPlace, hidden_size: int, dropout: float) -> PreNorm | PostNorm:
    """Return what joins a sublayer to the stream."""
    return (PreNorm if place == "pre" else PostNorm)(hidden_size, dropout)


def make_end(place: NormPlace, hidden_size: int) -> nn.Module:
    """Return what follows the last layer: a norm, unless each layer ends with one."""
    return nn.LayerNorm(hidden_size) if place == "pre" else nn.Identity()
