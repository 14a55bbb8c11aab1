"""The output layer `pointer` learns to copy tokens that it never saw, and `tied` cannot."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe
from chatseq.model.batch import Batch
from chatseq.model.build import build_model
from chatseq.model.seq2seq import Seq2Seq
from chatseq.text.tokenizer import END_ID, START_ID

MARK, REPLY = 3, 4  # what stands in front of the word to copy, in question and answer
FILLERS = (5, 15)
SEEN, UNSEEN = (15, 45), (45, 64)
VOCABULARY, ROWS, LENGTH = 64, 64, 6


def batch(words: tuple[int, int], seed: int) -> Batch:
    """Return questions of random tokens, with a mark and a word somewhere, and `REPLY word`."""
    random = torch.Generator().manual_seed(seed)
    ids = torch.randint(*FILLERS, (ROWS, LENGTH + 1), generator=random)
    at = torch.randint(0, LENGTH - 1, (ROWS, 1), generator=random)
    word = torch.randint(*words, (ROWS, 1), generator=random)
    ids = ids.scatter(1, at, MARK).scatter(1, at + 1, word)
    ids[:, -1] = END_ID
    ends = torch.full_like(word, END_ID)
    answers = torch.cat([torch.full_like(word, REPLY), word, ends], dim=1)
    return Batch(ids, ids >= 0, None, answers, answers >= 0)


def built(registry: Registry, output: str) -> Seq2Seq:
    recipe = load_recipe("tiny").apply(
        [
            "question.features=0",
            "model.dropout=0.0",
            "model.embedding_size=32",
            "model.encoder.hidden_size=32",
            "model.decoder.hidden_size=48",
            f"model.output.name={output}",
        ]
    )
    torch.manual_seed(0)
    return build_model(registry, recipe, VOCABULARY)


def learn(model: Seq2Seq, steps: int) -> None:
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for step in range(steps):
        optimiser.zero_grad()
        total, tokens = model.loss(batch(SEEN, seed=step), label_smoothing=0.05)
        (total / tokens).backward()
        optimiser.step()
    model.eval()


@torch.no_grad()
def said(model: Seq2Seq, asked: Batch) -> Tensor:
    """Return the most probable token after each other, as many as an answer has."""
    memory, state = model.encode(asked.question_ids, asked.question_mask)
    token, found = torch.full((ROWS,), START_ID), []
    for _ in range(asked.answer_ids.shape[1]):
        log_probs, state, _ = model.step(token, state, memory)
        token = log_probs.argmax(1)
        found.append(token)
    return torch.stack(found, dim=1)


def accuracy(model: Seq2Seq, words: tuple[int, int]) -> float:
    asked = batch(words, seed=10_000)
    return float((said(model, asked) == asked.answer_ids).all(1).float().mean())


@pytest.mark.slow("trains networks until they copy")
@pytest.mark.parametrize(("output", "unseen"), [("pointer", (0.95, 1.0)), ("tied", (0.0, 0.05))])
def test_a_pointer_copies_what_it_never_saw_and_tied_does_not(
    registry: Registry, output: str, unseen: tuple[float, float]
) -> None:
    model = built(registry, output)
    learn(model, 150)
    assert accuracy(model, SEEN) > 0.95
    lowest, highest = unseen
    assert lowest <= accuracy(model, UNSEEN) <= highest


@pytest.mark.slow("trains networks until they copy")
def test_a_pointer_looks_at_the_word_when_it_says_it(registry: Registry) -> None:
    model = built(registry, "pointer")
    learn(model, 100)
    asked = batch(UNSEEN, seed=10_000)
    with torch.no_grad():
        memory, state = model.encode(asked.question_ids, asked.question_mask)
        _, state, _ = model.step(torch.full((ROWS,), START_ID), state, memory)
        weights = model.step(torch.full((ROWS,), REPLY), state, memory).weights
    at_word = weights.masked_fill(asked.question_ids < UNSEEN[0], 0.0).sum(1)
    real = weights.masked_fill(asked.question_ids <= END_ID, 0.0).sum(1)
    assert float((at_word / real).mean()) > 0.9


def test_the_loss_of_a_batch_is_that_of_its_steps(registry: Registry) -> None:
    model, asked = built(registry, "pointer").eval(), batch(SEEN, seed=1)
    with torch.no_grad():
        memory, state = model.encode(asked.question_ids, asked.question_mask)
        token, total = torch.full((ROWS,), START_ID), 0.0
        for wanted in asked.answer_ids.t():
            log_probs, state, _ = model.step(token, state, memory)
            total -= float(log_probs.gather(1, wanted.unsqueeze(1)).sum())
            token = wanted
        assert float(model.loss(asked).total) == pytest.approx(total, rel=1e-5)


def test_every_parameter_learns(registry: Registry) -> None:
    model = built(registry, "pointer")
    model.loss(batch(SEEN, seed=1), label_smoothing=0.1).total.backward()
    assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []
