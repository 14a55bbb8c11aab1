"""What is added to the vector of a question's token: its features, and the turn it belongs to."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

NO_FEATURE = 0  # the row of zeros that stands where a token has no further feature


class TurnEmbedding(nn.Module):
    """Tell of each token how many turns back it was said, and so by whom: speakers alternate."""

    def __init__(self, earlier: int, size: int) -> None:
        """Build.

        Args:
            earlier: turns before the question at most
        """
        super().__init__()
        self.table = nn.Embedding(earlier + 1, size)

    def initialise(self) -> None:
        """Begin as if there were none: what a turn is worth is learnt."""
        with torch.no_grad():
            self.table.weight.zero_()

    def forward(self, turns: Tensor) -> Tensor:
        """Return one vector a token: turns (batch, source) to (batch, source, embedding)."""
        found: Tensor = self.table(turns.clamp(max=self.table.num_embeddings - 1))
        return found


class FeatureEmbedding(nn.Module):
    """Sum up the vectors of each token's hashed features (see chatseq.text.question_encoder)."""

    def __init__(self, buckets: int, size: int) -> None:
        super().__init__()
        self.table = nn.Embedding(buckets, size, padding_idx=NO_FEATURE)

    def initialise(self) -> None:
        """Keep the row that stands for no feature at zero."""
        with torch.no_grad():
            self.table.weight[NO_FEATURE].zero_()

    def forward(self, features: Tensor) -> Tensor:
        """Return one vector a token, (batch, source, embedding).

        The sum is divided by the root of the number of features, which keeps its size alike for
        short and long words.

        Args:
            features: (batch, source, features)
        """
        batch, source, width = features.shape
        count = (features != NO_FEATURE).sum(2, keepdim=True).clamp(min=1)  # (batch, source, 1)
        if torch.onnx.is_in_onnx_export():  # an embedding bag would become a loop
            summed = self.table(features).sum(2)
        else:
            summed = F.embedding_bag(
                features.reshape(batch * source, width),
                self.table.weight,
                mode="sum",
                padding_idx=NO_FEATURE,
            ).view(batch, source, -1)
        mean: Tensor = summed / count.to(summed.dtype).sqrt()
        return mean
