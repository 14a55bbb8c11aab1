"""What every scorer must keep to; see chatseq.bots.contracts.Scorer."""

from __future__ import annotations

import atexit
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from chatseq.bots.bot import Bot
from chatseq.bots.bundle.manifest import FOLDER, KNOWN
from chatseq.bots.bundle.pairs import write_pairs
from chatseq.bots.contracts import (
    DECLINE,
    NO_CANDIDATE,
    AnswerScores,
    FitData,
    FittedScorer,
    Ints,
    Query,
    Scorer,
)
from chatseq.core.exchange import Reply
from chatseq.decoding.answers import Answers
from chatseq.hookspecs import hookimpl
from chatseq.testing.bots import TAUGHT, babbling_bot, teach_scorer
from chatseq.testing.check import Context, Make, check, require
from chatseq.testing.checks.processes import told_elsewhere
from chatseq.testing.registry import builtin_registry
from chatseq.testing.rounds import Rounds

QUESTIONS = ("hello", "who are you", "what can a bot do", "你好", "which horse", "hello")
CONTEXT = ("hello", "hello there")
ODD = (
    "",
    " ",
    "\x00\x1b[31m",
    "\ud800",
    "😀👩‍👩‍👧",
    "这是什么？",
    "word " * 5000,
    "</s><pad>",
    "\u202ea",
)
CLOSE = 1e-4  # of float32 sums in another order
_DAMAGED = (b"", b"\x80\x04damaged", b"[[[", b"{}", b"0")
_KEPT = ExitStack()  # until the process ends
atexit.register(_KEPT.close)
_TAUGHT: dict[tuple[Callable[..., Any], str], Path] = {}
_Files = Mapping[str, bytes]


def arguments() -> Iterator[tuple[()]]:
    """Yield nothing: a scorer has options only."""
    yield ()


@check(Rounds.CHOICES)
def what_it_learns_lies_under_its_name(make: Make, context: Context) -> None:
    """Fitted twice, it writes plain files that begin with its name, and changes no other."""
    for held_out in (TAUGHT[-3:], ()):
        watched = _Watched(make(), context)
        teach_scorer(watched, context.folder(), held_out)
        for name in watched.written:
            plain = KNOWN.fullmatch(f"{FOLDER}/{name}") is not None
            require(plain, f"it writes {name!r}, a name that no file of a bot has")
            _require_own(name, context.subject.name)


@check(Rounds.CHOICES)
def the_same_rows_teach_the_same(make: Make, context: Context) -> None:
    """What is written is a function of rows, seed and options alone."""
    one, other = _Watched(make(), context), _Watched(make(), context)
    for watched in (one, other):
        teach_scorer(watched, context.folder())
    require(set(one.written) == set(other.written), "it writes other files the second time")
    for name, written in one.written.items():
        require(written == other.written[name], f"{name} is another one the second time")


@check(Rounds.CHOICES)
def nothing_learnt_is_no_fault(make: Make, context: Context) -> None:
    """Where nothing was fitted it opens as None, or as a scorer that works."""
    folder = context.folder()
    write_pairs(folder, TAUGHT)
    answers = Answers(lambda: {one.answer: None for one in TAUGHT})
    for place, what in ((None, "without a folder"), (folder, "with a corpus alone")):
        bot = babbling_bot(folder=place, answers=answers)
        try:
            scorer = make().open(bot)
            if scorer is not None:
                _checked(scorer, _queries(bot, *QUESTIONS), _all(bot, len(QUESTIONS)))
        except Exception as fault:
            raise AssertionError(f"a bot {what}: {type(fault).__name__}: {fault}") from fault


@check()
def every_candidate_has_numbers(make: Make, context: Context) -> None:
    """Scores and features are finite numbers for each candidate, features named as it says."""
    bot, scorer = _opened(make, context)
    _checked(scorer, _queries(bot, *QUESTIONS), _all(bot, len(QUESTIONS)))


@check()
def its_weight_before_any_is_fitted_is_a_number(make: Make, context: Context) -> None:
    """`prior_weight` is a finite number above 0."""
    _, scorer = _opened(make, context)
    weight: Any = scorer.prior_weight
    fits = isinstance(weight, int | float) and 0 < weight < math.inf
    require(fits, f"prior_weight is {weight!r}")


