"""What a search has chosen, step by step, and how a hypothesis is read back from it."""

from __future__ import annotations

from typing import NamedTuple

from chatseq.decoding.contracts import Hypothesis
from chatseq.engines.contracts import Array


class Backpointer(NamedTuple):
    """One step: where each of its rows came from, and what it added."""

    parents: Array | None  # (rows,) rows of the step before; None: each from itself
    tokens: Array  # (rows,)
    log_probs: Array  # (rows,) the model's
    weights: Array  # (rows before, source)


class Trace:
    """Remembers every step of a search; rows are those of the step that is asked about."""

    def __init__(self) -> None:
        self._links: list[Backpointer] = []
        self._read: list[tuple[list[int] | None, list[int], list[float]]] = []

    def add(self, link: Backpointer) -> None:
        """Remember one step."""
        self._links.append(link)

    def hypothesis(self, step: int, row: int, score: float, source_length: int) -> Hypothesis:
        """Return what a row held after that many steps, as a reply that did not end."""
        self._read_on()
        tokens: list[int] = []
        log_probs: list[float] = []
        weights: list[tuple[float, ...]] = []
        for at in range(step - 1, -1, -1):
            parents, chosen, added = self._read[at]
            tokens.append(chosen[row])
            log_probs.append(added[row])
            row = row if parents is None else parents[row]
            weights.append(tuple(self._links[at].weights[row, :source_length].tolist()))
        return Hypothesis(
            tokens=tuple(tokens[::-1]),
            log_probs=tuple(log_probs[::-1]),
            score=score,
            ended=False,
            weights=tuple(weights[::-1]),
        )

    def _read_on(self) -> None:
        """Bring new steps over as lists, once: a GPU is asked once a step, not once a number."""
        for link in self._links[len(self._read) :]:
            parents = None if link.parents is None else link.parents.tolist()
            self._read.append((parents, link.tokens.tolist(), link.log_probs.tolist()))
