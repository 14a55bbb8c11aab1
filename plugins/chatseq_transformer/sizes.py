"""Checks of options that the encoder and the decoder share."""

from __future__ import annotations


def check_sizes(hidden_size: int, layers: int, heads: int, inner_size: int) -> None:
    """Refuse sizes that no network can be built from.

    Raises:
        ValueError: a size is not positive, or the heads cannot share the width evenly.
    """
    if hidden_size < 1:
        raise ValueError(f"hidden_size ({hidden_size}) must be at least 1. Set it to 128 or more.")
    if layers < 1:
        raise ValueError(f"layers ({layers}) must be at least 1. Set it to 2 or 3.")
    if heads < 1:
        raise ValueError(f"heads ({heads}) must be at least 1. Set it to 4.")
    if inner_size < 1:
        raise ValueError(f"inner_size ({inner_size}) must be at least 1. Set it to {hidden_size}.")
    if hidden_size % heads:
        below = hidden_size // heads * heads
        near = f"{below} or {below + heads}" if below else f"{heads}"
        raise ValueError(
            f"hidden_size ({hidden_size}) must be a multiple of heads ({heads}). Set it to {near}."
        )


def check_dropout(dropout: float) -> None:
    """Refuse a dropout that is no share below 1.

    Raises:
        ValueError: it is none.
    """
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout ({dropout}) must be from 0 to below 1. Set it to 0.1.")
