"""Part exchanges for training and validation so that no question stands on both sides."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from chatseq.core.exchange import Exchange
from chatseq.text.normalise import question_key


def split_by_question(
    exchanges: Iterable[Exchange], share: float, seed: int
) -> tuple[list[Exchange], list[Exchange]]:
    """Return (train, validation), each in the given order; all rows of a question on one side.

    The choice depends on the seed and the questions alone, not on their order or number of rows.

    Args:
        share: of the distinct questions that validate, 0 up to but not 1; at least one question
            validates where the share is not 0 and there are two
    """
    if not 0 <= share < 1:
        raise ValueError(f"share ({share}) must be at least 0 and less than 1.")
    listed = list(exchanges)
    keys = [question_key(exchange.question) for exchange in listed]
    held_back = _drawn(set(keys), share, seed)
    train: list[Exchange] = []
    validation: list[Exchange] = []
    for exchange, key in zip(listed, keys, strict=True):
        (validation if key in held_back else train).append(exchange)
    return train, validation


def _drawn(keys: set[str], share: float, seed: int) -> set[str]:
    count = round(len(keys) * share)
    if share > 0 and len(keys) > 1:
        count = min(max(count, 1), len(keys) - 1)
    salt = seed.to_bytes(16, "little", signed=True)
    ordered = sorted(keys, key=lambda key: (_digest(key, salt), key))
    return set(ordered[:count])


def _digest(key: str, salt: bytes) -> bytes:
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8, salt=salt).digest()