@check()
def many_are_scored_as_one(make: Make, context: Context) -> None:
    """A question is scored alike alone and among others."""
    bot, scorer = _opened(make, context)
    queries, candidates = _queries(bot, *QUESTIONS), _all(bot, len(QUESTIONS))
    together = scorer.score(queries, candidates)
    for row, query in enumerate(queries):
        alone = scorer.score([query], candidates[row : row + 1])
        what = f"{query.text!r} alone is scored otherwise than among others"
        _same(alone, _rows(together, [row]), what)


@check()
def scoring_changes_nothing(make: Make, context: Context) -> None:
    """What was asked before changes no score, and the numbers of candidates stay as they are."""
    bot, scorer = _opened(make, context)
    queries, candidates = _queries(bot, *QUESTIONS), _all(bot, len(QUESTIONS))
    given = candidates.copy()
    first = scorer.score(queries, given)
    require(bool((given == candidates).all()), "it changes the candidates that it is given")
    kept = AnswerScores(np.copy(first.scores), {n: np.copy(v) for n, v in first.features.items()})
    scorer.score(queries[::-1], candidates)
    again = scorer.score(queries, candidates)
    _same(again, kept, "asked again it says something else")


@check()
def each_question_may_have_candidates_of_its_own(make: Make, context: Context) -> None:
    """Candidates in another order, and places that hold none, change nothing for the others."""
    bot, scorer = _opened(make, context)
    queries, candidates = _queries(bot, *QUESTIONS), _all(bot, len(QUESTIONS))
    wanted = scorer.score(queries, candidates)
    turned = np.full((len(queries), candidates.shape[1] + 2), NO_CANDIDATE, np.int64)
    for row in range(len(queries)):
        places = np.roll(np.arange(candidates.shape[1]), row)
        turned[row, 1:-1] = candidates[row, places]
    found = scorer.score(queries, turned)
    for row in range(len(queries)):
        places = np.roll(np.arange(candidates.shape[1]), row)
        what = "candidates of its own, beside places that hold none, are scored otherwise"
        one, other = _rows(found, [row]), _rows(wanted, [row])
        _same(_columns(one, slice(1, -1)), _columns(other, places), what)


@check()
def declining_can_be_scored(make: Make, context: Context) -> None:
    """Saying nothing is a candidate, beside answers and alone."""
    bot, scorer = _opened(make, context)
    queries, candidates = _queries(bot, *QUESTIONS), _all(bot, len(QUESTIONS))
    declining = np.full((len(queries), 1), DECLINE, np.int64)
    for given in (np.hstack([candidates, declining]), declining):
        _told_by(scorer, queries, given, "with DECLINE")


@check()
def proposals_are_answers(make: Make, context: Context) -> None:
    """It proposes numbers of answers, each once, never more than asked for, or none."""
    bot, scorer = _opened(make, context)
    queries, known = _queries(bot, *QUESTIONS), range(_count(bot))
    for most in (1, 2, len(known), 100):
        found = [list(each) for each in scorer.propose(queries, most)]
        require(len(found) == len(queries), f"{len(queries)} questions, {len(found)} proposals")
        for query, numbers in zip(queries, found, strict=True):
            what = f"asked for {most} answers to {query.text!r} it proposes {numbers}"
            require(len(numbers) <= most, what)
            require(len(set(numbers)) == len(numbers), f"{what}, one of them twice")
            require(set(numbers) <= set(known), f"{what}; the answers are 0 to {known[-1]}")


@check()
def any_text_is_scored(make: Make, context: Context) -> None:
    """Blank, endless and strange questions get finite numbers like any other."""
    bot, scorer = _opened(make, context)
    for text in ODD:
        queries = _queries(bot, text)
        _told_by(scorer, queries, _all(bot, 1), f"asked {text[:20]!r}")
        scorer.propose(queries, 2)


@check(Rounds.CHOICES)
def what_it_wrote_is_all_it_needs(make: Make, context: Context) -> None:
    """Another object opens what was stored, in another place, and says the same."""
    fitted, first, moved = make(), context.folder(), context.folder() / "elsewhere"
    teach_scorer(fitted, first)
    bot = babbling_bot(folder=first)
    wanted = _numbers(_open(fitted, bot), bot)
    shutil.move(first, moved)
    first.mkdir()
    bot = babbling_bot(folder=moved)
    _same_numbers(_numbers(_open(make(), bot), bot), wanted, "another object says something else")


