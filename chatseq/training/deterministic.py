"""Chance that can be asked again: every random choice of training as a function of numbers.

Nothing here has a state. A run that is resumed asks with the same seed, epoch and row, and gets the
same order, the same batches and the same noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_ALL_BITS = (1 << 64) - 1
_POOL = 16  # batches among which rows are sorted by length; more: less padding, less chance


def derive_seed(*numbers: int) -> int:
    """Return one number, 0..2^63, that differs wildly when any of the given ones differs."""
    found = 0
    for number in numbers:  # in plain integers: an array of one takes twenty times as long
        z = (found ^ number) + 0x9E3779B97F4A7C15 & _ALL_BITS
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & _ALL_BITS
        z = (z ^ z >> 27) * 0x94D049BB133111EB & _ALL_BITS
        found = z ^ z >> 31
    return found >> 1


def uniform_at(seed: int, places: Ints) -> NDArray[np.float64]:
    """Return a number in 0..1 for each place, as a function of the seed and the place alone."""
    stirred = splitmix64(places.astype(np.uint64) ^ splitmix64(np.full(1, seed, dtype=np.uint64)))
    return (stirred >> np.uint64(11)).astype(np.float64) * 2.0**-53


def bucketed_batches(
    question_lengths: Ints, answer_lengths: Ints, *, budget: int, seed: int, epoch: int
) -> list[Ints]:
    """Return the rows of each batch of an epoch, as a function of the arguments.

    Every row comes once. Rows of about one length come together, so that little of a batch is
    padding; which rows those are, and the order of the batches, is left to chance.

    Args:
        budget: tokens of a batch at most, questions and answers with their padding; a longer row
            is a batch by itself
    """
    chance = np.random.default_rng([seed, epoch])
    order = chance.permutation(len(question_lengths))
    total = question_lengths + answer_lengths
    pool = max(1, _POOL * budget // max(1, int(total.mean())))
    batches: list[Ints] = []
    for start in range(0, len(order), pool):
        rows = order[start : start + pool]
        rows = rows[np.argsort(total[rows], kind="stable")]
        batches += _cut(rows, question_lengths[rows], answer_lengths[rows], budget)
    return [batches[place] for place in chance.permutation(len(batches))]


def _cut(rows: Ints, questions: Ints, answers: Ints, budget: int) -> list[Ints]:
    """Cut sorted rows into batches whose padded size stays within the budget."""
    batches = []
    start, widest_question, widest_answer = 0, 0, 0
    lengths = zip(questions.tolist(), answers.tolist(), strict=True)
    for at, (question, answer) in enumerate(lengths):
        wide = max(widest_question, question) + max(widest_answer, answer)
        if at > start and wide * (at + 1 - start) > budget:
            batches.append(rows[start:at])
            start, widest_question, widest_answer = at, 0, 0
        widest_question = max(widest_question, question)
        widest_answer = max(widest_answer, answer)
    batches.append(rows[start:])
    return batches


def splitmix64(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Stir the bits of each number (splitmix64, Steele et al. 2014), as `mixed` does."""
    with np.errstate(over="ignore"):
        z = numbers + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))
