"""How likely a network finds given replies, for many replies of each question at once.

The replies are walked as a tree, level by level, so that what many of them begin with is computed
once for each question.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chatseq.decoding.arrays import namespace
from chatseq.decoding.contracts import Hypothesis
from chatseq.engines.contracts import Array, Engine
from chatseq.text.question_encoder import PaddedQuestions
from chatseq.text.tokenizer import END_ID, PAD_ID, START_ID

Numbers = NDArray[np.int64]


class _Level(NamedTuple):
    """The nodes at one distance from the root."""

    parents: Numbers  # (nodes,) places in the level before
    tokens: Numbers  # (nodes,)
    inner: Numbers  # places of the nodes that go on
    ends: Numbers  # places of the nodes with which replies end
    replies: Numbers  # those replies, beside `ends`


class AnswerTrie:
    """Replies as a tree of their tokens; replies that are alike share their leaf.

    Args:
        replies: tokens without the end mark
        longest: tokens of a reply that count; of longer ones the beginning stands for all
    """

    def __init__(self, replies: Sequence[Sequence[int]], *, longest: int) -> None:
        self.count = len(replies)
        rows = [(*reply, END_ID)[:longest] for reply in replies]
        self.levels: list[_Level] = []
        standing = dict.fromkeys(range(len(rows)), 0)  # the reply: its node in the level before
        while standing:
            level, standing = _next_level(rows, standing, len(self.levels))
            self.levels.append(level)


def score_answers(
    engine: Engine, questions: PaddedQuestions, tree: AnswerTrie
) -> NDArray[np.float64]:
    """Return the log-probability of each reply to each question, (batch, replies)."""
    ids = engine.array(questions.ids)
    encoded = engine.encode(ids, ids != PAD_ID, engine.array(questions.features))
    xp, batch = namespace(ids), ids.shape[0]
    found = np.zeros((batch, tree.count))
    scores = np.zeros((batch, 1))
    state, tokens = encoded.state, xp.full_like(ids[:, 0], START_ID)
    for depth, level in enumerate(tree.levels):
        stepped = engine.step(tokens, state, encoded.memory)
        width = scores.shape[1]
        rows = _rows(batch, width, level.parents)
        chosen = stepped.log_probs[engine.array(rows), engine.array(np.tile(level.tokens, batch))]
        scores = scores[:, level.parents] + _numpy(chosen).reshape(batch, -1)
        found[:, level.replies] = scores[:, level.ends]
        if depth + 1 < len(tree.levels):
            going = engine.array(_rows(batch, width, level.parents[level.inner]))
            state = tuple(xp.take(part, going, axis=0) for part in stepped.state)
            tokens = engine.array(np.tile(level.tokens[level.inner], batch))
            scores = scores[:, level.inner]
    return found


def trace_answer(engine: Engine, question: PaddedQuestions, reply: Sequence[int]) -> Hypothesis:
    """Return a given reply to one question as if a search had found it.

    Args:
        reply: tokens without the end mark
    """
    ids = engine.array(question.ids)
    encoded = engine.encode(ids, ids != PAD_ID, engine.array(question.features))
    state, last = encoded.state, namespace(ids).full_like(ids[:, 0], START_ID)
    log_probs: list[float] = []
    weights: list[tuple[float, ...]] = []
    for token in (*reply, END_ID):
        stepped = engine.step(last, state, encoded.memory)
        log_probs.append(float(stepped.log_probs[0, token]))
        weights.append(tuple(stepped.weights[0].tolist()))
        state, last = stepped.state, engine.array([token])
    return Hypothesis(
        tokens=tuple(reply),
        log_probs=tuple(log_probs),
        score=sum(log_probs),
        ended=True,
        weights=tuple(weights[:-1]),  # the end mark looks at nothing that is shown
    )


def _next_level(
    rows: Sequence[Sequence[int]], standing: dict[int, int], depth: int
) -> tuple[_Level, dict[int, int]]:
    """Return a level, and where the replies stand that go on beyond it."""
    nodes: dict[tuple[int, int], int] = {}
    at = {
        reply: nodes.setdefault((node, rows[reply][depth]), len(nodes))
        for reply, node in standing.items()
    }
    going = {reply: node for reply, node in at.items() if len(rows[reply]) > depth + 1}
    inner = sorted(set(going.values()))
    places = {node: place for place, node in enumerate(inner)}
    ending = {reply: node for reply, node in at.items() if reply not in going}
    level = _Level(
        np.array([parent for parent, _ in nodes], np.int64),
        np.array([token for _, token in nodes], np.int64),
        np.array(inner, np.int64),
        np.array(list(ending.values()), np.int64),
        np.array(list(ending), np.int64),
    )
    return level, {reply: places[node] for reply, node in going.items()}


def _rows(batch: int, width: int, places: Numbers) -> Numbers:
    """Return the rows of some places of every question."""
    found: Numbers = (np.arange(batch)[:, None] * width + places).ravel()
    return found


def _numpy(array: Array) -> NDArray[np.float64]:
    """Return an array of either engine as NumPy's."""
    on_host = array if isinstance(array, np.ndarray) else array.cpu().numpy()
    return np.asarray(on_host, np.float64)
