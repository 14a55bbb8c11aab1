"""The output layer `your-part`."""

from __future__ import annotations

from math import isfinite

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from chatseq.model.contracts import Readout, Vocabulary

IMPOSSIBLE = -1e9  # of what must not be generated; finite, so that sums stay finite


class YourPart(nn.Module):
    """Score each token by the cosine between its embedding and the hidden vector, and its bias.

    A frequent token cannot win by having a long embedding (Nguyen and Chiang 2018).
    """

    copies = False

    def __init__(
        self,
        hidden_size: int,
        embedding_size: int,
        attends: bool,  # noqa: ARG002  (a layer that copies words needs to know)
        *,
        scale: float = 20.0,
    ) -> None:
        """Build.

        Args:
            scale: how far apart scores can lie: a cosine goes from -1 to 1, and is times this
        """
        super().__init__()
        if not (isfinite(scale) and scale > 0):
            raise ValueError(f"scale ({scale}) must be above 0. Set it to 20.")
        self.to_embedding = nn.Linear(hidden_size, embedding_size, bias=False)
        self.scale = scale

    def forward(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        """Return log-probabilities, (positions, vocab).

        Args:
            readout: its `hidden` is (positions, hidden)
        """
        vectors, bias, allowed = vocabulary
        hidden = F.normalize(self.to_embedding(readout.hidden).float(), dim=1, eps=1e-6)
        cosines = hidden @ F.normalize(vectors.float(), dim=1, eps=1e-6).t()
        logits = cosines.float() * self.scale + bias.float()
        return logits.masked_fill(~allowed, IMPOSSIBLE).log_softmax(-1)

    def loss(
        self, readout: Readout, targets: Tensor, vocabulary: Vocabulary, *, label_smoothing: float
    ) -> Tensor:
        """Return the summed cross entropy in nats.

        Args:
            targets: (positions,), allowed ones only
            label_smoothing: share that all allowed tokens get alike
        """
        log_probs = self(readout, vocabulary)
        right = log_probs.gather(1, targets.unsqueeze(1)).sum()
        alike = log_probs.masked_fill(~vocabulary.allowed, 0.0).sum() / vocabulary.allowed.sum()
        loss: Tensor = -(1 - label_smoothing) * right - label_smoothing * alike
        return loss
