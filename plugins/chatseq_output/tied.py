"""The output layer `tied`: the embedding again."""

from __future__ import annotations

from torch import Tensor, nn

from chatseq.model.contracts import Readout, Vocabulary
from chatseq.model.loss import output_loss
from chatseq.model.precision import exact

IMPOSSIBLE = -1e9  # the logit of ids that must not be generated; finite, so that sums stay finite


class TiedOutput(nn.Module):
    """Score each token by the product of its embedding and the hidden vector (Press and Wolf 2017).

    Where the decoder is not as wide as the embedding, a matrix comes in between.
    """

    copies = False

    def __init__(self, hidden_size: int, embedding_size: int, attends: bool) -> None:  # noqa: ARG002
        super().__init__()
        self.to_embedding: nn.Module = nn.Identity()
        if hidden_size != embedding_size:  # tying needs equal widths
            self.to_embedding = nn.Linear(hidden_size, embedding_size, bias=False)

    def forward(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        """Return log-probabilities, (positions, vocab)."""
        vectors, bias, allowed = vocabulary
        # A graph gets its own copy of the transposed matrix, which can then become int8.
        products = self.to_embedding(readout.hidden) @ vectors.t()
        logits = exact(products) + exact(bias).masked_fill(~allowed, IMPOSSIBLE)
        return logits.log_softmax(-1)

    def loss(
        self, readout: Readout, targets: Tensor, vocabulary: Vocabulary, *, label_smoothing: float
    ) -> Tensor:
        """Return the summed cross entropy, without ever holding all logits."""
        return output_loss(
            self.to_embedding(readout.hidden),
            vocabulary.vectors,
            vocabulary.bias,
            targets,
            label_smoothing=label_smoothing,
            allowed=vocabulary.allowed,
        )
