"""From a file of conversations to a bot that knows what was said before."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from chatseq.bots.bot import Bot
from chatseq.bots.bundle import bot_folder, open_bundle
from chatseq.bots.loader import load_bot
from chatseq.chat.chat import Chat
from chatseq.cli.train import train
from chatseq.core.exchange import MOST_CONTEXT_TURNS, Exchange, Reply
from chatseq.core.plugins import Registry
from chatseq.evaluation.report import evaluate
from chatseq.history.memory import MemoryHistory

# What is asked second is the same everywhere; only the turns before it tell the answers apart.
HOURS = {
    "library": ("nine to six", "closed"),
    "pool": ("seven to ten", "eight to one"),
    "museum": ("ten to five", "noon to four"),
}
FIRST, SECOND = "opening hours of the {}", "and on Sundays?"
QUICK = (
    "model.embedding_size=24",
    "model.encoder.hidden_size=24",
    "model.decoder.hidden_size=32",
    "model.dropout=0.0",
    "question.features=4",
    "question.feature_buckets=128",
    "tokenizer.vocabulary_size=512",
    "training.batch_tokens=256",
    "training.label_smoothing=0.0",
    "training.learning_rate=0.01",
    "training.max_epochs=80",
    "training.min_steps=0",
    "training.validations=1",
    "training.word_dropout=0.1",
    "decoding.max_length=24",
)
TALKS = [
    (FIRST.format(place), weekdays, SECOND, sundays) for place, (weekdays, sundays) in HOURS.items()
]


def as_text() -> str:
    return "\n\n".join("\n".join(talk) for talk in TALKS)


def as_conv() -> str:
    return "\n".join(line for talk in TALKS for line in ("E", *(f"M {turn}" for turn in talk)))


def as_messages() -> str:
    roles = ("user", "assistant") * 2
    talks = [
        [{"role": role, "content": turn} for role, turn in zip(roles, talk, strict=True)]
        for talk in TALKS
    ]
    return "\n".join(json.dumps({"messages": talk}) for talk in talks)


def bot_of(registry: Registry, folder: Path, name: str, content: str, *settings: str) -> Bot:
    """Train on a file as people do, and load what came of it."""
    file = folder / name
    file.write_text(content, encoding="utf-8")
    given = [word for setting in (*QUICK, *settings) for word in ("--set", setting)]
    arguments = [str(file), "--recipe", "tiny", "--quiet", *given]
    result = CliRunner().invoke(
        train, arguments, obj={"registry": registry}, standalone_mode=False, catch_exceptions=False
    )
    assert result.return_value == 0, result.output
    return load_bot(registry, file.stem)


@pytest.mark.slow("trains bots that read earlier turns")
def test_the_page_about_earlier_turns_is_true(registry: Registry, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "chat.md").read_text(encoding="utf-8")
    section = page[page.index("## Earlier turns") : page.index("## Terminals")]
    (talk,) = re.findall(r"```text\n(.*?)```", section, re.DOTALL)
    (shown,) = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    learning, chatting, *replies = shown.strip().split("\n")
    words = shlex.split(learning.removeprefix("$ "))
    assert words[:4] == ["chatseq", "train", "hours.txt", "--set"]
    bot = bot_of(registry, tmp_path, words[2], talk, *words[4:])
    asked = re.findall(r"printf '(.*?)' \| chatseq chat", chatting)[0].split("\\n")[:-1]
    chat = Chat(bot.responder, MemoryHistory)
    said = [list(chat.stream(question))[-1] for question in asked]
    assert [reply.text for reply in said if isinstance(reply, Reply)] == replies
    assert f"At most {MOST_CONTEXT_TURNS} turns" in section


def second_replies(bot: Bot) -> list[str]:
    """Return what the bot answers to the second question of each conversation."""
    found = []
    for first, weekdays, second, _ in TALKS:
        reply = bot.responder.reply(second, [first, weekdays])
        assert (
            bot.responder.reply(second, ["long ago", "as well", first, weekdays]).text == reply.text
        )
        found.append(reply.text)
    return found


@pytest.mark.slow("trains bots that read earlier turns")
@pytest.mark.parametrize(
    ("name", "make"),
    [("talk.txt", as_text), ("talk.conv", as_conv), ("talk.jsonl", as_messages)],
)
def test_a_bot_that_reads_two_turns_knows_what_and_on_sundays_is_about(
    registry: Registry, tmp_path: Path, name: str, make: Callable[[], str]
) -> None:
    bot = bot_of(registry, tmp_path, name, make(), "question.context_turns=2")
    assert second_replies(bot) == [sundays for _, sundays in HOURS.values()]
    assert open_bundle(bot_folder("talk")).manifest.figures["exact_match"] == 1.0


@pytest.mark.slow("trains bots that read earlier turns")
def test_a_bot_that_reads_the_question_alone_cannot_know(
    registry: Registry, tmp_path: Path
) -> None:
    bot = bot_of(registry, tmp_path, "talk.txt", as_text())
    assert len(set(second_replies(bot))) == 1
    assert bot.responder.reply(TALKS[0][0]).text == TALKS[0][1]  # the first question is easy


@pytest.mark.slow("trains bots that read earlier turns")
def test_a_hierarchical_bot_chats_about_each_place_and_is_judged_with_the_turns(
    registry: Registry, tmp_path: Path
) -> None:
    settings = (
        "model.encoder.name=hierarchical",
        "model.encoder.hidden_size=16",
        "question.context_turns=2",
        "training.max_epochs=160",
    )
    bot = bot_of(registry, tmp_path, "talk.jsonl", as_messages(), *settings)
    for first, weekdays, second, sundays in TALKS:
        chat = Chat(bot.responder, MemoryHistory)
        for question, answer in ((first, weekdays), (second, sundays)):
            *_, reply = chat.stream(question)
            assert isinstance(reply, Reply)
            assert reply.text == answer
    rows = [Exchange(second, answer, context=talk) for *talk, second, answer in TALKS]
    report = evaluate(bot, rows, registry)
    assert (report.count, report.exact_match) == (len(TALKS), 1.0)
