"""Checks of sizes that encoders and decoders share."""

from __future__ import annotations


def check_sizes(
    hidden_size: int, layers: int, dropout: float, output_size: int | None = None
) -> None:
    """Refuse what no network can be built from.

    Raises:
        ValueError: a size is not positive, or dropout is not a share below 1.
    """
    if hidden_size < 1:
        raise ValueError(f"hidden_size ({hidden_size}) must be at least 1. Set it to 128 or more.")
    if layers < 1:
        raise ValueError(f"layers ({layers}) must be at least 1. Set it to 1 or 2.")
    if output_size is not None and output_size < 1:
        raise ValueError(
            f"output_size ({output_size}) must be at least 1. Leave it out: it is then as wide as "
            "an embedding."
        )
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout ({dropout}) must be from 0 to below 1. Set it to 0.3.")
