"""The loop from questions to replies, over any engine and any strategy.

A `Decoding` is an iterator of steps. Running it to its end gives replies; looking at `standing`
between steps gives a stream; not going on is an interruption. All three are this one path, for one
question or many. It knows no network, no text and no strategy by name.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from chatseq.decoding.answers import Answers
from chatseq.decoding.arrays import allow_end_when_stuck, mask_special, namespace
from chatseq.decoding.contracts import (
    Adjuster,
    Choice,
    Ended,
    Hypothesis,
    SearchRequest,
    SearchState,
    Strategy,
)
from chatseq.decoding.trace import Backpointer, Trace
from chatseq.engines.contracts import Array, Engine, StepOutput
from chatseq.text.question_encoder import PaddedQuestions
from chatseq.text.tokenizer import END_ID, PAD_ID, START_ID, Tokenizer

_WORTH_DROPPING = 4  # rows are dropped when every fourth question is done: moving memory costs


def decode(
    engine: Engine,
    questions: PaddedQuestions,
    strategy: Strategy,
    adjusters: Sequence[Adjuster] = (),
    *,
    max_length: int,
    seed: int = 0,
    tokenizer: Tokenizer | None = None,
    answers: Answers | None = None,
) -> list[list[Hypothesis]]:
    """Return the n-best replies of each question, best first, in the order of the questions.

    Args:
        questions: as chatseq.text.question_encoder.pad_questions gives them
        max_length: tokens of a reply at most, the end mark counted
        tokenizer: for strategies and adjusters that need text
        answers: for strategies that say only what the bot was taught
    """
    decoding = Decoding(
        engine,
        questions,
        strategy,
        adjusters,
        max_length=max_length,
        seed=seed,
        tokenizer=tokenizer,
        answers=answers,
    )
    for _ in decoding:
        pass
    return [decoding.hypotheses(question) for question in range(len(questions.ids))]


class Decoding(Iterator[SearchState]):
    """A running search: each `next` takes one step for all questions.

    The questions are encoded at once; memory is never replicated for beams.
    """

    def __init__(
        self,
        engine: Engine,
        questions: PaddedQuestions,
        strategy: Strategy,
        adjusters: Sequence[Adjuster] = (),
        *,
        max_length: int,
        seed: int = 0,
        tokenizer: Tokenizer | None = None,
        answers: Answers | None = None,
    ) -> None:
        ids = engine.array(questions.ids)
        encoded = engine.encode(ids, ids != PAD_ID, engine.array(questions.features))
        self._xp = xp = namespace(ids)
        asked = tuple(tuple(i for i in row if i != PAD_ID) for row in questions.ids.tolist())
        task = SearchRequest(xp, asked, max_length, seed, tokenizer, answers)
        self._engine, self._task = engine, task
        self._chooser = strategy.begin(task)
        self._adjusters = [adjuster.begin(task) for adjuster in adjusters]
        self._memory = encoded.memory
        self._last = xp.full_like(ids[:, 0], START_ID)
        self._history = xp.zeros((ids.shape[0], max_length), dtype=ids.dtype, device=ids.device)
        self._trace = Trace()
        self._ended: dict[int, list[Hypothesis]] = {}
        self._done: set[int] = set()
        self._search = SearchState(
            sources=list(range(len(asked))),
            width=1,
            rows=xp.arange(ids.shape[0], device=ids.device),
            tokens=self._history[:, :0],
            scores=xp.zeros(ids.shape[0], dtype=xp.float32, device=ids.device),
            state=encoded.state,
            weights=None,
        )

    def __next__(self) -> SearchState:
        """Take a step and return where the search stands; it cannot go on after an exception."""
        search = self._search
        if not search.sources or search.step == self._task.max_length:
            raise StopIteration
        stepped = self._engine.step(self._last, search.state, self._memory)
        search.state, search.weights = stepped.state, stepped.weights
        choice = self._chooser.choose(self._adjusted(stepped.log_probs), search)
        for ended in choice.ended:
            self._end(ended, stepped)
        for question in [search.sources[place] for place in choice.done]:
            if question not in self._done and question not in self._ended:
                self._ended[question] = self._cut(question)  # nothing follows what there was
            self._done.add(question)
        # An interrupt may come between any two lines: one assignment makes the step count.
        self._search = self._after(choice, stepped)
        return self._search

    @property
    def open_questions(self) -> frozenset[int]:
        """The questions for which a better reply may still come."""
        return frozenset(self._search.sources) - self._done

    def hypotheses(self, question: int) -> list[Hypothesis]:
        """Return the n-best of a question as far as the search has come; there is at least one."""
        found = list(self._ended.get(question, []))
        if question not in self._done:
            found += self._cut(question)
        return self._chooser.rank(found) or [Hypothesis((), (), -math.inf, ended=False)]

    def stable_prefix(self, question: int) -> tuple[int, ...]:
        """Return the tokens that no further step can change, of one of the questions.

        They are what all the rows that go on and all the replies that ended have in common.
        """
        if question in self._done or self._search.step == self._task.max_length:
            return self.hypotheses(question)[0].tokens
        found = [hypothesis.tokens for hypothesis in self._ended.get(question, [])]
        found += [tuple(self._search.tokens[row].tolist()) for row in self._live(question)]
        return _shared(found)

    def _adjusted(self, log_probs: Array) -> Array:
        possible = scores = mask_special(self._xp, log_probs)
        for adjust in self._adjusters:
            scores = adjust(scores, self._search)
        return scores if scores is possible else allow_end_when_stuck(self._xp, scores, possible)

    def _end(self, ended: Ended, stepped: StepOutput) -> None:
        """Keep a reply that ends; a question that is done takes no more."""
        search = self._search
        question = search.sources[ended.row // search.width]
        if question in self._done or ended.score == -math.inf:
            return
        cut = self._hypothesis(question, ended.row, ended.score)
        weights = stepped.weights[ended.row, : len(self._task.questions[question])].tolist()
        whole = replace(
            cut,
            log_probs=(*cut.log_probs, float(stepped.log_probs[ended.row, END_ID])),
            weights=(*cut.weights, tuple(weights)),
            ended=True,
        )
        self._ended.setdefault(question, []).append(whole)

    def _after(self, choice: Choice, stepped: StepOutput) -> SearchState:
        """Return where the search stands when every row is where the choice puts it."""
        search, xp = self._search, self._xp
        places = self._places_to_keep(choice)
        if not places:
            return replace(search, sources=[])
        width = choice.tokens.shape[0] // len(search.sources)
        sources = search.sources
        if len(places) < len(sources):
            choice = self._only(choice, places, width)
            sources = [sources[place] for place in places]
        parents = self._moved(choice.parents)
        rows, state = search.rows, stepped.state
        came_from = rows if parents is None else parents
        chosen = stepped.log_probs[came_from, choice.tokens]
        self._trace.add(Backpointer(parents, choice.tokens, chosen, stepped.weights))
        if parents is not None:
            rows = xp.arange(parents.shape[0], device=parents.device)
            state = tuple(xp.take(part, parents, axis=0) for part in state)
            self._history = xp.take(self._history, parents, axis=0)
        self._history[:, search.step] = self._last = choice.tokens
        step = search.step + 1
        tokens = self._history[:, :step]
        return SearchState(
            sources,
            width,
            rows,
            tokens,
            choice.scores,
            state,
            stepped.weights,
            step,
            choice.row_notes,
        )

    def _places_to_keep(self, choice: Choice) -> list[int] | range:
        """Return the questions that stay in the batch, by their places in it."""
        sources = self._search.sources
        if not choice.done:
            return range(len(sources))
        live = [place for place, source in enumerate(sources) if source not in self._done]
        worth = (len(sources) - len(live)) * _WORTH_DROPPING >= len(sources)
        return live if worth else range(len(sources))

    def _only(self, choice: Choice, places: Sequence[int], width: int) -> Choice:
        """Leave the other questions behind."""
        xp, tokens = self._xp, choice.tokens
        kept = xp.asarray(places, dtype=tokens.dtype, device=tokens.device)
        self._memory = tuple(xp.take(part, kept, axis=0) for part in self._memory)
        rows = (kept[:, None] * width + xp.arange(width, device=tokens.device)).reshape(-1)
        parents = rows if choice.parents is None else choice.parents[rows]
        row_notes = tuple(xp.take(note, rows, axis=0) for note in choice.row_notes)
        return Choice(parents, tokens[rows], choice.scores[rows], row_notes=row_notes)

    def _moved(self, parents: Array | None) -> Array | None:
        """Return None where every row goes on from itself, so that nothing is copied."""
        rows = self._search.rows
        if parents is None or parents.shape != rows.shape:
            return parents
        return None if bool((parents == rows).all()) else parents

    def _cut(self, question: int) -> list[Hypothesis]:
        scores = self._search.scores
        return [self._hypothesis(question, row, float(scores[row])) for row in self._live(question)]

    def _live(self, question: int) -> list[int]:
        """Return the rows of a question that may still become a reply."""
        search = self._search
        first = search.sources.index(question) * search.width
        rows = range(first, first + search.width)
        return [row for row in rows if float(search.scores[row]) > -math.inf]

    def _hypothesis(self, question: int, row: int, score: float) -> Hypothesis:
        length = len(self._task.questions[question])
        found = self._trace.hypothesis(self._search.step, row, score, length)
        return replace(found, place=row % self._search.width)


def _shared(replies: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Return what all replies begin with."""
    first = min(replies, key=len, default=())
    for place, token in enumerate(first):
        if any(reply[place] != token for reply in replies):
            return tuple(first[:place])
    return tuple(first)
