"""The network: an embedding, an encoder, a decoder and an output layer, joined.

It knows none of them by name. Questions and answers share one embedding, which is lent to the
output layer as well.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from chatseq.model.batch import Batch
from chatseq.model.contracts import Decoder, Encoder, Memory, Output, Readout, Vocabulary
from chatseq.model.dropout import variational_dropout
from chatseq.model.embedding import FeatureEmbedding, TurnEmbedding
from chatseq.model.loss import Loss, consistency_loss, coverage_loss
from chatseq.model.scheduled_sampling import Places, ScheduledSampling, with_own_tokens
from chatseq.text.tokenizer import END_ID, START_ID

MULTIPLE = 64  # rows of the output matrix: products of 8001 columns take 1.7 times those of 8000


class Encoded(NamedTuple):
    """Questions that were read, and the state before the first token of their answers."""

    memory: tuple[Tensor, ...]  # (batch, ...) each, what belongs to the source
    state: tuple[Tensor, ...]  # (batch, ...) each


class StepOutput(NamedTuple):
    """One step of every row."""

    log_probs: Tensor  # (rows, vocab)
    state: tuple[Tensor, ...]  # (rows, ...) each
    weights: Tensor  # (rows, source)


class Seq2Seq(nn.Module):
    """Reads questions and gives probabilities of answers."""

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        output: Output,
        *,
        vocabulary_size: int,
        embedding_size: int,
        dropout: float = 0.0,
        feature_buckets: int = 0,
        earlier_turns: int = 0,
    ) -> None:
        """Join the parts.

        Args:
            vocabulary_size: ids of the tokenizer
            dropout: share of numbers left out of embeddings, of the encoder's memory, and in front
                of the output layer while learning
            feature_buckets: rows of the table of question features; 0: there are none
            earlier_turns: turns before a question that have vectors of their own; 0: none has
        """
        super().__init__()
        rows = -(-vocabulary_size // MULTIPLE) * MULTIPLE
        self.vocabulary_size = vocabulary_size
        self.dropout = dropout
        self.embedding = nn.Embedding(rows, embedding_size)
        self.features = (
            FeatureEmbedding(feature_buckets, embedding_size) if feature_buckets else None
        )
        self.turns = TurnEmbedding(earlier_turns, embedding_size) if earlier_turns else None
        self.encoder = encoder
        self.decoder = decoder
        self.output = output
        self.bias = nn.Parameter(torch.zeros(rows))
        ids = torch.arange(rows)
        allowed = (ids >= END_ID) & (ids < vocabulary_size)
        self.register_buffer("allowed", allowed, persistent=False)
        self.allowed: Tensor

    def forward(
        self,
        batch: Batch,
        label_smoothing: float,
        coverage: float,
        consistency: float,
        own: ScheduledSampling | None,
    ) -> Loss:
        """Return the loss of a batch; see `loss`."""
        if consistency:
            batch = batch.twice()
        started = self.encode(batch.question_ids, batch.question_mask, batch.question_features)
        fed = batch.answer_ids
        if own is not None and own.share:
            fed = self._with_own_tokens(started, batch, own)
        answered = self._answered(started, fed)
        real = batch.answer_mask
        readout = _at(answered, real)
        total = self.output.loss(
            readout, batch.answer_ids[real], self._vocabulary(), label_smoothing=label_smoothing
        )
        if coverage:
            total = total + coverage * coverage_loss(answered.weights, real)
        tokens = readout.hidden.shape[0]
        if consistency:
            apart = consistency_loss(self.output(readout, self._vocabulary()))
            total, tokens = total / 2 + consistency * apart, tokens // 2
        return Loss(total, tokens)

    @property
    def device(self) -> torch.device:
        """Where the network is; batches are brought there."""
        return self.bias.device

    def loss(
        self,
        batch: Batch,
        *,
        label_smoothing: float = 0.0,
        coverage: float = 0.0,
        consistency: float = 0.0,
        own: ScheduledSampling | None = None,
    ) -> Loss:
        """Return the summed cross entropy of the answers, given the questions, and their tokens.

        The answer's own tokens are fed in (teacher forcing), all steps at once. The batch may be on
        any device.

        Args:
            coverage: weight of the loss for looking at the same tokens again
            consistency: weight of the loss for answering a question differently when other numbers
                are dropped out; it is read twice for that
            own: feed in some tokens of the model's own; None: none
        """
        here = batch.to(self.device)
        found: Loss = self(here, label_smoothing, coverage, consistency, own)
        return found

    @torch.no_grad()
    def _with_own_tokens(self, started: Encoded, batch: Batch, own: ScheduledSampling) -> Tensor:
        """Return the answers, some of their tokens as the model says them, (batch, target)."""
        answered, vocabulary = self._answered(started, batch.answer_ids), self._vocabulary()

        def predict(places: Places) -> Tensor:
            return self.output(_at(answered, places), vocabulary)

        mixed = with_own_tokens(batch.answer_ids, batch.answer_mask, own, predict)
        # Mixed precision keeps the weights that were rounded here, where no gradient reaches them.
        torch.clear_autocast_cache()
        return mixed

    def _answered(self, started: Encoded, answer_ids: Tensor) -> Readout:
        """Feed in whole answers and return what came of it, (batch, target, ...) each."""
        embedded = self._dropped(self._embedded(_shifted(answer_ids)))
        copied, memory = self._parted(started.memory)
        decoded = self.decoder(embedded, started.state, memory)  # (batch, target, output)
        source = None if copied is None else _for_positions(copied, decoded.weights)
        return Readout(self._dropped(decoded.hidden), embedded, decoded.weights, source)

    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self.embedding.weight, self.bias, self.allowed)

    def encode(self, ids: Tensor, mask: Tensor, features: Tensor | None = None) -> Encoded:
        """Read questions.

        Args:
            ids: (batch, source)
            mask: (batch, source)
            features: (batch, source, features), where the model was built with features
        """
        embedded = self._embedded(ids)  # (batch, source, embedding)
        if self.features is not None:
            if features is None:
                raise ValueError("This model reads questions with features; none were given.")
            embedded = embedded + self._scaled(self.features(features))
        turns = turns_back(ids, mask)
        if self.turns is not None:
            embedded = embedded + self._scaled(self.turns(turns))
        memory = self.encoder(self._dropped(embedded), mask, turns)
        if self.training:
            states, summary = self._dropped(memory.states), self._dropped(memory.summary)
            memory = Memory(states, memory.mask, summary)
        prepared, state = tuple(self.decoder.prepare(memory)), self.decoder.start(memory)
        return Encoded((ids, *prepared) if self.output.copies else prepared, state)

    def step(
        self, tokens: Tensor, state: tuple[Tensor, ...], memory: tuple[Tensor, ...]
    ) -> StepOutput:
        """Advance every row by one token.

        Padding and the start mark get a log-probability near -1e9: no reply holds them.

        Args:
            tokens: (rows,), the k rows of a source adjacent
        """
        copied, prepared = self._parted(memory)
        embedded = self._embedded(tokens.unsqueeze(1))
        decoded = self.decoder(embedded, state, prepared)
        size = self.vocabulary_size
        vectors, bias, allowed = self.embedding.weight[:size], self.bias[:size], self.allowed[:size]
        source = None if copied is None else _for_positions(copied, decoded.weights)[:, 0]
        readout = Readout(decoded.hidden[:, 0], embedded[:, 0], decoded.weights[:, 0], source)
        log_probs = self.output(readout, Vocabulary(vectors, bias, allowed))
        return StepOutput(log_probs, decoded.state, readout.weights)

    def _parted(self, memory: tuple[Tensor, ...]) -> tuple[Tensor | None, tuple[Tensor, ...]]:
        """Return the ids of the question, where the output layer copies, and the decoder's part."""
        return (memory[0], memory[1:]) if self.output.copies else (None, memory)

    def _embedded(self, ids: Tensor) -> Tensor:
        return self._scaled(self.embedding(ids))

    def _scaled(self, vectors: Tensor) -> Tensor:
        # Rows are short for the output layer's sake. Numbers near 1, the square root of the width,
        # would saturate the gates from the start; about a third learns faster and ends higher
        # (personality_chat, validation, 5 epochs, two seeds: 78.5 % against 81.8 %).
        scaled: Tensor = vectors * self.embedding.embedding_dim**0.25
        return scaled

    def _dropped(self, numbers: Tensor) -> Tensor:
        return variational_dropout(numbers, self.dropout, training=self.training)