@check(Rounds.FIRST)
def another_process_says_the_same(make: Make, context: Context) -> None:
    """What was stored does not follow the order of a set, which is another in each process."""
    bot, scorer = _opened(make, context)
    found = told_elsewhere(context, _PROGRAM, str(bot.folder), "1")
    _same_numbers(found, _numbers(scorer, bot), "another process says something else")


_PROGRAM = "from chatseq.testing.checks.scorer import told_of\nanswer = told_of(part, given)"


@check(Rounds.FIRST)
def damaged_files_are_told(make: Make, context: Context) -> None:
    """A file of its own that cannot be read is an OSError or a ValueError, as is one missing."""
    watched = _Watched(make(), context)
    teach_scorer(watched, context.folder())
    for name in watched.written:
        for content in (None, *_DAMAGED):
            folder = context.folder() / "damaged"
            shutil.copytree(_taught(context), folder)
            _damage(folder / name, content)
            try:
                bot = babbling_bot(folder=folder)
                scorer = make().open(bot)
                if scorer is not None:
                    scorer.score(_queries(bot, "hello"), _all(bot, 1))
            except (OSError, ValueError):
                pass
            except Exception as fault:
                damage = "missing" if content is None else f"{content!r}"
                raise AssertionError(
                    f"with {name} {damage} it raises {type(fault).__name__}: {fault}. "
                    "Raise a ValueError that says what is wrong."
                ) from fault


@check(Rounds.CHOICES)
def the_responder_qa_joins_it(make: Make, context: Context) -> None:
    """A bot is fitted with it beside another scorer, and gives answers of its corpus."""
    name, plugins = _listed(context)
    other = "nearest" if name != "nearest" else "linear"
    wanted = [{"name": name, **context.options}, other]
    registry = builtin_registry(*plugins)
    responder: Any = registry.find("responder", "qa").load()
    folder = context.folder()
    write_pairs(folder, TAUGHT)
    bot = babbling_bot(folder=folder, plugins=plugins)
    responder.fit(FitData(bot, TAUGHT, (), closed=True, seed=0), folder, {"scorers": wanted})
    replies = list(responder(bot, scorers=wanted).reply_all([*QUESTIONS, *ODD]))
    for reply in replies:
        require(isinstance(reply, Reply), f"it replies with {reply!r}")
        require(0 <= reply.confidence <= 1, f"a reply has the confidence {reply.confidence}")


def told_of(scorer: Scorer, folder: str) -> list[Any]:
    """Return what a scorer says of every answer, as plain numbers; for another process."""
    bot = babbling_bot(folder=Path(folder))
    return _numbers(_open(scorer, bot), bot)


class _Watched:
    """Fits a scorer, and sees what that changes."""

    def __init__(self, scorer: Scorer, context: Context) -> None:
        self._scorer, self._context = scorer, context
        self.written: dict[str, bytes] = {}

    def fit(self, data: FitData, folder: Path) -> None:
        """Fit the scorer where nothing else lies about."""
        before, earlier = _files(folder), _files(data.fitted)
        around = self._context.folder()
        with chdir(around):
            self._scorer.fit(data, folder)
        stray = sorted(path.name for path in around.iterdir())
        require(not stray, f"it writes {stray} where the program runs")
        require(_files(data.fitted) == earlier, "it changes what was fitted before")
        after = _files(folder)
        for name in before:
            require(after.get(name) == before[name], f"it changes {name}, which is not its own")
        self.written = {name: each for name, each in after.items() if name not in before}

    def open(self, bot: Bot) -> FittedScorer | None:
        """Open the scorer."""
        return self._scorer.open(bot)


class _Brings:
    """The plugin of a scorer that is under check."""

    def __init__(self, name: str, component: Callable[..., Any]) -> None:
        self._parts = {name: component}

    @hookimpl
    def chatseq_scorers(self) -> dict[str, object]:
        return dict(self._parts)


def _listed(context: Context) -> tuple[str, list[object]]:
    """Return the name by which a recipe names the scorer, and the plugin that brings it."""
    known = builtin_registry().parts("scorer")
    name, component = context.subject.name or "checked", context.subject.component
    if name in known and known[name].load() is component:
        return name, []
    name = "checked" if name in known else name
    return name, [_Brings(name, component)]


