"""What every metric must keep to; see chatseq.evaluation.contracts.Metric."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from chatseq.core.exchange import Reply, ReplySource
from chatseq.evaluation.contracts import JudgedReply
from chatseq.testing.check import Context, Make, check, require

CLOSE = 1e-6


def arguments() -> Iterator[tuple[()]]:
    """Yield nothing: a metric has options only."""
    yield ()


def _judged(
    said: str, *answers: str, confidence: float = 0.5, declined: bool = False
) -> JudgedReply:
    source = ReplySource.DECLINED if declined else ReplySource.GENERATED
    return JudgedReply("what is it", answers, Reply(said, source, confidence, tokens=len(said)))


JUDGED = (
    _judged("it is a bot", "it is a bot", confidence=0.9),
    _judged("it is a cat that sleeps", "it is a dog", "a dog"),
    _judged("", "something", confidence=0.0),
    _judged("这是一个机器人", "这是一个机器人。"),
    _judged("I do not know.", declined=True, confidence=0.2),
    _judged("I do not know.", "yes", declined=True, confidence=0.3),
    _judged("an answer to what has none", confidence=1.0),
    _judged("it is a bot", "it is a bot", confidence=0.9),
    _judged("😀\u2028\x00 ", "😀", confidence=math.nan),
)


@check()
def figures_are_finite_numbers_with_names(make: Make, context: Context) -> None:
    """Every figure has a name and is a finite number, or None where it does not apply."""
    for judged in ((), JUDGED[:1], JUDGED[4:5], JUDGED[2:3], JUDGED):
        figures = _figures(make, judged)
        require(isinstance(figures, Mapping), f"figures are a {type(figures).__name__}")
        require(bool(figures), "there are no figures")
        for name, value in figures.items():
            require(isinstance(name, str) and name.isidentifier(), f"{name!r} is no name")
            fits = value is None or (isinstance(value, int | float) and math.isfinite(value))
            require(fits, f"the figure '{name}' is {value!r} after {len(judged)} replies")


@check()
def nothing_has_the_same_figures(make: Make, context: Context) -> None:
    """The names of the figures are the same before anything was added and afterwards."""
    before, after = _figures(make, ()), _figures(make, JUDGED)
    require(set(before) == set(after), f"{sorted(before)} at first, later {sorted(after)}")


@check()
def any_split_gives_the_same_figures(make: Make, context: Context) -> None:
    """Batches and workers, however the replies are spread over them, change no figure."""
    wanted = _figures(make, JUDGED)
    one_by_one = make()
    for judged in JUDGED:
        one_by_one.add([judged])
    _same(one_by_one.figures(), wanted, "one reply at a time gives other figures")
    for cut in range(len(JUDGED) + 1):
        left, right = make(), make()
        left.add(JUDGED[:cut])
        right.add(JUDGED[cut:])
        left.merge(right)
        what = f"two workers with {cut} and {len(JUDGED) - cut} replies give other figures"
        _same(left.figures(), wanted, what)


@check()
def the_order_of_replies_changes_nothing(make: Make, context: Context) -> None:
    """Replies in another order give the same figures."""
    what = "replies in another order give other figures"
    _same(_figures(make, JUDGED[::-1]), _figures(make, JUDGED), what)


@check()
def looking_changes_nothing(make: Make, context: Context) -> None:
    """Figures can be asked for at any time, and other metrics of the kind are not disturbed."""
    metric, other = make(), make()
    for judged in JUDGED:
        metric.figures()
        metric.add([judged])
    _same(metric.figures(), _figures(make, JUDGED), "asking for figures changes them")
    _same(other.figures(), _figures(make, ()), "one metric adds to another of its kind")


def _figures(make: Make, judged: Sequence[JudgedReply]) -> Mapping[str, float | None]:
    metric = make()
    metric.add(judged)
    figures: Mapping[str, float | None] = metric.figures()
    return figures


def _same(found: Mapping[str, float | None], wanted: Mapping[str, float | None], what: str) -> None:
    require(set(found) == set(wanted), f"{what}: {sorted(found)} and {sorted(wanted)}")
    for name, value in wanted.items():
        other = found[name]
        if value is None or other is None:
            require(value is other, f"{what}: {name} is {other} and not {value}")
        else:
            neither = math.isnan(value) and math.isnan(other)  # which another check tells
            close = neither or math.isclose(value, other, rel_tol=CLOSE, abs_tol=CLOSE)
            require(close, f"{what}: {name} is {other} and not {value}")
