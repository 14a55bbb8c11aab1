"""How weights begin, in one place and with reasons.

A part that wants other first weights sets them in a method `initialise()`, which is called
afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn


def initialise(model: nn.Module) -> None:
    """Set the first weights of every linear, recurrent and embedding module inside a model."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            _linear(module)
        elif isinstance(module, nn.Embedding):
            _embedding(module)
        elif isinstance(module, nn.RNNBase):
            _recurrent(module)
    for module in model.modules():
        if callable(own := getattr(module, "initialise", None)):
            own()


@torch.no_grad()
def _linear(module: nn.Linear) -> None:
    # Glorot and Bengio 2010: the same variance on the way forth and back, for tanh layers.
    nn.init.xavier_uniform_(module.weight)
    if module.bias is not None:
        module.bias.zero_()


@torch.no_grad()
def _embedding(module: nn.Embedding) -> None:
    # As an output layer a row meets a vector of about unit numbers: this gives logits near 1.
    nn.init.normal_(module.weight, std=module.embedding_dim**-0.5)


@torch.no_grad()
def _recurrent(module: nn.RNNBase) -> None:
    for name, parameter in module.named_parameters():
        if name.startswith("bias"):
            parameter.zero_()
        elif name.startswith("weight_hh"):
            # Saxe et al. 2014: an orthogonal matrix keeps the length of a state over many steps.
            for gate in _gates(parameter, module.hidden_size):
                nn.init.orthogonal_(gate)
        else:
            for gate in _gates(parameter, module.hidden_size):
                nn.init.xavier_uniform_(gate)  # a gate is a layer of its own
    if isinstance(module, nn.LSTM):
        _remember(module)


def _remember(module: nn.LSTM) -> None:
    """Open the forget gate, so that gradients reach far steps at first (Jozefowicz et al. 2015)."""
    size = module.hidden_size
    for name, parameter in module.named_parameters():
        if name.startswith("bias_ih"):
            parameter[size : 2 * size].fill_(1.0)


def _gates(parameter: Tensor, size: int) -> Iterator[Tensor]:
    yield from torch.split(parameter, size, dim=0)
