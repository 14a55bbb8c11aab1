"""The encoder `average` against examples worked out with plain numbers."""

from __future__ import annotations

import pytest
import torch

from chatseq.core.errors import PartError
from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe
from chatseq.model.build import build_model
from chatseq.model.contracts import Memory
from chatseq_average.encoder import AverageEncoder

# Three words and one; what stands at padding must not count.
EMBEDDED = torch.tensor(
    [[[1.0, 2.0], [3.0, -2.0], [5.0, 3.0]], [[4.0, 1.0], [9.0, 9.0], [9.0, 9.0]]]
)
MASK = torch.tensor([[True, True, True], [True, False, False]])


def read(encoder: AverageEncoder, mask: torch.Tensor = MASK) -> Memory:
    with torch.no_grad():
        found: Memory = encoder(EMBEDDED, mask, torch.zeros_like(mask).long())
    return found


def test_the_states_are_the_words_and_the_summary_is_their_mean() -> None:
    memory = read(AverageEncoder(2))
    assert memory.states.tolist() == [
        [[1.0, 2.0], [3.0, -2.0], [5.0, 3.0]],
        [[4.0, 1.0], [0.0, 0.0], [0.0, 0.0]],
    ]
    assert memory.summary.tolist() == [[3.0, 1.0], [4.0, 1.0]]
    assert memory.mask is MASK


def test_words_are_mapped_to_another_width_by_a_matrix() -> None:
    encoder = AverageEncoder(2, hidden_size=3)
    with torch.no_grad():
        encoder.map.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]))
        encoder.map.bias.copy_(torch.tensor([0.0, 0.5, 0.0]))
    memory = read(encoder)
    assert memory.states[0].tolist() == [[1.0, 4.5, 3.0], [3.0, -3.5, 1.0], [5.0, 6.5, 8.0]]
    assert memory.summary.tolist() == [[3.0, 2.5, 4.0], [4.0, 2.5, 5.0]]
    assert not memory.states[1, 1:].any()  # the bias does not reach padding


@pytest.mark.parametrize(("given", "width"), [(None, 2), (2, 2), (7, 7)])
def test_the_memory_is_as_wide_as_told(given: int | None, width: int) -> None:
    encoder = AverageEncoder(2, hidden_size=given)
    assert encoder.output_size == width == read(encoder).summary.shape[1]


def test_as_it_is_there_is_nothing_to_learn() -> None:
    assert list(AverageEncoder(2).parameters()) == []
    assert len(list(AverageEncoder(2, hidden_size=2).parameters())) == 2


def test_the_order_of_the_words_is_not_seen() -> None:
    encoder = AverageEncoder(2, hidden_size=4)
    turned = encoder(EMBEDDED.flip(1), torch.ones_like(MASK), MASK.long())
    straight = encoder(EMBEDDED, torch.ones_like(MASK), MASK.long())
    torch.testing.assert_close(turned.summary, straight.summary)
    torch.testing.assert_close(turned.states.flip(1), straight.states)


def test_of_no_word_at_all_nothing_is_known() -> None:
    memory = read(AverageEncoder(2), torch.zeros_like(MASK))
    assert not memory.summary.any()
    assert not memory.states.any()


def test_a_width_that_cannot_be_is_refused(registry: Registry) -> None:
    recipe = load_recipe("tiny").apply(
        ["model.encoder.name=average", "model.encoder.hidden_size=0"]
    )
    with pytest.raises(PartError, match=r"hidden_size \(0\) must be at least 1. Set it to 128."):
        build_model(registry, recipe, 50)