def _taught(context: Context) -> Path:
    """Return where the scorer has learnt; once, for learning may take most of the time."""
    key = context.subject.component, repr(sorted(context.options.items()))
    if key not in _TAUGHT:
        folder = Path(_KEPT.enter_context(TemporaryDirectory()))
        teach_scorer(context.subject.component(**context.options), folder)
        _TAUGHT[key] = folder
    return _TAUGHT[key]


def _opened(make: Make, context: Context) -> tuple[Bot, FittedScorer]:
    bot = babbling_bot(folder=_taught(context))
    return bot, _open(make(), bot)


def _open(scorer: Scorer, bot: Bot) -> FittedScorer:
    found = scorer.open(bot)
    if found is None:
        raise AssertionError("it has nothing to say, though it was fitted where answers recur")
    return found


def _queries(bot: Bot, *texts: str) -> list[Query]:
    """Return questions as scorers take them, every other one with turns before it."""
    turns = [CONTEXT if at % 2 else () for at in range(len(texts))]
    return [Query(one, bot.reader.read(one, said)) for one, said in zip(texts, turns, strict=True)]


def _count(bot: Bot) -> int:
    assert bot.answers is not None  # noqa: S101  (every bot here has them)
    return len(bot.answers.texts)


def _all(bot: Bot, rows: int) -> Ints:
    return np.repeat(np.arange(_count(bot), dtype=np.int64)[None], rows, axis=0)


def _checked(scorer: FittedScorer, queries: Sequence[Query], candidates: Ints) -> None:
    names: Any = scorer.features
    named = isinstance(names, tuple) and all(type(name) is str and name for name in names)
    require(named and len(set(names)) == len(names), f"features are {names!r}, no tuple of names")
    told = _told_by(scorer, queries, candidates, "asked")
    require(set(told.features) == set(names), f"features {[*told.features]}, named {[*names]}")


def _told_by(
    scorer: FittedScorer, queries: Sequence[Query], candidates: Ints, how: str
) -> AnswerScores:
    told: Any = scorer.score(queries, candidates)
    require(isinstance(told, AnswerScores), f"{how} it gives a {type(told).__name__}")
    for name, values in {"scores": told.scores, **told.features}.items():
        shape = getattr(values, "shape", None)
        what = f"{how}, {name!r} is of shape {shape}, the candidates of {candidates.shape}"
        require(shape == candidates.shape, what)
        finite = values.dtype.kind == "f" and bool(np.isfinite(values).all())
        require(finite, f"{how}, {name!r} has what is no finite number")
    assert isinstance(told, AnswerScores)  # noqa: S101  (required above)
    return told


def _rows(told: AnswerScores, at: Sequence[int]) -> AnswerScores:
    rows = list(at)
    return AnswerScores(told.scores[rows], {n: each[rows] for n, each in told.features.items()})


def _columns(told: AnswerScores, at: Any) -> AnswerScores:
    return AnswerScores(told.scores[:, at], {n: each[:, at] for n, each in told.features.items()})


def _same(found: AnswerScores, wanted: AnswerScores, what: str) -> None:
    both = [("scores", found.scores, wanted.scores)]
    both += [(name, found.features[name], each) for name, each in wanted.features.items()]
    for name, one, other in both:
        close = np.allclose(one, other, rtol=CLOSE, atol=CLOSE, equal_nan=True)
        require(close, f"{what}: {name!r} is {one.tolist()} and not {other.tolist()}")


def _numbers(scorer: FittedScorer, bot: Bot) -> list[Any]:
    told = scorer.score(_queries(bot, *QUESTIONS), _all(bot, len(QUESTIONS)))
    return [told.scores.tolist(), *(told.features[name].tolist() for name in scorer.features)]


def _same_numbers(found: list[Any], wanted: list[Any], what: str) -> None:
    require(np.allclose(found, wanted, rtol=CLOSE, atol=CLOSE, equal_nan=True), what)


def _require_own(name: str, listed: str) -> None:
    own = not listed or name.startswith((f"{listed}-", f"{listed}."))
    require(own, f"it writes {name!r}. Begin it with its own name: '{listed}-…'")


def _files(folder: Path | None) -> _Files:
    """Return the files of a folder, those of its folders counted, with what they hold."""
    found = folder.rglob("*") if folder is not None else ()
    return {
        path.relative_to(folder or path).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in found
    }


def _damage(file: Path, content: bytes | None) -> None:
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