def turns_back(ids: Tensor, mask: Tensor) -> Tensor:
    """Return how many turns back each token was said, (batch, source).

    Each turn of a question with context ends with the end mark; the last of them is the question.
    """
    ends = ((ids == END_ID) & mask).long()
    before = ends.cumsum(1) - ends  # ends left of each token
    return (ends.sum(1, keepdim=True) - 1 - before).clamp(min=0)


def _at(answered: Readout, places: Tensor | Places) -> Readout:
    """Return some positions of whole answers, (positions, ...) each."""
    hidden, embedded, weights, source = answered
    copied = None if source is None else source[places]
    return Readout(hidden[places], embedded[places], weights[places], copied)


def _for_positions(ids: Tensor, weights: Tensor) -> Tensor:
    """Give each position the ids of its question: (batch, source) to (rows, target, source)."""
    rows, target, source = weights.shape
    folded = ids.unsqueeze(1).expand(-1, rows // ids.shape[0] * target, -1)
    return folded.reshape(rows, target, source)


def _shifted(answer_ids: Tensor) -> Tensor:
    """Return what is fed in to predict the answers: the start mark, then all but the last."""
    start = answer_ids.new_full((answer_ids.shape[0], 1), START_ID)
    return torch.cat([start, answer_ids[:, :-1]], dim=1)
