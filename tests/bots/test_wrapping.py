"""Responders that stand in front of another one, from a recipe to what they say and learn."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chatseq.bots.bot import Bot
from chatseq.bots.streams import SingleChunkStream
from chatseq.bots.wrapping import InnerResponder, WrappingResponder
from chatseq.core.errors import ErrorKind, PartError
from chatseq.core.exchange import Reply, ReplySource
from chatseq.core.options import build_part, check_part, nested_parts
from chatseq.core.plugins import Registry, discover
from chatseq.core.recipe import Recipe, load_recipe
from chatseq.hookspecs import hookimpl
from chatseq.testing import babbling_bot, broken, builtin_registry, teach
from chatseq.testing import check_part as check
from chatseq.testing.responders import ScriptedResponder
from chatseq.training.finalize import needed_plugins


class Signed(WrappingResponder):
    """Sign every reply."""

    def after(self, reply: Reply) -> Reply:
        return replace(reply, text=f"{reply.text} - the bot")


class Forgiving(WrappingResponder):
    """Leave politeness out of the question.

    Args:
        words: that are left out
    """

    def __init__(
        self,
        bot: Bot,
        *,
        inner: InnerResponder = {"name": "scripted"},  # noqa: B006  (never changed)
        words: tuple[str, ...] = ("please",),
    ) -> None:
        super().__init__(bot, inner=inner)
        self.words = words

    def before(self, question: str) -> str:
        return " ".join(word for word in question.split(" ") if word not in self.words)

    def before_context(self, context: Sequence[str]) -> Sequence[str]:
        return [self.before(turn) for turn in context]


class Noted(WrappingResponder):
    """Tell beside the reply who was asked."""

    keeps_text = True

    def after(self, reply: Reply) -> Reply:
        return replace(reply, extra={**reply.extra, "asked": type(self.inner).__name__})


class Mine:
    @hookimpl
    def chatseq_responders(self) -> dict[str, object]:
        return {"signed": Signed, "forgiving": Forgiving, "noted": Noted}


SCRIPTED = {"name": "scripted"}


def bot(folder: Path | None = None) -> Bot:
    return babbling_bot(folder=folder, plugins=[Mine()])


@pytest.fixture
def registry() -> Registry:
    return builtin_registry(Mine())


@pytest.mark.parametrize("component", [Signed, Forgiving, Noted])
def test_a_wrapper_keeps_to_what_responders_must(component: type[WrappingResponder]) -> None:
    assert broken(check("responder", component)) == []


def test_what_comes_out_is_changed_however_it_is_asked() -> None:
    signed = Signed(bot(), inner=SCRIPTED)
    assert signed.reply("hello").text == "hello - the bot"
    assert [reply.text for reply in signed.reply_all(["a", "b"])] == ["a - the bot", "b - the bot"]
    *parts, last = signed.stream("hello you")
    assert parts == ["hello you - the bot"], "the pieces of another text must not be shown"
    assert isinstance(last, Reply)


def test_what_goes_in_is_changed_however_it_is_asked() -> None:
    forgiving = Forgiving(bot())
    assert forgiving.reply("help please").text == "help"
    *_, last = forgiving.stream("please help", ["please a", "b"])
    assert isinstance(last, Reply)
    assert last.text == "help"
    replies = forgiving.reply_all(["please a", "b"], [["x please"], []])
    assert [reply.text for reply in replies] == ["a", "b"]
    assert forgiving.inner.contexts == [(), ("a", "b"), ("x",), ()]  # type: ignore[attr-defined]


def test_a_reply_whose_text_stays_is_streamed_piece_by_piece() -> None:
    *parts, last = Noted(bot(), inner=SCRIPTED).stream("one two three")
    assert parts == ["one ", "two ", "three"]
    assert isinstance(last, Reply)
    assert last.extra == {"asked": "ScriptedResponder"}
    assert not isinstance(Forgiving(bot()).stream("a b"), SingleChunkStream)


def test_wrappers_stand_in_each_other() -> None:
    spec = {"name": "signed", "inner": {"name": "forgiving", "words": ["now"], "inner": SCRIPTED}}
    asked = bot()
    built = build_part(asked.registry, "responder", spec, asked, where="in [responder]")
    assert built.reply("help me now").text == "help me - the bot"


def test_what_is_inside_learns_and_is_built_with_its_own_options(tmp_path: Path) -> None:
    options = {"inner": {"name": "retrieval", "decline_below": 0.9}}
    figures = teach(Signed, tmp_path, options)
    assert 0 < figures["retrieved_right"] <= 1  # type: ignore[operator]
    assert Signed(bot(tmp_path), **options).reply("who are you").text == "i am a bot - the bot"
    unsure = Signed(bot(tmp_path), **options).reply("who the bot")
    assert unsure.source == "declined", "the option of the responder inside is not heeded"


def recipe(**responder: Any) -> Recipe:
    return load_recipe("tiny").model_copy(update={"responder": responder})


@pytest.mark.parametrize(
    ("inner", "told", "kind"),
    [
        ({"name": "retreival"},
         ("No responder named 'retreival' in the inner of the responder 'signed' "
          "in r.toml [responder]. Did you mean 'retrieval'?"),
         ErrorKind.PART_NOT_FOUND),
        ({"name": "retrieval", "neighbors": 3},
         ("The responder 'retrieval' has no option 'neighbors' in the inner of the responder "
          "'signed' in r.toml [responder]. Did you mean 'neighbours'?"),
         ErrorKind.OPTION_UNKNOWN),
        ({"neighbours": 3},
         ("The option 'inner' of the responder 'signed' names no responder: {'neighbours': 3} "
          'in r.toml [responder]. Write inner = {name = "NAME", OPTION = VALUE}'),
         ErrorKind.OPTION_INVALID),
    ],
)  # fmt: skip
def test_what_is_wrong_inside_is_told_before_anything_is_learnt(
    registry: Registry, inner: dict[str, Any], told: str, kind: ErrorKind
) -> None:
    with pytest.raises(PartError) as caught:
        recipe(name="signed", inner=inner).check(registry, "r.toml")
    assert str(caught.value) == told
    assert caught.value.kind is kind


def test_a_name_alone_is_no_table(registry: Registry) -> None:
    with pytest.raises(PartError, match="It takes the name and the options of a responder"):
        check_part(registry, "responder", {"name": "signed", "inner": "qa"}, where="here")


def test_the_parts_inside_are_listed_at_any_depth(registry: Registry) -> None:
    table = {"name": "signed", "inner": {"name": "noted", "inner": {"name": "retrieval"}}}
    found = nested_parts(registry, "responder", table)
    assert [each.table["name"] for each in found] == ["noted", "retrieval"]


def test_what_stands_inside_by_default_is_listed_too(registry: Registry) -> None:
    assert [each.table["name"] for each in nested_parts(registry, "responder", {"name": "signed"})
            ] == ["qa"]  # fmt: skip


def test_a_bundle_needs_the_plugin_of_what_is_inside(registry: Registry) -> None:
    needed = needed_plugins(registry, recipe(name="signed", inner={"name": "retrieval"}))
    assert {"Mine-0", "chatseq_qa"} <= set(needed)
    alone = needed_plugins(registry, recipe(name="forgiving", inner={"name": "noted"}))
    assert "chatseq_qa" in alone, "the default of the innermost is qa"


def page_example() -> str:
    """Return the first block of the section of the page."""
    page = Path(__file__).parents[2] / "docs" / "hooks" / "chatseq_responders.md"
    text = page.read_text(encoding="utf-8")
    section = text.partition("## A responder in front of another one")[2].partition("\n## ")[0]
    found = re.search(r"(?:^    .*\n|^\n(?=\n*    ))+", section, re.MULTILINE)
    assert found is not None
    return textwrap.dedent(found[0])


def test_the_example_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "polite.py").write_text(page_example(), encoding="utf-8")
    registry = discover([tmp_path])
    assert registry.faults == []
    polite = registry.find("responder", "polite").load()
    assert broken(check("responder", polite, name="polite")) == []
    options = {"inner": {"name": "retrieval", "neighbours": 3}, "closing": "More?"}
    (tmp_path / "data").mkdir()
    teach(polite, tmp_path / "data", options)
    responder = polite(babbling_bot(folder=tmp_path / "data"), **options)
    assert responder.reply("hi, who are you").text == "i am a bot More?"
    assert responder.reply("which horse will win").source == "declined"
    sys.modules.pop("chatseq_file_plugins.polite", None)


class Explains(ScriptedResponder):
    """Tell on demand what it was asked."""

    def explain(self, question: str, reply: Reply, context: Sequence[str] = ()) -> Reply:
        return replace(reply, extra={"asked": " | ".join([*context, question, reply.text])})


def test_what_explains_a_reply_is_asked_of_the_one_that_gave_it() -> None:
    forgiving = Forgiving(bot())
    assert forgiving.explain("a", REPLY) is REPLY, "the one inside explains nothing"
    forgiving.inner = Explains()
    found = forgiving.explain("please a", REPLY, ["b please"])
    assert found == replace(REPLY, extra={"asked": "b | a | said"})


def test_a_reply_that_was_changed_is_explained_as_it_was_inside() -> None:
    signed = Signed(bot(), inner=SCRIPTED)
    signed.inner = Explains()
    given = signed.reply("a b")
    found = signed.explain("a b", given)
    assert found == replace(given, extra={"asked": "a b | a b"})


REPLY = Reply("said", ReplySource.GENERATED, 0.5)
