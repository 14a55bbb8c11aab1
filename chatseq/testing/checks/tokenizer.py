"""What every tokenizer must keep to; see chatseq.text.tokenizer."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from chatseq.core.errors import TokenizerError
from chatseq.testing.check import Context, Make, check, require
from chatseq.testing.checks.processes import told_elsewhere
from chatseq.testing.rounds import Rounds
from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID, PAD_ID, START_ID, Tokenizer

QUESTIONS = [
    "How do I train a bot on my own file?",
    "How do I stop the training?",
    "怎么训练一个机器人？",
    "训练一个机器人要多久？",
] * 3
ANSWERS = ["It takes less than a minute.", "Press Ctrl-C; the bot is kept.", "只要一分钟。"] * 3

# In canonical form, as chatseq cleans text; what breaks tokenizers more often than other text.
TEXTS = (
    *("", " ", "  ", "\n", "\t", "a", " a", "a ", "  two  spaces  ", "line\nbreak\r\n"),
    *("How do I stop a bot?", "UPPER lower 123 4.5", "don't, can't; won't!", "\x00\x1b[31m"),
    *("训练一个机器人", "你好, world。", "한국어 か हिन्दी", "𠮷龘", "é e ñ"),
    *("ﬁ ① ½", "<0x41> [UNK] ##"),
    *("😀", "\U0001f469\u200d\U0001f469\u200d\U0001f467 🇩🇪", "hi 😀😃", "\u2028\x85\ufeff\u200d"),
    *("nothing like anything that was learnt: qzxj", "a" * 300),
)  # fmt: skip
NO_TOKENIZER = ("", "{}", "[1]", "null", "not JSON", '{"model": {"type": "BPE"}}')


def arguments() -> Iterator[tuple[()]]:
    """Yield nothing: a tokenizer has options only."""
    yield ()


@check()
def every_text_comes_back(make: Make, context: Context) -> None:
    """Questions and answers are decoded to exactly what was encoded, whatever they hold."""
    tokenizer = _learnt(make)
    for text in (*TEXTS, *QUESTIONS, *ANSWERS):
        for ids in (tokenizer.encode(text), tokenizer.encode_answer(text)):
            back = tokenizer.decode(ids)
            require(back == text, f"{text!r} comes back as {back!r}")


@check()
def ids_are_within_its_size_and_no_marks(make: Make, context: Context) -> None:
    """Every id is an integer from the first free one to below `size`."""
    tokenizer = _learnt(make)
    for text in TEXTS:
        for ids in (tokenizer.encode(text), tokenizer.encode_answer(text)):
            wrong = [
                i for i in ids if type(i) is not int or not FIRST_FREE_ID <= i < tokenizer.size
            ]
            require(not wrong, f"{text!r} has the ids {wrong}, of {tokenizer.size}")


@check()
def marks_give_no_text(make: Make, context: Context) -> None:
    """Padding, start and end marks are decoded to nothing, wherever they stand."""
    tokenizer = _learnt(make)
    ids = tokenizer.encode_answer("train a bot")
    found, wanted = tokenizer.decode([START_ID, *ids, END_ID, PAD_ID]), tokenizer.decode(ids)
    require(found == wanted, f"with marks around, {wanted!r} comes back as {found!r}")


@check()
def a_random_segmentation_is_the_same_text(make: Make, context: Context) -> None:
    """A sample is decoded to its text, and depends on the seed alone."""
    tokenizer, fresh = _learnt(make), _learnt(make)
    for text in (*TEXTS, *QUESTIONS):
        for seed, dropout in ((0, 0.0), (1, 0.1), (2, 0.5), (2**40, 1.0)):
            ids = tokenizer.sample(text, seed, dropout=dropout)
            back, wanted = tokenizer.decode(ids), tokenizer.decode(tokenizer.encode(text))
            require(back == wanted, f"a sample of {wanted!r} comes back as {back!r}")
            same = fresh.sample(text, seed, dropout=dropout) == ids
            require(same, f"seed {seed} gives two samples of {text!r}")


@check()
def any_ids_are_decoded(make: Make, context: Context) -> None:
    """Ids in any order are decoded to text that can be written; a model says anything at first."""
    tokenizer, draw = _learnt(make), random.Random(0)  # noqa: S311  (no secret)
    for _ in range(100):
        ids = [draw.randrange(tokenizer.size) for _ in range(8)]
        try:
            tokenizer.decode(ids).encode()
        except UnicodeEncodeError as fault:
            raise AssertionError(f"the ids {ids} are decoded to half a character") from fault


@check()
def what_is_shown_of_a_growing_text_stays(make: Make, context: Context) -> None:
    """The text of the first few ids begins the text of all, characters not yet whole left out."""
    tokenizer = _learnt(make)
    for text in TEXTS:
        ids = tokenizer.encode_answer(text)
        for end in range(len(ids)):
            shown, whole = tokenizer.decode(ids[:end]).rstrip("\ufffd"), tokenizer.decode(ids)
            require(whole.startswith(shown), f"of {whole!r}, {shown!r} is shown at first")


@check()
def each_id_has_a_piece(make: Make, context: Context) -> None:
    """Every id, marks included, stands for something that people can read."""
    tokenizer = _learnt(make)
    ids = [PAD_ID, START_ID, END_ID, *tokenizer.encode("训练 a bot 😀")]
    pieces = tokenizer.pieces(ids)
    require(len(pieces) == len(ids), f"{len(ids)} ids have {len(pieces)} pieces")
    require(all(pieces), f"the pieces {pieces} hold an empty one")
    everything = tokenizer.pieces(range(tokenizer.size))
    require(len(everything) == tokenizer.size, f"not each of {tokenizer.size} ids has a piece")


@check()
def the_same_texts_teach_the_same(make: Make, context: Context) -> None:
    """Learning depends on the texts alone, and goes through them once."""
    again = make().learn(iter(QUESTIONS), iter(ANSWERS))
    require(again.to_json() == _learnt(make).to_json(), "the same texts give two tokenizers")


@check(Rounds.FIRST)
def other_processes_learn_the_same(make: Make, context: Context) -> None:
    """Learning does not follow the order of a set, which is another in each process."""
    learnt = [told_elsewhere(context, _PROGRAM, [QUESTIONS, ANSWERS], seed) for seed in ("1", "2")]
    require(learnt[0] == learnt[1], "two processes learn two tokenizers from the same texts")


@check()
def a_stored_tokenizer_is_the_same(make: Make, context: Context) -> None:
    """Written as JSON and loaded, it has the same size, ids, pieces and texts."""
    learnt = _learnt(make)
    stored = learnt.to_json()
    json.loads(stored)
    again = make().load(stored)
    require(again.size == learnt.size, f"{learnt.size} ids are stored, {again.size} are loaded")
    require(again.to_json() == stored, "it is stored otherwise after it was loaded")
    for text in (*TEXTS, *QUESTIONS, *ANSWERS):
        for one, other in ((learnt.encode, again.encode),
                           (learnt.encode_answer, again.encode_answer)):  # fmt: skip
            require(one(text) == other(text), f"{text!r} has other ids once it was loaded")
        ids = learnt.encode_answer(text)
        same = again.decode(ids) == learnt.decode(ids)
        require(same, f"{text!r} comes back otherwise once it was loaded")
        require(again.pieces(ids) == learnt.pieces(ids), f"{text!r} has other pieces once loaded")


@check()
def what_is_no_tokenizer_is_refused(make: Make, context: Context) -> None:
    """Loading something else, or learning from nothing, is a TokenizerError."""
    damaged = _learnt(make).to_json()[:-20]
    for text in (*NO_TOKENIZER, damaged):
        _refused(lambda text=text: make().load(text), f"loading {text[:20]!r}")
    for texts in ([], ["", ""]):
        _refused(lambda texts=texts: make().learn(texts, texts), f"learning from {texts}")


def _learnt(make: Make) -> Tokenizer:
    tokenizer: Tokenizer = make().learn(QUESTIONS, ANSWERS)
    return tokenizer


def _refused(try_it: Any, what: str) -> None:
    try:
        try_it()
    except TokenizerError as fault:
        require(bool(str(fault)), f"{what} is refused without a word")
    else:
        raise AssertionError(f"{what} is no TokenizerError")


_PROGRAM = """
questions, answers = given
answer = part.learn(questions, answers).to_json()
"""
