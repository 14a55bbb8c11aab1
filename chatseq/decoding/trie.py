"""A set of replies as a tree of their tokens, in arrays, so that a step of many rows is quick."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import END_ID


class _Arrays(NamedTuple):
    """The tree in one library, on one device."""

    starts: Array  # (nodes + 1,) where the edges of each node begin
    tokens: Array  # (edges,) rising within a node
    keys: Array  # (edges,) node * size + token; rising


class PrefixTree:
    """Which tokens may follow what has been said, if the reply shall be one of a set.

    Nodes are numbered level by level, so that edge e leads to node e + 1 and nothing else need be
    stored. The end mark is an edge like any other; a reply that another begins with has it beside
    the edges that go on. Nothing follows the end mark.

    Args:
        replies: tokens without the end mark; those that come twice count once
    """

    def __init__(self, replies: Iterable[Sequence[int]]) -> None:
        rows = sorted({(*reply, END_ID) for reply in replies})
        parents, tokens = _edges(rows)
        self.count = len(rows)
        self._size = int(tokens.max(initial=0)) + 1
        edges = np.bincount(parents, minlength=len(tokens) + 1)
        starts = np.concatenate([[0], np.cumsum(edges)]).astype(np.int64)
        self._own = _Arrays(starts, tokens, parents * self._size + tokens)
        self._known: dict[tuple[str, str], _Arrays] = {}

    def masked(self, xp: Any, scores: Array, nodes: Array) -> Array:
        """Return the scores with -inf where no reply goes on.

        Args:
            scores: (rows, vocab)
            nodes: (rows,) where each row stands; 0 before the first token
        """
        tree = self._arrays(xp, scores)
        first = tree.starts[nodes]  # (rows,)
        counts = tree.starts[nodes + 1] - first
        places = xp.arange(nodes.shape[0], device=scores.device)
        rows = xp.repeat(places, counts)  # (edges of all rows,)
        before = counts.cumsum(0) - counts
        edges = xp.arange(rows.shape[0], device=scores.device) + (first - before)[rows]
        tokens = tree.tokens[edges]
        found = xp.full_like(scores, -math.inf)
        found[rows, tokens] = scores[rows, tokens]
        return found

    def step(self, xp: Any, nodes: Array, tokens: Array) -> Array:
        """Return where rows stand after a token each, (rows,); 0 where no reply goes on so."""
        tree = self._arrays(xp, tokens)
        wanted = nodes * self._size + tokens
        edges = xp.searchsorted(tree.keys, wanted)
        last = tree.keys.shape[0] - 1
        edges = xp.where(edges > last, xp.full_like(edges, last), edges)
        known = (tree.keys[edges] == wanted) & (tokens < self._size)
        return xp.where(known, edges + 1, xp.zeros_like(edges))

    def _arrays(self, xp: Any, like: Array) -> _Arrays:
        where = (xp.__name__, str(like.device))
        if where not in self._known:
            self._known[where] = _Arrays(*(xp.asarray(a, device=like.device) for a in self._own))
        return self._known[where]


def _edges(rows: list[tuple[int, ...]]) -> tuple[Array, Array]:
    """Return the node that each edge leaves and its token, level by level, rising in each."""
    lengths = np.asarray([len(row) for row in rows], dtype=np.int64)
    table = np.zeros((len(rows), int(lengths.max(initial=0))), dtype=np.int64)
    for at, row in enumerate(rows):
        table[at, : len(row)] = row
    nodes = np.zeros(len(rows), dtype=np.int64)
    parents, tokens = [nodes[:0]], [nodes[:0]]
    count = 1
    for level in range(table.shape[1]):
        live = np.flatnonzero(lengths > level)
        stand, token = nodes[live], table[live, level]
        # Rows are sorted, so equal beginnings are neighbours and tokens rise within a node.
        new = np.ones(len(live), dtype=bool)
        new[1:] = (stand[1:] != stand[:-1]) | (token[1:] != token[:-1])
        parents.append(stand[new])
        tokens.append(token[new])
        nodes[live] = count + np.cumsum(new) - 1
        count += int(new.sum())
    return np.concatenate(parents), np.concatenate(tokens)
