"""The encoder `hierarchical`: by hand, turn by turn, in any batch, and as a graph."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from chatseq.core.errors import PartError
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe, load_recipe
from chatseq.engines.export import export_graphs
from chatseq.engines.onnx_engine import OnnxEngine
from chatseq.engines.torch_engine import TorchEngine
from chatseq.model.build import build_model
from chatseq.model.contracts import Memory
from chatseq.text.tokenizer import END_ID
from chatseq_hierarchical.encoder import HierarchicalEncoder
from chatseq_hierarchical.layout import layout_of

INPUT, WORD, TURN = 3, 8, 5  # widths
# Three turns, two and one; the last token of the middle row and four of the third are padding.
TURNS = torch.tensor([[2, 2, 1, 1, 1, 0, 0], [1, 1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0]])
LENGTHS = (7, 6, 3)
MASK = torch.arange(7) < torch.tensor(LENGTHS).unsqueeze(1)


@pytest.fixture
def encoder() -> HierarchicalEncoder:
    torch.manual_seed(0)
    return HierarchicalEncoder(INPUT, hidden_size=WORD // 2, turn_size=TURN)


@pytest.fixture
def embedded() -> Tensor:
    return torch.randn(3, 7, INPUT, generator=torch.Generator().manual_seed(1))


# By hand.


def sigmoid(number: float) -> float:
    return 1 / (1 + math.exp(-number))


def gru(inputs: list[float], w: float) -> list[float]:
    """One unit whose weights are all w and whose biases are all w / 10."""
    found, hidden = [], 0.0
    for x in inputs:
        gate = sigmoid(w * x + w * hidden + 2 * w / 10)
        new = math.tanh(w * x + w / 10 + gate * (w * hidden + w / 10))
        hidden = (1 - gate) * new + gate * hidden
        found.append(hidden)
    return found


def turn_vector(states: list[float], w: float) -> float:
    """Where the words ended and their mean, through one tanh unit."""
    return math.tanh(w * states[-1] + w * sum(states) / len(states) + w / 10)


def test_words_are_read_within_turns_and_turns_in_their_order() -> None:
    w = 0.7
    made = HierarchicalEncoder(1, hidden_size=1, bidirectional=False, turn_size=1)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            parameter.fill_(w / 10 if "bias" in name else w)
        memory = made(
            torch.tensor([[[0.5], [-1.0], [2.0], [9.0]], [[0.3], [9.0], [9.0], [9.0]]]),
            torch.tensor([[True, True, True, False], [True, False, False, False]]),
            torch.tensor([[1, 1, 0, 0], [0, 0, 0, 0]]),
        )
    earlier, question, alone = gru([0.5, -1.0], w), gru([2.0], w), gru([0.3], w)
    vectors = [turn_vector(states, w) for states in (earlier, question)]
    first, second = gru(vectors, w)
    (only,) = gru([turn_vector(alone, w)], w)
    two_turns = [earlier[0], first, earlier[1], first, question[0], second, 0, 0]
    one_turn = [alone[0], only, 0, 0, 0, 0, 0, 0]
    assert memory.states.flatten(1).tolist() == [
        pytest.approx(wanted, abs=1e-6) for wanted in (two_turns, one_turn)
    ]
    assert memory.summary.flatten().tolist() == pytest.approx(
        [vectors[1], second, turn_vector(alone, w), only], abs=1e-6
    )


def test_turns_of_all_rows_stand_side_by_side_the_oldest_first() -> None:
    mask = torch.tensor([[True, True, True, True], [True, True, False, False]])
    layout = layout_of(mask, torch.tensor([[1, 0, 0, 0], [0, 0, 0, 0]]))
    yes, no = True, False
    assert layout.mask.tolist() == [[[yes, no, no], [yes] * 3], [[yes, yes, no], [no] * 3]]
    assert layout.tokens[layout.mask].tolist() == [0, 1, 2, 3, 4, 5]
    assert layout.turns.tolist() == [[0, 1, 1, 1], [2, 2, 2, 2]]
    assert layout.places[mask].tolist() == [0, 3, 4, 5, 6, 7]
    assert int(layout.places.max()) < layout.mask.numel()


# What may know of what.


def influence(encoder: HierarchicalEncoder, embedded: Tensor, part: slice) -> Tensor:
    """Return whether a token of the first row changes a part of another one's state: (7, 7)."""
    asked = embedded.clone().requires_grad_()
    states = encoder(asked, MASK, TURNS).states[0, :, part]  # (source, part)
    rows = [torch.autograd.grad(state.sum(), asked, retain_graph=True)[0][0] for state in states]
    return torch.stack([row.abs().sum(1) > 0 for row in rows])  # (state, token)


def test_a_word_is_seen_within_its_own_turn_alone(
    encoder: HierarchicalEncoder, embedded: Tensor
) -> None:
    same = TURNS[0].unsqueeze(1) == TURNS[0].unsqueeze(0)
    assert torch.equal(influence(encoder, embedded, slice(0, WORD)), same)


def test_what_was_said_up_to_a_turn_is_known_and_nothing_of_later_turns(
    encoder: HierarchicalEncoder, embedded: Tensor
) -> None:
    earlier = TURNS[0].unsqueeze(1) <= TURNS[0].unsqueeze(0)  # as many turns back, or more
    assert torch.equal(influence(encoder, embedded, slice(WORD, WORD + TURN)), earlier)


