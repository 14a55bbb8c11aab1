"""Whether a bot in training grows dull: one reply to much, or none worth the name.

The replies of a validation are compared with the answers that were wanted, so that a FAQ with few
answers, which must say each of them often, is not called dull. Nothing here knows the network.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

from chatseq.core.events import DiversityReport, TextStats
from chatseq.text.normalise import normalise_answer, units

WATCHED_FROM = 0.5  # of a run; before that all networks say the same to everything

# Of the questions that want another answer, the share that gets the most frequent one. People do
# not repeat themselves like that: in chats no turn comes more often than in one of a hundred.
_SAME = 0.15
# The same where that answer is right for so much that leaning to it is no wonder, as yes and no.
_NEARLY_ALL = 0.9
_MUCH = 2.0  # times the wanted share; above it the first of the two limits holds
_EMPTY = 0.1  # of the questions that want words; a bot that is never sure is of little use
_VARIED = 0.2  # of the wanted distinct-2: four of five pairs of words never come
_LONG, _SHORT = 2.5, 0.4  # times the wanted length, beyond what the habits of a search explain
_WORDS = 4.0  # between two mean lengths; of one word and three nobody complains
_BEYOND_CHANCE = 5  # replies that are the same, more than wanted
_FEWEST = 20  # replies; means of fewer say little
_WIDEST = 48  # characters of a reply that is told

_LEARN = "more epochs, a lower training.learning_rate"
_FOR_FAQ = f"Try {_LEARN}, or more wordings of the questions."  # there frequent answers are right
_SPECIFIC = "decoding.adjusters with specificity, the strategy sample"
_FOR_TALK = f"Try {_SPECIFIC}, {_LEARN}, or more varied answers."


def diversity_of(replies: Sequence[str], wanted: Sequence[str]) -> DiversityReport:
    """Return the figures of replies and of the answers that were wanted, one for each."""
    said = [normalise_answer(text) for text in replies]
    right = [normalise_answer(text) for text in wanted]
    told = Counter(text for text in said if text).most_common(1)
    most_frequent, times = told[0] if told else ("", 0)
    return DiversityReport(
        count=len(said),
        replies=_spoken(said),
        wanted=_spoken(right),
        most_frequent=most_frequent,
        share=times / max(1, len(said)),
        wanted_share=right.count(most_frequent) / max(1, len(right)) if told else 0.0,
    )


def collapse_warning(variety: DiversityReport, recurring_answers: bool) -> str | None:
    """Return in one line what is dull about the replies and what to change; None: nothing is.

    Args:
        recurring_answers: answers recur, as in a FAQ
    """
    cure = _FOR_FAQ if recurring_answers else _FOR_TALK
    told = (
        _empty(variety),
        _same(variety, cure),
        _too_long(variety),
        _too_short(variety),  # one word alone has no pairs, so this comes before the next
        _uniform(variety, cure),
    )
    return next(filter(None, told), None)


def _empty(variety: DiversityReport) -> str:
    said, wanted = variety.replies.empty, variety.wanted.empty
    if not _is_beyond_chance(variety, said - wanted) or _undue(said, wanted) < _EMPTY:
        return ""
    return (
        f"{_percent(said)} of the validation replies are empty ({_percent(wanted)} of the wanted "
        f"answers are). Try {_LEARN}, or fewer rows with an empty answer."
    )


def _same(variety: DiversityReport, cure: str) -> str:
    said, wanted = variety.share, variety.wanted_share
    least = _SAME if said >= _MUCH * wanted else _NEARLY_ALL
    if not _is_beyond_chance(variety, said - wanted) or _undue(said, wanted) < least:
        return ""
    return (
        f"{_percent(said)} of the validation replies are '{_cut(variety.most_frequent)}' "
        f"({_percent(wanted)} of the wanted answers are). {cure}"
    )


def _too_long(variety: DiversityReport) -> str:
    said, wanted = variety.replies.words, variety.wanted.words
    if variety.count < _FEWEST or said <= max(_LONG * wanted, wanted + _WORDS):
        return ""
    return (
        f"The validation replies are {said:.1f} words long (the wanted answers {wanted:.1f}). Try "
        f"decoding.adjusters with ngram-block, a smaller decoding.max_length, {_LEARN}."
    )


def _too_short(variety: DiversityReport) -> str:
    said, wanted = variety.replies.words, variety.wanted.words
    if variety.count < _FEWEST or said >= min(_SHORT * wanted, wanted - _WORDS):
        return ""
    return (
        f"The validation replies are {said:.1f} words long (the wanted answers {wanted:.1f}). Try "
        f"a larger decoding.max_length, decoding.adjusters with minimum-length, {_LEARN}."
    )


def _uniform(variety: DiversityReport, cure: str) -> str:
    said, wanted = variety.replies, variety.wanted
    is_varied = said.distinct_2 >= _VARIED * wanted.distinct_2
    if variety.count < _FEWEST or is_varied or said.distinct_1 >= wanted.distinct_1:
        return ""
    return (
        f"The validation replies have a distinct-2 of {said.distinct_2:.2f} (the wanted answers "
        f"{wanted.distinct_2:.2f}). {cure}"
    )


def _is_beyond_chance(variety: DiversityReport, share: float) -> bool:
    return share * variety.count >= _BEYOND_CHANCE - 1e-9


def _undue(said: float, wanted: float) -> float:
    """Return the share that got a reply of those that want another one; 0 where none does."""
    return (said - wanted) / (1 - wanted) if wanted < 1 else 0.0


def _spoken(texts: Sequence[str]) -> TextStats:
    cut = [units(text) for text in texts]
    total = sum(map(len, cut))
    words = {word for some in cut for word in some}
    pairs = {pair for some in cut for pair in itertools.pairwise(some)}
    return TextStats(
        distinct_1=len(words) / max(1, total),
        distinct_2=len(pairs) / max(1, total),
        words=total / max(1, len(texts)),
        empty=sum(not text for text in texts) / max(1, len(texts)),
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
