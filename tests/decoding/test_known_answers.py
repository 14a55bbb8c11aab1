"""Only answers of the corpus are said: by hand, against all of them, and by a trained bot."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chatseq.bots.loader import load_bot
from chatseq.cli.main import run
from chatseq.core.errors import BundleError, PartError
from chatseq.core.exchange import ReplySource
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.decoding.answers import Answers
from chatseq.decoding.contracts import Adjuster, Hypothesis
from chatseq.decoding.search import Decoding, decode
from chatseq.testing import LetterTokenizer, RandomEngine, ScriptedEngine, questions_of
from chatseq.text.tokenizer import END_ID
from chatseq_strategies.banned_words import BannedWords
from chatseq_strategies.known_answers import KnownAnswers
from chatseq_strategies.minimum_length import MinimumLength
from chatseq_strategies.stop_strings import StopStrings

LETTERS = LetterTokenizer()
KNOWN = ["a", "ab", "abba", "cab", "dad", "bad dad", "a cab"]
ASKED = [(5,), (6, 7), (8, 9, 10), (5, 6)]


def search(
    strategy: KnownAnswers,
    *asked: tuple[int, ...],
    known: list[str] = KNOWN,
    adjusters: tuple[Adjuster, ...] = (),
    longest: int = 12,
    engine: Any = None,
    xp: Any = np,
) -> Decoding:
    engine = engine or RandomEngine(vocabulary_size=LETTERS.size, xp=xp)
    decoding = Decoding(
        engine,
        questions_of(*(asked or ASKED)),
        strategy,
        adjusters,
        max_length=longest,
        tokenizer=LETTERS,
        answers=Answers(lambda: known),
    )
    for _ in decoding:
        pass
    return decoding


def best(decoding: Decoding) -> list[Hypothesis]:
    return decoding.hypotheses(0)


def text(reply: Hypothesis) -> str:
    return LETTERS.decode(reply.tokens)


def test_the_likeliest_answer_by_hand() -> None:
    a, b, c = LETTERS.encode("abc")

    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        # free, it would say "c" and end; of the known ones: ab .3 * .5 * .2, ba .1 * .9 * .8
        following = {
            (): {a: 0.3, b: 0.1, c: 0.6},
            (a,): {b: 0.5, END_ID: 0.5},
            (b,): {a: 0.9, b: 0.1},
        }
        return following.get(reply, {END_ID: 0.2 if reply == (a, b) else 0.8, c: 0.1})

    engine = ScriptedEngine(language, vocabulary_size=LETTERS.size)
    found = best(search(KnownAnswers(), (5,), known=["ab", "ba"], engine=engine))
    assert [text(reply) for reply in found] == ["ba", "ab"]
    assert [reply.score for reply in found] == pytest.approx([math.log(0.072), math.log(0.03)])
    assert all(reply.ended for reply in found)


def probability(engine: RandomEngine, question: tuple[int, ...], answer: str) -> float:
    asked = questions_of(question)
    encoded = engine.encode(asked.ids, asked.mask)
    total, state, token = 0.0, encoded.state, 1
    for following in (*LETTERS.encode(answer), END_ID):
        stepped = engine.step(engine.array([token]), state, encoded.memory)
        total, state, token = (
            total + float(stepped.log_probs[0, following]),
            stepped.state,
            following,
        )
    return total


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_beam_wide_enough_finds_the_best_of_all_answers(seed: int, penalty: float) -> None:
    engine = RandomEngine(vocabulary_size=LETTERS.size, seed=seed)
    strategy = KnownAnswers(size=8, n_best=7, length_penalty=penalty)
    for question in ASKED:
        found = best(search(strategy, question, engine=engine))
        scores = {
            answer: probability(engine, question, answer) / (len(answer) + 1) ** penalty
            for answer in KNOWN
        }
        assert [text(reply) for reply in found] == sorted(KNOWN, key=lambda one: -scores[one])
        assert [reply.score for reply in found] == pytest.approx(sorted(scores.values())[::-1])


@pytest.mark.parametrize("size", [1, 2, 5])
def test_every_reply_is_an_answer_however_narrow_the_beam(size: int) -> None:
    for seed in range(10):
        engine = RandomEngine(vocabulary_size=LETTERS.size, seed=seed)
        decoding = search(KnownAnswers(size=size, n_best=1), engine=engine)
        for question in range(len(ASKED)):
            [reply] = decoding.hypotheses(question)
            assert reply.ended
            assert text(reply) in KNOWN


def test_a_batch_and_torch_change_nothing() -> None:
    xp = pytest.importorskip("array_api_compat.torch")
    together, torchs = search(KnownAnswers()), search(KnownAnswers(), xp=xp)
    for number, question in enumerate(ASKED):
        alone = best(search(KnownAnswers(), question))
        assert alone == together.hypotheses(number)
        assert [text(r) for r in torchs.hypotheses(number)] == [text(r) for r in alone]


def test_it_streams_only_what_the_answer_begins_with() -> None:
    decoding = Decoding(
        RandomEngine(vocabulary_size=LETTERS.size),
        questions_of((5,)),
        KnownAnswers(),
        max_length=12,
        tokenizer=LETTERS,
        answers=Answers(lambda: ["abba", "abbot"]),
    )
    stood = [LETTERS.decode(decoding.stable_prefix(0)) for _ in decoding]
    assert stood[:3] == ["a", "ab", "abb"]
    assert stood[-1] in ("abba", "abbot")


def test_answers_that_a_ban_forbids_are_not_said() -> None:
    free = best(search(KnownAnswers(n_best=7)))
    banned = best(search(KnownAnswers(n_best=7), adjusters=(BannedWords(words=("cab",)),)))
    assert {text(reply) for reply in free} == set(KNOWN)
    assert {text(reply) for reply in banned} == {"a", "ab", "abba", "dad", "bad dad"}
    longer = best(search(KnownAnswers(n_best=7), adjusters=(MinimumLength(tokens=4),)))
    assert {text(reply) for reply in longer} == {"abba", "bad dad", "a cab"}


def test_where_no_answer_is_left_what_there_was_is_cut() -> None:
    decoding = search(
        KnownAnswers(), adjusters=(BannedWords(words=("b",)),), known=["a b", "a b d"]
    )
    [reply] = best(decoding)
    assert (text(reply), reply.ended) == ("a ", False)
    assert len(reply.log_probs) == 2
    assert decoding._search.step == 2
    nothing = search(KnownAnswers(), adjusters=(BannedWords(words=("a",)),), known=["a b"])
    assert best(nothing) == [Hypothesis((), (), 0.0, ended=False)]


def test_a_stop_string_may_cut_an_answer_short() -> None:
    stop = StopStrings(strings=("d",))
    found = best(search(KnownAnswers(), adjusters=(stop,), known=["bad dad"]))
    assert [(text(reply), reply.ended) for reply in found] == [("bad", True)]


def test_without_answers_it_says_what_to_do() -> None:
    for known in ([], [" "]):
        with pytest.raises(PartError, match="has no answers to choose from: .* Train it again"):
            search(KnownAnswers(), known=known)
    engine = RandomEngine(vocabulary_size=LETTERS.size)
    with pytest.raises(PartError, match=r"--set decoding\.strategy\.file=PATH"):
        decode(engine, questions_of((5,)), KnownAnswers(), max_length=9, tokenizer=LETTERS)


def test_answers_that_are_all_too_long_are_told() -> None:
    with pytest.raises(PartError, match=r"All 2 known answers are longer than .* \(3\)"):
        search(KnownAnswers(), known=["abba", "abb"], longest=3)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b"abba\r\n\n  \ncab\n"),
        ("a.txt", "\ufeffabba\ncab".encode()),
        ("a.jsonl", b'{"text": "abba", "count": 3}\n{"text": "cab"}\n'),
    ],
)
def test_answers_may_come_from_a_file(
    tmp_path: Path, registry: Registry, name: str, content: bytes
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    spec = {"name": "known-answers", "file": str(file)}
    strategy = build_part(registry, "strategy", spec, where="in a test")
    assert {text(reply) for reply in best(search(strategy))} == {"abba", "cab"}


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (
            None,
            "a.txt",
            r"file \(.*a.txt\) cannot be read: No such file or directory\. Check the path",
        ),
        (b"\xff\xfe", "a.txt", r"cannot be read: 'utf-8' codec"),
        (b" \n", "a.txt", r"file \(.*\) holds no answer\. Write one on each line"),
        (
            b'{"text": "a"}\n[1]\n',
            "a.jsonl",
            r'line 2 is not like \{"text": "an answer", "count": 1\}',
        ),
    ],
)
def test_a_file_that_is_no_list_of_answers_is_refused(
    tmp_path: Path, registry: Registry, content: bytes | None, name: str, told: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    spec = {"name": "known-answers", "file": str(tmp_path / name)}
    with pytest.raises(PartError, match=told):
        build_part(registry, "strategy", spec, where="in a test")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"size": 0}, r"size \(0\) must be at least 1"),
        ({"n_best": 9}, r"n_best \(9\) must be between 1 and size \(8\)"),
        ({"length_penalty": -1.0}, r"length_penalty \(-1.0\) must be 0 or more"),
    ],
)
def test_options_out_of_range_are_refused(
    registry: Registry, options: dict[str, float], told: str
) -> None:
    with pytest.raises(PartError, match=told):
        build_part(registry, "strategy", {"name": "known-answers", **options}, where="in a test")


# The network writes the replies, and not the responder `qa`, which searches in its own way.
WRITTEN = ("responder.name=seq2seq", "decoding.strategy.name=known-answers")
QUESTIONS = ["hello", "你好", "what is the weather", "who", "ok", "再见", "x y z", "1 2 3"]


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_a_trained_bot_says_only_what_it_was_taught(
    tiny_bot: Path, registry: Registry, engine: str
) -> None:
    bot = load_bot(registry, "tiny", overrides=[*WRITTEN, f"engine.name={engine}"])
    lines = (tiny_bot / "data" / "answers.jsonl").read_text("utf-8").splitlines()
    known = {json.loads(line)["text"] for line in lines}
    replies = list(bot.responder.reply_all(QUESTIONS))
    assert {reply.text for reply in replies} <= known
    assert replies[0].text == "Hello there, how can I help?"
    assert all(reply.source is ReplySource.GENERATED for reply in replies)
    *parts, last = bot.responder.stream("who are you")
    assert "".join(map(str, parts)) == last.text in known  # type: ignore[union-attr]


def test_the_tree_is_built_once_a_bot_also_when_settings_change(
    tiny_bot: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = []
    from chatseq.decoding import answers as module

    plain = module.PrefixTree
    monkeypatch.setattr(module, "PrefixTree", lambda replies: built.append(1) or plain(replies))
    bot = load_bot(registry, "tiny", overrides=WRITTEN)
    assert built == []
    for _ in range(2):
        bot.responder.reply("hello")
    bot.with_overrides(["decoding.strategy.size=4"]).responder.reply("bye")
    assert built == [1]


def test_a_bot_that_was_replaced_meanwhile_is_told(tiny_bot: Path, registry: Registry) -> None:
    bot = load_bot(registry, "tiny", overrides=WRITTEN)
    (tiny_bot / "data" / "answers.jsonl").write_text('{"text": "spam"}\n')
    with pytest.raises(BundleError, match="those that it came with: .* chatseq chat --bot tiny"):
        bot.responder.reply("hello")


def test_a_fault_of_the_search_is_told_in_a_line(
    tiny_bot: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["ask", "hello", "--bot", "tiny", "--set", WRITTEN[0], "--set", WRITTEN[1]]
    assert run(command) == 0
    assert capsys.readouterr().out == "Hello there, how can I help?\n"
    assert run([*command, "--set", "decoding.max_length=1"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "longer than decoding.max_length (1)" in told.err
