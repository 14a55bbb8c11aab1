"""The output layer `pointer`: generate a token, or copy one from the question."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from chatseq.model.contracts import Readout, Vocabulary
from chatseq.model.precision import exact
from chatseq.text.tokenizer import END_ID
from chatseq_output.mixture import Scored, mixture_loss
from chatseq_output.tied import IMPOSSIBLE, TiedOutput


class Look(NamedTuple):
    """What of the question each position looks at; only real tokens count, not marks or padding."""

    source: Tensor  # (positions, source)
    weights: Tensor  # (positions, source)
    whole: Tensor  # (positions, 1), their sum
    least: float  # the smallest weight that counts: one over it is still a number

    @classmethod
    def of(cls, readout: Readout) -> Look:
        """Take what is looked at out of what an output layer is given."""
        source, weights = readout.source, readout.weights
        assert source is not None  # noqa: S101  (it `copies`)
        real = exact(weights).masked_fill(source <= END_ID, 0.0)
        return cls(source, real, real.sum(1, keepdim=True), torch.finfo(weights.dtype).tiny)

    @property
    def nothing(self) -> Tensor:
        """Where nothing is looked at, (positions, 1)."""
        return self.whole < self.least

    @property
    def first(self) -> Tensor:
        """Where each token of the question comes for the first time, (positions, source)."""
        same = self.source.unsqueeze(2) == self.source.unsqueeze(1)  # (positions, source, source)
        return ~same.tril(-1).any(2)

    def log_shares(self, tokens: Tensor) -> Tensor:
        """Return how far some tokens are looked at, (positions, tokens), as logarithms.

        Those that are not get IMPOSSIBLE.

        Args:
            tokens: (positions, tokens)
        """
        here = tokens.unsqueeze(2) == self.source.unsqueeze(1)  # (positions, tokens, source)
        found = (self.weights.unsqueeze(1) * here).sum(2)
        shares = found.clamp(min=self.least).log() - self.whole.clamp(min=self.least).log()
        return shares.masked_fill(found < self.least, IMPOSSIBLE)


class CopyGate(NamedTuple):
    """The two ways of each position, as logarithms of their probabilities."""

    generate: Tensor  # (positions, 1)
    copy: Tensor  # (positions, 1)


class PointerOutput(nn.Module):
    """Mix what is generated with what the attention looks at (See et al. 2017, equations 8 and 9).

    A gate reads the hidden vector and the token before, and parts the probability between the
    scores of all tokens (those of `tied`) and the tokens of the question, each as far as it is
    looked at. So a name that was never learnt can be answered. Only real tokens are copied, and
    where none is looked at all is generated.

    Tokens are copied, so a name must be cut alike in question and answer. A recipe needs
    `question.fold=false`: a folded question has lost the capitals, which are then guessed. The
    tokenizer `subword` cuts both alike; `phrase` does so outside of its phrases.
    """

    copies = True

    def __init__(self, hidden_size: int, embedding_size: int, attends: bool) -> None:
        super().__init__()
        if not attends:
            raise ValueError(
                "it copies what an attention looks at, and no attention is named. Set "
                "model.attention.name=general, or model.output.name=tied."
            )
        self.generator = TiedOutput(hidden_size, embedding_size, attends)
        self.gate = nn.Linear(hidden_size + embedding_size, 1)

    def forward(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        """Return log-probabilities, (positions, vocab)."""
        look = Look.of(readout)
        gate = self._gate_of(readout, look)
        generated = gate.generate + self.generator(readout, vocabulary)  # (positions, vocab)
        copied = gate.copy + look.log_shares(look.source)  # (positions, source)
        mixed = _log_sum(generated.gather(1, look.source), copied)
        # A token that comes twice has the same sum at both places, but learns from one alone.
        if mixed.requires_grad:
            mixed = torch.where(look.first, mixed, mixed.detach())
        log_probs: Tensor = generated.scatter(1, look.source, mixed)
        return log_probs

    def loss(
        self, readout: Readout, targets: Tensor, vocabulary: Vocabulary, *, label_smoothing: float
    ) -> Tensor:
        """Return the summed cross entropy of the mixture.

        Label smoothing is that of `tied`: its part is scored by what is generated alone.
        """
        look = Look.of(readout)
        gate = self._gate_of(readout, look)
        copied = gate.copy + look.log_shares(targets.unsqueeze(1))  # (positions, 1)
        hidden = self.generator.to_embedding(readout.hidden)
        return mixture_loss(
            Scored(exact(hidden), exact(vocabulary.vectors), exact(vocabulary.bias)),
            targets,
            gate.generate.squeeze(1),
            copied.squeeze(1),
            label_smoothing=label_smoothing,
            allowed=vocabulary.allowed,
        )

    def _gate_of(self, readout: Readout, look: Look) -> CopyGate:
        # A graph would write a logsigmoid as log(sigmoid), which is -inf where a gate is shut.
        gate = exact(self.gate(torch.cat([readout.hidden, readout.embedded], dim=1)))
        return CopyGate(
            -F.softplus(-gate).masked_fill(look.nothing, 0.0),
            -F.softplus(gate).masked_fill(look.nothing, -IMPOSSIBLE),
        )


def _log_sum(one: Tensor, other: Tensor) -> Tensor:
    """Return log(exp(one) + exp(other)) in operators that a graph has."""
    return torch.maximum(one, other) + torch.log1p(torch.exp(-(one - other).abs()))
