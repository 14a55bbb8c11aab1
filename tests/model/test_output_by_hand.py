"""The output layer `pointer`: against plain numbers, against `tied`, and where numbers end."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from chatseq.model.contracts import Readout, Vocabulary
from chatseq.text.tokenizer import END_ID, PAD_ID, START_ID
from chatseq_output import mixture
from chatseq_output.pointer import PointerOutput
from chatseq_output.tied import TiedOutput

WIDTH, VOCAB, POSITIONS, SOURCE = 4, 9, 6, 5
IDS = [5, 7, 5, END_ID, PAD_ID]


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def vocabulary(dtype: torch.dtype = torch.float64) -> Vocabulary:
    ids = torch.arange(VOCAB)
    vectors = torch.randn(VOCAB, WIDTH, dtype=dtype, requires_grad=True)
    bias = torch.randn(VOCAB, dtype=dtype, requires_grad=True)
    return Vocabulary(vectors, bias, (ids >= END_ID) & (ids < VOCAB - 1))  # the last fills up


def readout(dtype: torch.dtype = torch.float64) -> Readout:
    """Return positions of one question that look everywhere, padding excepted."""
    scores = torch.randn(POSITIONS, SOURCE, dtype=dtype)
    scores[:, -1] = float("-inf")
    return Readout(
        torch.randn(POSITIONS, WIDTH, dtype=dtype, requires_grad=True),
        torch.randn(POSITIONS, WIDTH, dtype=dtype),
        scores.softmax(1).detach().requires_grad_(),
        torch.tensor([IDS] * POSITIONS),
    )


def output(dtype: torch.dtype = torch.float64) -> PointerOutput:
    return PointerOutput(WIDTH, WIDTH, True).to(dtype)


TARGETS = torch.tensor([5, 7, 2, 3, 5, 6])  # some of the question, some not


def expected(found: Readout, given: Vocabulary, made: PointerOutput) -> list[list[float]]:
    """Return the probabilities of See et al. 2017, equations 8 and 9, number by number."""
    assert found.source is not None
    rows = []
    for position in range(len(found.hidden)):
        hidden, embedded = found.hidden[position].tolist(), found.embedded[position].tolist()
        weights, ids = found.weights[position].tolist(), found.source[position].tolist()
        weighed = zip(made.gate.weight[0].tolist(), hidden + embedded, strict=True)
        gate = sum(w * x for w, x in weighed) + made.gate.bias.item()
        generate = 1 / (1 + math.exp(-gate))
        logits = [
            sum(v * h for v, h in zip(vector, hidden, strict=True)) + bias if allowed else -math.inf
            for vector, bias, allowed in zip(*(part.tolist() for part in given), strict=True)
        ]
        whole = sum(math.exp(logit) for logit in logits)
        real = sum(w for w, token in zip(weights, ids, strict=True) if token > END_ID)
        rows.append([generate * math.exp(logit) / whole for logit in logits])
        for weight, token in zip(weights, ids, strict=True):
            if token > END_ID:
                rows[-1][token] += (1 - generate) * weight / real
    return rows


def test_probabilities_are_mixed_as_the_paper_says() -> None:
    found, given, made = readout(), vocabulary(), output()
    log_probs = made(found, given).detach()
    wanted = torch.tensor(expected(found, given, made), dtype=torch.float64)
    torch.testing.assert_close(log_probs.exp(), wanted)
    torch.testing.assert_close(log_probs.exp().sum(1), torch.ones(POSITIONS).double())
    assert log_probs[:, [PAD_ID, START_ID, VOCAB - 1]].max() < -1e8
    assert log_probs.isfinite().all()


def test_a_token_that_comes_twice_is_looked_at_as_often() -> None:
    made = output()
    with torch.no_grad():
        made.gate.weight.zero_()
        made.gate.bias.zero_()  # half is generated, half is copied
        weights = torch.tensor([[0.1, 0.2, 0.3, 0.4, 0.0]] * POSITIONS).double()
        found, given = readout()._replace(weights=weights), even()
        generated, probabilities = made.generator(found, given).exp(), made(found, given).exp()
    assert generated[0, 5] == pytest.approx(1 / 6)
    assert probabilities[0].tolist() == pytest.approx(
        [0, 0, 1 / 12, 1 / 12, 1 / 12, 1 / 12 + 0.5 * 4 / 6, 1 / 12, 1 / 12 + 0.5 * 2 / 6, 0],
        abs=1e-7,
    )


def even() -> Vocabulary:
    """Return a vocabulary whose six allowed tokens are equally probable."""
    return vocabulary()._replace(
        vectors=torch.zeros(VOCAB, WIDTH).double(), bias=torch.zeros(VOCAB).double()
    )


@pytest.mark.parametrize(
    "nothing",
    [
        {"source": torch.full((POSITIONS, SOURCE), END_ID)},  # no real token
        {"source": torch.full((POSITIONS, SOURCE), PAD_ID)},
        {"weights": torch.zeros(POSITIONS, SOURCE).double()},  # no attention
        {"weights": torch.tensor([[0.0, 0.0, 0.0, 1.0, 0.0]] * POSITIONS).double()},  # only a mark
    ],
)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_where_nothing_can_be_copied_it_is_the_output_layer_tied(
    nothing: dict[str, Tensor], smoothing: float
) -> None:
    found, given, made = readout()._replace(**nothing), vocabulary(), output()
    tied = TiedOutput(WIDTH, WIDTH, True)
    torch.testing.assert_close(made(found, given), tied(found, given))
    torch.testing.assert_close(
        made.loss(found, TARGETS, given, label_smoothing=smoothing),
        tied.loss(found, TARGETS, given, label_smoothing=smoothing),
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("chunk", [1, 2 * VOCAB, 1 << 20])
def test_the_loss_in_chunks_is_that_of_the_probabilities(
    smoothing: float, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixture, "CHUNK_NUMBERS", chunk)
    found, given, made = readout(), vocabulary(), output()
    leaves = [found.hidden, found.weights, given.vectors, given.bias, *made.parameters()]
    loss = made.loss(found, TARGETS, given, label_smoothing=smoothing)
    at_targets = made(found, given).gather(1, TARGETS.unsqueeze(1)).sum()
    generated = made.generator(found, given)[:, given.allowed]
    wanted = -(1 - smoothing) * at_targets - smoothing * generated.mean(1).sum()
    torch.testing.assert_close(loss, wanted)
    gradients = torch.autograd.grad(loss / 3, leaves), torch.autograd.grad(wanted / 3, leaves)
    for one, other in zip(*gradients, strict=True):
        assert one.any()
        torch.testing.assert_close(one, other)


def test_without_gradients_the_loss_is_the_same() -> None:
    found, given, made = readout(), vocabulary(), output()
    with torch.no_grad():
        still = made.loss(found, TARGETS, given, label_smoothing=0.1)
    assert not still.requires_grad
    torch.testing.assert_close(still, made.loss(found, TARGETS, given, label_smoothing=0.1))


def test_no_positions_cost_nothing() -> None:
    found = Readout(*(part[:0] for part in readout() if part is not None))
    loss = output().loss(found, TARGETS[:0], vocabulary(), label_smoothing=0.1)
    loss.backward()
    assert loss.item() == 0


def test_a_hidden_vector_of_another_width_gets_a_matrix() -> None:
    made = PointerOutput(3, WIDTH, True).double()
    found = readout()._replace(hidden=torch.randn(POSITIONS, 3).double())
    assert made(found, vocabulary()).exp().sum().item() == pytest.approx(POSITIONS)
    assert dict(made.named_parameters())["generator.to_embedding.weight"].shape == (WIDTH, 3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("gate", [-3e4, 0.0, 3e4])
@pytest.mark.parametrize("size", [1.0, 1e3])
def test_numbers_stay_numbers(dtype: torch.dtype, gate: float, size: float) -> None:
    found, given, made = readout(dtype), vocabulary(dtype), output(dtype)
    found = found._replace(hidden=(found.hidden.detach() * size).requires_grad_())
    with torch.no_grad():
        found.weights[0] = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0])
        found.weights[1] = torch.tensor([6e-8, 0.0, 0.0, 1.0, 0.0])
        found.weights[2] = torch.tensor([1e-40, 1e-38, 1e-30, 1.0, 0.0])
        made.gate.bias.fill_(gate)
    log_probs = made(found, given)
    assert log_probs.dtype == torch.float32
    assert log_probs.isfinite().all()
    loss = made.loss(found, TARGETS, given, label_smoothing=0.1)
    loss.backward()
    assert loss.isfinite()
    leaves = [found.hidden, found.weights, given.vectors, given.bias, *made.parameters()]
    assert all(leaf.grad is not None and leaf.grad.isfinite().all() for leaf in leaves)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_mixed_precision_changes_the_loss_little(dtype: torch.dtype) -> None:
    found, given, made = readout(torch.float32), vocabulary(torch.float32), output(torch.float32)
    exact = made.loss(found, TARGETS, given, label_smoothing=0.1)
    with torch.autocast("cpu", dtype=dtype):
        loss = made.loss(found, TARGETS, given, label_smoothing=0.1)
        log_probs = made(found, given)
    loss.backward()
    assert found.hidden.grad is not None
    assert found.hidden.grad.isfinite().all()
    assert log_probs.isfinite().all()
    assert loss.item() == pytest.approx(exact.item(), rel=0.02)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_tied_takes_half_precision_too(dtype: torch.dtype) -> None:
    log_probs = TiedOutput(WIDTH, WIDTH, False)(readout(dtype), vocabulary(dtype))
    assert log_probs.isfinite().all()
    assert log_probs[0].exp().sum().item() == pytest.approx(1.0, abs=1e-5)


def test_without_an_attention_there_is_nothing_to_copy_by() -> None:
    with pytest.raises(ValueError, match=r"no attention is named. Set model.attention.name=gen"):
        PointerOutput(WIDTH, WIDTH, False)
