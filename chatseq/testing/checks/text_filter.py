"""What every text filter must keep to; see chatseq.text.contracts.TextFilter."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from chatseq.testing.check import Context, Make, check, require
from chatseq.testing.checks.processes import told_elsewhere
from chatseq.testing.rounds import Rounds
from chatseq.text.contracts import TextFilter

TEXTS = (
    "How do I get a new pasword?",
    "  What’s   the “price”  of it ? ",
    "Mail me at jo.doe+bot@example.com, or call +49 (170) 123-45-67.",
    "My order is 1234567890, see https://example.com/orders?id=12 and www.example.org.",
    "ＦＵＬＬ width, ﬁne ligatures, a\u0301 accents, ½ and №",
    "请发邮件到abc@example.com，谢谢！电话13800138000。",
    "SHOUTING QUESTION!!!???",
    "i dont no waht two due",
    "a\tb\nc\r\nd\u00a0e\u2028f",
)
ODD = (
    " ",
    "\n\n",
    "\x00\x1b[31m",
    "\ud800",
    "a\udfffb",
    "😀👩‍👩‍👧",
    "\u202eabc",
    "e\u200b\u0301\ufeff",
    "<email> <number>",
    "@.@..@-+(",
    "</s><pad>",
)
# Of one kind of character, of which a pattern may try every beginning and every end.
UNITS = ("a", "1", "@", ".", "a.", "a@", "1 ", "(", "'", " ", "的", "e\u0301", "\ud800", "http://")
MANY = 10_000  # characters
_LONGER = 3  # times as many
_MOST_TIMES = 5.5  # as long for those; the square of so many would be 9
_MOST_SECONDS = 1.0  # for MANY characters; nobody waits longer, however steadily it grows
_SOON = 0.03  # seconds; of what takes less nobody asks how it grows, for noise would answer


def arguments() -> Iterator[tuple[()]]:
    """Yield nothing: a filter has options only."""
    yield ()


@check()
def text_comes_out(make: Make, context: Context) -> None:
    """For every text it gives a text."""
    filter_ = make()
    for text in TEXTS:
        found: Any = filter_(text)
        require(type(found) is str, f"{text!r} gives {found!r}")


@check()
def the_same_text_gives_the_same(make: Make, context: Context) -> None:
    """What comes out depends on the text alone: not on chance, nor on what was filtered before."""
    filter_ = make()
    first = [filter_(text) for text in TEXTS]
    for text, found in reversed([*zip(TEXTS, first, strict=True)]):
        for again in (filter_(text), make()(text)):
            require(again == found, f"{text!r} gives {found!r}, and then {again!r}")


@check()
def what_is_filtered_stays(make: Make, context: Context) -> None:
    """Filtering again changes nothing, for what was stored is filtered as what is asked."""
    filter_ = make()
    for text in (*TEXTS, *ODD, " ".join(TEXTS), "".join(ODD)):
        once = _filtered(filter_, text)
        again = _filtered(filter_, once)
        require(again == once, f"{text!r} gives {once!r}, and that gives {again!r}")


@check()
def nothing_stays_nothing(make: Make, context: Context) -> None:
    """An empty text stays empty: a filter asks nothing by itself."""
    found = make()("")
    require(found == "", f"an empty text gives {found!r}")


@check()
def any_text_is_taken(make: Make, context: Context) -> None:
    """Half surrogates, emoji and control characters raise nothing."""
    filter_ = make()
    for text in ODD:
        require(isinstance(_filtered(filter_, text), str), f"{text!r} gives no text")


@check(Rounds.FIRST)
def long_texts_take_no_more_than_their_share(make: Make, context: Context) -> None:
    """Time grows as the text does, whatever it is made of; 10,000 characters are soon read."""
    filter_ = make()
    for unit in UNITS:
        took = _seconds(filter_, (unit * MANY)[:MANY])
        require(took < _MOST_SECONDS, f"{MANY} characters of {unit!r} take {took:.1f} s")
        if took > _SOON:
            times = _seconds(filter_, (unit * _LONGER * MANY)[: _LONGER * MANY]) / took
            what = f"{_LONGER} times as many of {unit!r} take {times:.0f} times as long"
            require(times < _MOST_TIMES, what)


@check(Rounds.FIRST)
def other_processes_give_the_same(make: Make, context: Context) -> None:
    """What comes out does not follow the order of a set, which is another in each process."""
    one, other = (told_elsewhere(context, _PROGRAM, TEXTS, seed) for seed in ("1", "2"))
    for text, found, otherwise in zip(TEXTS, one, other, strict=True):
        require(found == otherwise, f"{text!r} gives {found!r}, in another process {otherwise!r}")


_PROGRAM = "answer = [part(text) for text in given]"


def _filtered(filter_: TextFilter, text: str) -> str:
    try:
        return filter_(text)
    except Exception as fault:
        raise AssertionError(f"{text[:40]!r} raises {type(fault).__name__}: {fault}") from fault


def _seconds(filter_: TextFilter, text: str) -> float:
    """Return how long the processor works, the quicker of two times."""
    found = []
    for _ in range(2):
        began = time.process_time()
        _filtered(filter_, text)
        found.append(time.process_time() - began)
    return min(found)