def test_the_summary_is_of_the_question_and_what_was_said_before(
    encoder: HierarchicalEncoder, embedded: Tensor
) -> None:
    memory = encoder(embedded, MASK, TURNS)
    changed = embedded.clone()
    changed[0, 0] += 1.0  # the oldest turn
    other = encoder(changed, MASK, TURNS)
    assert torch.equal(other.summary[0, :WORD], memory.summary[0, :WORD])
    assert not torch.allclose(other.summary[0, WORD:], memory.summary[0, WORD:])
    assert torch.equal(other.summary[1:], memory.summary[1:])
    assert torch.equal(memory.summary[:, WORD:], memory.states[range(3), [5, 4, 0], WORD:])


def test_a_question_alone_is_read_as_by_the_encoder_of_words(
    encoder: HierarchicalEncoder, embedded: Tensor
) -> None:
    memory = encoder(embedded, MASK, torch.zeros_like(TURNS))
    words = encoder.words(embedded, MASK, torch.zeros_like(TURNS))
    torch.testing.assert_close(memory.states[:, :, :WORD], words.states)
    torch.testing.assert_close(memory.summary[:, :WORD], words.summary)


# The contract, with several turns.


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_neither_padding_nor_other_rows_change_a_row(
    embedded: Tensor, layers: int, bidirectional: bool
) -> None:
    torch.manual_seed(0)
    encoder = HierarchicalEncoder(
        INPUT, hidden_size=4, layers=layers, bidirectional=bidirectional, turn_size=TURN
    )
    noisy = embedded.masked_fill(~MASK.unsqueeze(2), 100.0)
    memory = encoder(noisy, MASK, TURNS)
    assert not memory.states[~MASK].any()
    for row, length in enumerate(LENGTHS):
        alone = encoder(*(part[row : row + 1, :length] for part in (embedded, MASK, TURNS)))
        torch.testing.assert_close(alone.states[0], memory.states[row, :length])
        torch.testing.assert_close(alone.summary[0], memory.summary[row])


def test_gradients_reach_every_weight(encoder: HierarchicalEncoder, embedded: Tensor) -> None:
    memory: Memory = encoder(embedded, MASK, TURNS)
    (memory.states * torch.randn_like(memory.states)).sum().backward()
    silent = [name for name, weight in encoder.named_parameters() if not weight.grad.any()]  # type: ignore[union-attr]
    assert silent == []


def test_rows_of_padding_and_turns_without_a_word_are_finite(
    encoder: HierarchicalEncoder, embedded: Tensor
) -> None:
    for mask, turns in (
        (torch.zeros_like(MASK), torch.zeros_like(TURNS)),
        (torch.tensor([[True], [False], [True]]) & MASK, TURNS * MASK),
        (MASK, TURNS * 20),  # turns that nobody said between the others
    ):
        memory = encoder(embedded * 1e4, mask, turns)
        assert memory.states.isfinite().all()
        assert memory.summary.isfinite().all()


# In a model.


def recipe_of(*settings: str) -> Recipe:
    return load_recipe("tiny").apply(
        [
            "model.encoder.name=hierarchical",
            "model.encoder.hidden_size=6",
            "model.encoder.turn_size=4",
            "model.embedding_size=8",
            "model.decoder.hidden_size=12",
            "question.features=0",
            *settings,
        ]
    )


def questions(batch: int, turns: int, longest: int, seed: int) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Return ids and mask of questions of 1 to `turns` turns of 0 to `longest` tokens."""
    random = np.random.default_rng(seed)
    rows = []
    for row in range(batch):
        said = [random.integers(3, 50, random.integers(0, longest + 1)) for _ in range(turns)]
        rows.append([token for turn in said[: turns - row % turns] for token in (*turn, END_ID)])
    ids = np.zeros((batch, max(map(len, rows))), dtype=np.int64)
    for row, tokens in enumerate(rows):
        ids[row, : len(tokens)] = tokens
    return ids, ids > 0


@pytest.mark.parametrize("bidirectional", ["true", "false"])
def test_the_graph_takes_any_number_of_turns(
    registry: Registry, tmp_path: Path, bidirectional: str
) -> None:
    torch.manual_seed(0)
    recipe = recipe_of(f"model.encoder.bidirectional={bidirectional}")
    model = build_model(registry, recipe, 50).eval()
    export_graphs(model, tmp_path)
    graph, exact = OnnxEngine(tmp_path), TorchEngine(model)
    for seed, size in enumerate([(1, 1, 0), (1, 1, 9), (2, 3, 4), (5, 4, 7), (3, 12, 2)]):
        asked = questions(*size, seed)
        found = graph.encode(*asked)
        wanted = exact.encode(*map(exact.array, asked))
        for one, other in zip(
            (*found.memory, *found.state), (*wanted.memory, *wanted.state), strict=True
        ):
            np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_model_of_it_reads_the_turns_off_the_end_marks(registry: Registry) -> None:
    model = build_model(registry, recipe_of(), 50).eval()
    told: list[Tensor] = []
    model.encoder.register_forward_pre_hook(lambda _, given: told.append(given[2]))  # type: ignore[attr-defined]
    ids = torch.tensor([[5, END_ID, 6, 7, END_ID], [5, 6, END_ID, 0, 0]])
    model.encode(ids, ids > 0)
    assert told[0].tolist() == [[1, 1, 0, 0, 0], [0, 0, 0, 0, 0]]


def test_a_width_that_cannot_be_is_refused(registry: Registry) -> None:
    with pytest.raises(PartError, match=r"turn_size \(0\) must be at least 1. Set it to 128 or"):
        build_model(registry, recipe_of("model.encoder.turn_size=0"), 50)
    with pytest.raises(PartError, match=r"hidden_size \(0\) must be at least 1"):
        build_model(registry, recipe_of("model.encoder.hidden_size=0"), 50)
