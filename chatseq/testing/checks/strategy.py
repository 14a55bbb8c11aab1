"""What every decoding strategy must keep to; see chatseq.decoding.contracts.Strategy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from chatseq.core.errors import ChatseqError
from chatseq.decoding.contracts import (
    Adjust,
    Choice,
    Chooser,
    Hypothesis,
    SearchRequest,
    SearchState,
    Strategy,
)
from chatseq.engines.contracts import Array
from chatseq.testing.check import Context, Make, check, require
from chatseq.testing.checks.searching import (
    ASKED,
    LONGEST,
    SURE,
    TOKENIZER,
    certain_engine,
    random_engine,
    read_only,
    replies,
    searching,
    tokens_of,
)
from chatseq.testing.rounds import Rounds
from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID

CLOSE = 1e-4
SEEDS = (1, 2, 3)


def arguments() -> Iterator[tuple[()]]:
    """Yield nothing: a strategy has options only."""
    yield ()


@check()
def every_reply_is_whole_or_cut(make: Make, context: Context) -> None:
    """A reply ends with the end mark or at the longest length, with a number for each token."""
    for found in replies(make()):
        require(bool(found), "a question has no reply at all")
        for reply in found:
            marks = [token for token in reply.tokens if token < FIRST_FREE_ID]
            require(not marks, f"a reply holds the marks {marks}")
            length = len(reply.tokens) + reply.ended
            told = f"a reply of {len(reply.tokens)} tokens that {_how(reply)}"
            require(reply.ended or length == LONGEST, f"{told} is neither whole nor cut")
            require(len(reply.log_probs) == length, f"{told} has {len(reply.log_probs)} numbers")
            figures = (reply.score, *reply.log_probs)
            require(all(map(math.isfinite, figures)), f"{told} has a score that is not finite")


@check(Rounds.CHOICES)
def very_short_replies_are_found_too(make: Make, context: Context) -> None:
    """Where only one or two tokens are allowed, the end mark counted, it replies or refuses."""
    for longest in (1, 2):
        with suppress(ChatseqError):  # as one that can say whole answers only
            for found in replies(make(), longest=longest):
                require(bool(found), f"there is no reply of at most {longest} tokens")


@check()
def a_question_is_answered_alike_alone_and_in_a_batch(make: Make, context: Context) -> None:
    """Other questions in the batch change no reply and no score."""
    together = replies(make())
    for asked, found in zip(ASKED, together, strict=True):
        [alone] = replies(make(), asked)
        same = tokens_of([alone]) == tokens_of([found])
        require(same, f"the question {asked} is answered otherwise beside other questions")
        for one, other in zip(alone, found, strict=True):
            close = math.isclose(one.score, other.score, abs_tol=CLOSE)
            require(close, f"the question {asked} gets another score beside other questions")


@check(Rounds.CHOICES)
def its_choices_fit_the_search(make: Make, context: Context) -> None:
    """Each question keeps equally many rows of its own, with real tokens and numbers."""
    for _ in searching(_Watched(make(), _look_at)):
        pass


@check(Rounds.CHOICES)
def it_ranks_what_it_was_given(make: Make, context: Context) -> None:
    """Ranking returns at least one reply, and none that the search did not find."""
    search = searching(_Watched(make()))
    for _ in search:
        pass
    for question in range(len(ASKED)):
        search.hypotheses(question)


@check()
def what_is_impossible_is_never_said(make: Make, context: Context) -> None:
    """A token that an adjuster made impossible is in no reply."""
    found = replies(make(), adjusters=[_OddOnly()], engine=random_engine(end_bonus=-3.0))
    said = {token for some in found for reply in some for token in reply.tokens}
    require(all(token % 2 for token in said), "a reply holds tokens that were made impossible")


@check()
def what_is_certain_is_said(make: Make, context: Context) -> None:
    """Where only one reply is possible, it is said, and rows without a future are not told."""
    for (asked, answer), found in zip(
        SURE.items(), replies(make(), *SURE, engine=certain_engine()), strict=True
    ):
        for reply in found:
            possible = reply.score > -math.inf and reply.tokens == answer and reply.ended
            require(possible, f"to {asked} it says {reply.tokens}, where only {answer} is possible")


@check(Rounds.CHOICES)
def scores_are_not_written(make: Make, context: Context) -> None:
    """The scores that it is given stay as they are."""
    for _ in searching(make(), adjusters=[_ReadOnly()]):
        pass


@check()
def what_stands_is_not_taken_back(make: Make, context: Context) -> None:
    """What is streamed only grows, and the best reply begins with it."""
    search = searching(make())
    stood: list[tuple[int, ...]] = [() for _ in ASKED]
    for _ in search:
        for question, before in enumerate(stood):
            now = search.stable_prefix(question)
            require(now[: len(before)] == before, f"{before} stood, and then {now}")
            stood[question] = now
    for question, before in enumerate(stood):
        best = search.hypotheses(question)[0].tokens
        require(best[: len(before)] == before, f"{before} stood, and the reply is {best}")


@check(Rounds.CHOICES)
def a_search_can_stop_at_any_step(make: Make, context: Context) -> None:
    """There is a reply after every step, for those who do not wait for the end."""
    search = searching(make())
    for step, _ in enumerate(search, 1):
        for question in range(len(ASKED)):
            found = search.hypotheses(question)
            there_is_one = found[0].score > -math.inf  # what the loop makes up has no other score
            require(there_is_one, f"after {step} steps there is no reply")
            most = max(len(reply.tokens) for reply in found)
            require(most <= step, f"after {step} steps a reply has {most} tokens")


@check(Rounds.CHOICES)
def one_strategy_serves_many_searches(make: Make, context: Context) -> None:
    """Two searches that take turns find what each finds alone: the object holds options only."""
    strategy = make()
    one, other = searching(strategy, seed=1), searching(strategy, ASKED[::-1], seed=2)
    going_on = [one, other]
    while going_on:
        going_on = [search for search in going_on if next(search, None) is not None]
    for search, asked, seed in ((one, ASKED, 1), (other, ASKED[::-1], 2)):
        found = [search.hypotheses(question) for question in range(len(asked))]
        alone = replies(make(), *asked, seed=seed)
        same = tokens_of(found) == tokens_of(alone)
        require(same, "two searches that take turns find otherwise than each alone")


@check()
def the_same_seed_gives_the_same(make: Make, context: Context) -> None:
    """Replies depend on the seed where it says that it draws, and on nothing else."""
    first = tokens_of(replies(make(), seed=0))
    require(tokens_of(replies(make(), seed=0)) == first, "the same seed gives other replies")
    others = [tokens_of(replies(make(), seed=seed)) for seed in SEEDS]
    if not make().draws:
        same = all(other == first for other in others)
        require(same, "the seed changes replies, and `draws` is False")
    elif not context.changed:  # others may leave nothing to chance
        require(any(other != first for other in others), "no seed changes a reply: `draws` is True")


@check()
def torch_gives_what_numpy_gives(make: Make, context: Context) -> None:
    """The replies are the same whichever library the arrays are of."""
    import array_api_compat.torch as xp

    on_numpy, on_torch = replies(make()), replies(make(), engine=random_engine(xp))
    same = tokens_of(on_numpy) == tokens_of(on_torch)
    require(same, "the replies on torch are not those on NumPy")


def _how(reply: Hypothesis) -> str:
    return "ended" if reply.ended else "did not end"


class _OddOnly:
    """Makes half of the letters impossible."""

    def begin(self, task: SearchRequest) -> Adjust:
        def adjust(scores: Array, search: SearchState) -> Array:
            tokens = task.xp.arange(TOKENIZER.size)
            kept = (tokens % 2 == 1) | (tokens == END_ID)
            lowest = task.xp.asarray(-math.inf, dtype=scores.dtype)
            return task.xp.where(kept, scores, lowest)

        return adjust


class _ReadOnly:
    """Hands on scores that cannot be written."""

    def begin(self, task: SearchRequest) -> Adjust:  # noqa: ARG002
        return lambda scores, _: read_only(scores)


LookAt = Callable[[Choice, SearchState], None]


class _Watched:
    """A strategy whose rankings are looked at, and its choices where wanted."""

    def __init__(self, strategy: Strategy, look_at: LookAt = lambda *_: None) -> None:
        self.strategy, self.look_at = strategy, look_at
        self.draws = strategy.draws

    def begin(self, task: SearchRequest) -> _WatchedChooser:
        return _WatchedChooser(self.strategy.begin(task), self.look_at)


class _WatchedChooser:
    def __init__(self, chooser: Chooser, look_at: LookAt) -> None:
        self.chooser, self.look_at = chooser, look_at

    def choose(self, scores: Array, search: SearchState) -> Choice:
        choice = self.chooser.choose(scores, search)
        self.look_at(choice, search)
        return choice

    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        ranked = self.chooser.rank(hypotheses)
        require(bool(ranked), "ranking leaves no reply")
        found = {hypothesis.tokens for hypothesis in hypotheses}
        own = [reply.tokens for reply in ranked if reply.tokens not in found]
        require(not own, f"ranking tells {own}, which the search did not find")
        return ranked


def _look_at(choice: Choice, search: SearchState) -> None:
    batch, before = len(search.sources), len(search.rows)
    rows = len(choice.tokens)
    require(rows % batch == 0, f"{rows} rows for {batch} questions: not equally many for each")
    require(len(choice.scores) == rows, f"{len(choice.scores)} scores for {rows} rows")
    parents = list(range(rows)) if choice.parents is None else choice.parents.tolist()
    require(len(parents) == rows, f"{len(parents)} parents for {rows} rows")
    for row, parent in enumerate(parents):
        own = 0 <= parent < before and parent // search.width == row // (rows // batch)
        require(own, f"row {row} goes on from row {parent}, which is another question's")
    live = [row for row, score in enumerate(choice.scores.tolist()) if score != -math.inf]
    require(not any(math.isnan(float(choice.scores[row])) for row in live), "a score is NaN")
    done = set(choice.done)
    going_on = [row for row in live if row // (rows // batch) not in done]
    tokens = [int(choice.tokens[row]) for row in going_on]
    wrong = [t for t in tokens if not FIRST_FREE_ID <= t < TOKENIZER.size]
    require(not wrong, f"rows that go on have the tokens {wrong}, which are marks or none")
    require(all(0 <= place < batch for place in done), f"the places {sorted(done)} are done")
    ended = [ended.row for ended in choice.ended]
    require(all(0 <= row < before for row in ended), f"the rows {ended} end, of {before}")
