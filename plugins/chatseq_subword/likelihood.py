"""Learns the pieces of a unigram language model (Kudo 2018, section 3.2).

Of all substrings that recur, those stay without which the corpus would be least likely. The trainer
of the tokenizers library adds up in an order that changes from run to run, and so do its pieces and
their ids; here the same words always give the same pieces.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from chatseq_subword.lattice import Floats, Lattice

_MOST_WORDS = 200_000  # distinct ones; what rarer words say hardly counts
_LONGEST_RUN = 32  # characters; longer runs, as of Chinese, are learnt from in parts
_SEEDS = 10  # times the pieces wanted, to choose from
_KEPT = 0.75  # share of the pieces that each round keeps
_ESTIMATES = 2  # in each round
_LEAST = 0.5  # expected count of a piece; characters stay whatever theirs is
_DIGITS = 6  # of a stored score


def learn_pieces(
    words: Mapping[str, int], alphabet: Sequence[str], *, most: int, longest: int
) -> list[tuple[str, float]]:
    """Return pieces with their log-probabilities, the likeliest first.

    Args:
        words: how often each word comes
        alphabet: characters that are pieces whatever they are worth
        most: pieces at most
        longest: characters of a piece at most
    """
    runs = _known_runs(words, set(alphabet))
    seeds = _seeds(runs, alphabet, most=_SEEDS * most, longest=longest)
    pieces = list(seeds)
    always = np.arange(len(pieces)) < len(alphabet)
    scores = _log_shares(np.array(list(seeds.values()), np.float64), always)
    lattice = Lattice(runs, pieces, longest)
    others = Lattice(dict.fromkeys(pieces, 1), pieces, longest, whole=False)
    while True:
        for _ in range(_ESTIMATES):
            counts = lattice.expected_counts(scores)
            scores = _log_shares(counts, always)
        left = int(np.isfinite(scores).sum())
        if left <= most:
            return _sorted(pieces, scores)
        worth = _worth(counts, scores, others.likelihoods(scores), always)
        scores[_all_but_best(worth, max(most, int(_KEPT * left)))] = -np.inf


def _known_runs(words: Mapping[str, int], alphabet: set[str]) -> Counter[str]:
    """Return the runs of known characters in the words; what lies between is spelt in bytes."""
    often = sorted(words, key=lambda word: (-words[word], word))[:_MOST_WORDS]
    runs: Counter[str] = Counter()
    for word in often:
        for known, letters in itertools.groupby(word, alphabet.__contains__):
            while known and (run := "".join(itertools.islice(letters, _LONGEST_RUN))):
                runs[run] += words[word]
    return runs


def _seeds(
    runs: Mapping[str, int], alphabet: Sequence[str], *, most: int, longest: int
) -> dict[str, int]:
    """Return pieces to choose from with a first guess of their counts, the alphabet in front."""
    letters: Counter[str] = Counter()
    for run, count in runs.items():
        for letter in run:
            letters[letter] += count
    parts: dict[str, int] = {}
    shorter = dict(letters)
    for size in range(2, longest + 1):
        shorter = _recurring(runs, size, shorter)
        if not shorter:
            break
        parts |= {part: count * size for part, count in shorter.items()}
    ranked = sorted(parts, key=lambda part: (-parts[part], part))[:most]
    return {letter: letters[letter] for letter in alphabet} | {p: parts[p] for p in ranked}


def _recurring(runs: Mapping[str, int], size: int, shorter: Mapping[str, int]) -> dict[str, int]:
    """Count the substrings of a size that recur; parts of theirs, one shorter, do so too."""
    counts: Counter[str] = Counter()
    for run, count in runs.items():
        for at in range(len(run) - size + 1):
            part = run[at : at + size]
            if part[1:] in shorter and part[:-1] in shorter:
                counts[part] += count
    return {part: count for part, count in counts.items() if count > 1}


def _log_shares(counts: Floats, always: NDArray[np.bool_]) -> Floats:
    """Return log-probabilities; -inf for a piece that is hardly ever expected."""
    counts = np.where(always, np.maximum(counts, _LEAST), counts)
    with np.errstate(divide="ignore"):
        return np.where(counts < _LEAST, -np.inf, np.log(counts / counts.sum()))


def _worth(counts: Floats, scores: Floats, without: Floats, always: NDArray[np.bool_]) -> Floats:
    """Return what the likelihood of the corpus would lose with each piece, about.

    Args:
        without: log-probability of each piece, cut into others
    """
    found = np.full(len(scores), -np.inf)
    there = np.isfinite(scores) & ~always
    found[there] = counts[there] * (scores[there] - without[there])
    found[always] = np.inf
    return found


def _all_but_best(worth: Floats, kept: int) -> NDArray[np.int64]:
    """Return the places of all but the best, of equals the later ones."""
    return np.argsort(-worth, kind="stable")[kept:]


def _sorted(pieces: Sequence[str], scores: Floats) -> list[tuple[str, float]]:
    there = np.flatnonzero(np.isfinite(scores)).tolist()
    found = [(pieces[at], round(float(scores[at]), _DIGITS)) for at in there]
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))
