"""What every history must do: in memory, in a file, in a file without full-text search."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatseq.core.errors import HistoryError
from chatseq.core.exchange import Alternative, Reply, ReplySource
from chatseq.history import records, sqlite
from chatseq.history.contracts import History, Message, Role, Status, branch
from chatseq.history.memory import MemoryHistory
from chatseq.history.store import HistoryStore

LONE = chr(0xD800)


def say(history: History, *texts: str, conversation: str | None = None) -> list[Message]:
    """Store questions and replies in turn, and return them."""
    said: list[Message] = []
    for place, text in enumerate(texts):
        parent = said[-1] if said else None
        if place % 2:
            assert parent is not None
            said.append(history.add_reply(parent.id, reply(text)))
        else:
            name = parent.conversation if parent else conversation
            said.append(
                history.add_question(text, conversation=name, parent=parent.id if parent else None)
            )
    return said


def reply(text: str, *, interrupted: bool = False) -> Reply:
    return Reply(text, ReplySource.GENERATED, 0.5, interrupted=interrupted)


class HistoryContract:
    """Run for every history; a subclass gives the fixture `history`."""

    def test_a_question_begins_a_conversation_with_a_title(self, history: History) -> None:
        asked = history.add_question("What is\nthis?", conversation=None, parent=None, bot="faq")
        found = history.find("last")
        assert (found.id, found.title, found.bot) == (asked.conversation, "What is this?", "faq")
        assert (found.head, found.messages) == (asked.id, 1)
        assert (asked.role, asked.status, asked.parent) == (Role.QUESTION, Status.PENDING, None)

    def test_a_reply_comes_back_with_everything_that_explains_it(self, history: History) -> None:
        given = Reply(
            "It is a bot.", ReplySource.RETRIEVED, 0.75, (Alternative("A bot.", 0.25, "bot?"),),
            bot="faq", strategy="beam", tokens=5, milliseconds=12.5, seed=2**64 - 1, model="abc",
        )  # fmt: skip
        asked = history.add_question("What?", conversation=None, parent=None)
        answered = history.add_reply(asked.id, given)
        assert history.messages(asked.conversation)[1] == answered
        assert (answered.text, answered.source, answered.confidence) == (
            "It is a bot.", "retrieved", 0.75,
        )  # fmt: skip
        assert (answered.strategy, answered.bot, answered.model) == ("beam", "faq", "abc")
        assert (answered.tokens, answered.milliseconds, answered.seed) == (5, 12.5, 2**64 - 1)
        assert answered.alternatives == (Alternative("A bot.", 0.25, "bot?"),)
        assert (answered.parent, answered.status) == (asked.id, Status.COMPLETE)

    def test_a_question_waits_until_its_reply_is_there(self, history: History) -> None:
        asked = history.add_question("What?", conversation=None, parent=None)
        assert history.messages(asked.conversation)[0].status is Status.PENDING
        history.add_reply(asked.id, reply("This."))
        assert history.messages(asked.conversation)[0].status is Status.COMPLETE

    def test_an_interrupted_reply_keeps_its_part_and_no_confidence(self, history: History) -> None:
        asked = history.add_question("What?", conversation=None, parent=None)
        part = history.add_reply(asked.id, reply("It is", interrupted=True))
        assert (part.text, part.status, part.confidence) == ("It is", Status.INTERRUPTED, None)

    def test_a_failed_question_is_marked_unless_it_has_a_reply(self, history: History) -> None:
        first, _ = say(history, "one", "reply")
        second = history.add_question("two", conversation=first.conversation, parent=None)
        history.mark_failed(first.id)
        history.mark_failed(second.id)
        status = {m.id: m.status for m in history.messages(first.conversation)}
        assert (status[first.id], status[second.id]) == (Status.COMPLETE, Status.FAILED)

    def test_two_replies_to_one_question_are_branches(self, history: History) -> None:
        asked, first = say(history, "What?", "First.")
        second = history.add_reply(asked.id, reply("Second."))
        kept = history.messages(asked.conversation)
        assert [m.text for m in kept] == ["What?", "First.", "Second."]
        assert [m.text for m in branch(kept, second.id)] == ["What?", "Second."]
        assert [m.text for m in branch(kept, first.id)] == ["What?", "First."]

    def test_the_head_can_be_moved_and_the_next_question_follows_it(self, history: History) -> None:
        _, second, third, _ = say(history, "a", "b", "c", "d")
        history.move_head(third.conversation, second.id)
        assert history.find(third.conversation).head == second.id
        history.move_head(third.conversation, None)
        assert history.find(third.conversation).head is None

    def test_ids_grow_when_the_clock_goes_back(
        self, history: History, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        day = datetime(2030, 1, 1, tzinfo=UTC)
        clock = iter(day - timedelta(days=n) for n in range(1000))
        monkeypatch.setattr(records, "now", lambda: next(clock))
        monkeypatch.setattr(records.time, "time_ns", lambda: int(next(clock).timestamp()) * 10**9)
        first = say(history, "one", "two", "three")
        later = say(history, "four")
        assert first[0].created > first[-1].created > later[0].created
        kept = history.messages(first[0].conversation)
        assert [m.text for m in kept] == ["one", "two", "three"]
        assert [c.title for c in history.conversations()] == ["four", "one"]
        assert [f.message.text for f in history.search("t*")] == ["three", "two"]
        assert history.find("last").id == later[0].conversation

    def test_times_come_back_in_utc(self, history: History) -> None:
        before = datetime.now(UTC)
        (asked,) = say(history, "When?")
        (kept,) = history.messages(asked.conversation)
        assert kept.created == asked.created
        assert kept.created.utcoffset() == timedelta(0)
        assert before <= kept.created <= datetime.now(UTC)

    def test_conversations_come_with_the_latest_one_first(self, history: History) -> None:
        (first,) = say(history, "first")
        say(history, "second")
        say(history, "third")
        history.add_question("again", conversation=first.conversation, parent=first.id)
        assert [c.title for c in history.conversations()] == ["first", "third", "second"]
        assert [c.title for c in history.conversations(2)] == ["first", "third"]

    def test_a_conversation_is_found_by_the_beginning_of_its_id(self, history: History) -> None:
        (asked,) = say(history, "What?")
        name = asked.conversation
        for which in (name, name[:4], name.upper(), f" {name} ", "last", "LAST"):
            assert history.find(which).id == name

    def test_what_names_no_conversation_says_so(self, history: History) -> None:
        with pytest.raises(HistoryError, match="No conversation 'last'. See the ids: chatseq hist"):
            history.find("last")
        say(history, "What?")
        for which in ("zzz", "%", "_", "'", LONE, "\x00", "é" * 500):
            with pytest.raises(HistoryError, match="No conversation '"):
                history.find(which)
        for which in ("", "  "):
            with pytest.raises(HistoryError, match="No conversation is named"):
                history.find(which)

    def test_a_beginning_of_several_ids_names_them(self, history: History) -> None:
        ids = {say(history, "What?")[0].conversation for _ in range(8)}
        with pytest.raises(HistoryError, match="'1' begins several conversations: ") as caught:
            history.find("1")
        assert sum(name in str(caught.value) for name in ids) == 5
        assert ", …. Type more of the id." in str(caught.value)

    @pytest.mark.parametrize(
        "act",
        [
            lambda h: h.add_reply(99, reply("x")),
            lambda h: h.mark_failed(99),
            lambda h: h.move_head(h.find("last").id, 99),
            lambda h: h.add_question("x", conversation=h.find("last").id, parent=99),
            lambda h: h.add_question("x", conversation="none", parent=None),
            lambda h: h.messages("none"),
            lambda h: h.move_head("none", None),
            lambda h: h.delete("none"),
        ],
    )
    def test_what_does_not_exist_cannot_be_changed(
        self, history: History, act: Callable[[History], object]
    ) -> None:
        say(history, "What?")
        with pytest.raises(HistoryError, match="No (message 99|conversation 'none')"):
            act(history)
        assert [m.text for m in history.messages(history.find("last").id)] == ["What?"]

    def test_a_message_of_another_conversation_is_no_parent(self, history: History) -> None:
        (one,) = say(history, "one")
        (two,) = say(history, "two")
        with pytest.raises(HistoryError, match=f"No message {one.id}"):
            history.add_question("x", conversation=two.conversation, parent=one.id)
        with pytest.raises(HistoryError, match=f"No message {one.id}"):
            history.move_head(two.conversation, one.id)

    def test_deleting_takes_the_messages_out_of_the_search(self, history: History) -> None:
        (gone, _) = say(history, "secret word", "secret reply")
        (kept,) = say(history, "secret no more")
        history.delete(gone.conversation)
        assert [f.message for f in history.search("secret")] == [kept]
        assert [c.id for c in history.conversations()] == [kept.conversation]
        with pytest.raises(HistoryError, match="its conversation was deleted"):
            history.add_reply(gone.id, reply("late"))

    def test_several_are_deleted_at_once_or_none_is(self, history: History) -> None:
        names = [say(history, text)[0].conversation for text in ("one", "two", "three")]
        with pytest.raises(HistoryError, match="No conversation 'none'"):
            history.delete(names[0], "none")
        assert len(history.conversations()) == 3
        history.delete(names[0], names[2], names[0])
        assert [c.title for c in history.conversations()] == ["two"]

    def test_ids_of_deleted_messages_are_not_given_again(self, history: History) -> None:
        (gone,) = say(history, "one")
        history.delete(gone.conversation)
        (new,) = say(history, "two")
        assert new.id > gone.id

    def test_a_conversation_can_be_carried_to_another_history(self, history: History) -> None:
        source = MemoryHistory()
        say(source, "unrelated")
        asked, first = say(source, "你好？", "你好！")
        source.add_reply(asked.id, reply("您好！"))
        source.move_head(asked.conversation, first.id)
        value, messages = source.find("last"), source.messages(asked.conversation)
        say(history, "already", "here", "before", "it")
        assert history.add_conversation(value, messages)
        assert not history.add_conversation(value, messages)
        copied = history.messages(value.id)
        assert [(m.text, m.created, m.status) for m in copied] == [
            (m.text, m.created, m.status) for m in messages
        ]
        assert copied[1].parent == copied[2].parent == copied[0].id
        assert history.find(value.id).head == copied[1].id
        assert history.search("您好")[0].message == copied[2]

    def test_texts_that_no_database_could_hold_are_mended(self, history: History) -> None:
        asked = history.add_question(f"a{LONE}b\x00c", conversation=None, parent=None, bot=LONE)
        bad = Reply(
            f"{LONE}x", ReplySource.GENERATED, float("nan"),
            (Alternative(LONE, float("inf"), LONE),), bot=LONE, strategy=LONE, tokens=1,
            milliseconds=float("nan"), model=LONE,
        )  # fmt: skip
        answered = history.add_reply(asked.id, bad)
        kept = history.messages(asked.conversation)
        assert kept[0].text == "a\ufffdb\ufffdc"
        assert kept[1] == answered
        assert (answered.text, answered.confidence, answered.milliseconds) == ("\ufffdx", None, 0.0)
        assert answered.alternatives == (Alternative("\ufffd", 0.0, "\ufffd"),)
        assert history.find("last").title == "a\ufffdb\ufffdc"

    @pytest.mark.parametrize(
        "text", ["", " ", "\n\t ", "a\r\nb", "é e\u0301", "\x1b[2Jx", "\u2028", "👩‍👩‍👧", "'; --"]
    )
    def test_texts_come_back_as_they_were(self, history: History, text: str) -> None:
        (asked,) = say(history, text)
        assert history.messages(asked.conversation) == (asked,)
        assert asked.text == text

    def test_a_megabyte_comes_back(self, history: History) -> None:
        text = "长话 long " * 100_000
        (asked,) = say(history, text)
        assert history.messages(asked.conversation)[0].text == text
        assert len(history.search("长话")[0].snippet) <= 82

    def test_it_can_be_used_from_several_threads(self, history: History) -> None:
        def work(name: str) -> None:
            for number in range(5):
                say(history, f"{name}{number}", "reply")

        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(history.conversations()) == 20
        assert {c.messages for c in history.conversations()} == {2}

    def test_two_character_chinese_words_are_found(self, history: History) -> None:
        say(history, "怎样训练模型？", "先准备语料，再训练。", "练训是什么", "日本語のカタカナ")
        say(history, "학교에서 배웠다", "ภาษาไทยง่าย")
        texts = lambda query: [f.message.text for f in history.search(query)]  # noqa: E731
        assert texts("训练") == ["先准备语料，再训练。", "怎样训练模型？"]
        assert texts("练训") == ["练训是什么"]
        assert texts("训练 模型") == ["怎样训练模型？"]
        assert texts("型模") == []
        assert texts("カタ") == texts("ｶﾀｶﾅ") == ["日本語のカタカナ"]
        assert texts("학교") == ["학교에서 배웠다"]
        assert texts("ไทย") == ["ภาษาไทยง่าย"]

    def test_words_are_found_without_case_and_accents(self, history: History) -> None:
        say(history, "Où est le CAFÉ?", "Straße 12, it's e-mail 😀", "snake_case %100")
        found = lambda query: len(history.search(query))  # noqa: E731
        for query in ("cafe", "OÙ cafe\u0301", "strasse", "STRASSE it's", "e-mail", "😀", "SNAKE"):
            assert found(query) == 1, query
        for query in ("caf", "mail-e", "cafe strasse", "12it", "_", "%"):
            assert found(query) == 0, query

    def test_a_star_lets_a_word_go_on_and_quotes_hold_words_together(
        self, history: History
    ) -> None:
        say(history, "training a model", "a trained model", "the train")
        found = lambda query: [f.message.text for f in history.search(query)]  # noqa: E731
        assert found("train") == ["the train"]
        assert found("train*") == ["the train", "a trained model", "training a model"]
        assert found("tr* model") == ["a trained model", "training a model"]
        assert found('"a model"') == ["training a model"]
        assert found('"trained mod*"') == ["a trained model"]
        assert found('"model') == ["a trained model", "training a model"]

    def test_found_messages_come_newest_first_with_title_and_snippet(
        self, history: History
    ) -> None:
        text = "word " * 60 + "needle\n" + "word " * 60
        say(history, "Title here", text, "needle")
        newest, older = history.search("needle")
        assert (newest.snippet, newest.title) == ("needle", "Title here")
        assert older.message.text == text
        assert "needle word" in older.snippet
        assert older.snippet[0] == older.snippet[-1] == "…"
        assert len(older.snippet) <= 82
        assert len(history.search("needle", 1)) == 1
        assert history.search("needle", 0) == ()

    @pytest.mark.parametrize(
        "query",
        [
            "", " ", '"', '""', '" "', "*", "**", "NOT", "AND", "a AND", "OR b", "NEAR(a b)",
            "words:a", "-a", "^a", "a*b", "(", ")", "a + b", "'; DROP TABLE messages; --",
            "\x00", LONE, "%", "_", "\\", "?!。，", "😀👍🏽", "a" * 100_000, "好" * 5_000,
            "a " * 5_000, '"a b ' * 500, "{words} : a", "{ 1 }",
        ],
    )  # fmt: skip
    def test_no_query_raises(self, history: History, query: str) -> None:
        say(history, "a b NOT and or near words", "好 好 😀👍🏽")
        assert isinstance(history.search(query), tuple)


class TestMemory(HistoryContract):
    @pytest.fixture
    def history(self) -> MemoryHistory:
        return MemoryHistory()

    def test_it_does_not_call_itself_saved(self, history: History) -> None:
        assert not history.saved


class TestFile(HistoryContract):
    @pytest.fixture
    def history(self, tmp_path: Path) -> Iterator[HistoryStore]:
        store = HistoryStore(tmp_path / "history.db")
        yield store
        store.close()

    def test_it_calls_itself_saved(self, history: History) -> None:
        assert history.saved


class TestFileWithoutFullTextSearch(HistoryContract):
    @pytest.fixture
    def history(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HistoryStore]:
        monkeypatch.setattr(sqlite, "has_fts5", lambda _connection: False)
        store = HistoryStore(tmp_path / "history.db")
        yield store
        store.close()

    def test_it_really_has_no_index(self, tmp_path: Path, history: HistoryStore) -> None:
        assert b"message_search" not in (tmp_path / "history.db").read_bytes()


WORDS = st.sampled_from(
    ["a", "ab", "abc", "训练", "练", "训", "模型", "Ünï", "x-y", "😀", '"', "*", " "]
)


@given(
    texts=st.lists(st.lists(WORDS, max_size=6).map("".join), max_size=8),
    queries=st.lists(st.lists(WORDS, max_size=4).map("".join) | st.text(max_size=20), max_size=8),
)
@settings(max_examples=60, deadline=None)
def test_the_index_finds_what_a_plain_comparison_finds(
    both: tuple[HistoryStore, MemoryHistory], texts: list[str], queries: list[str]
) -> None:
    store, oracle = both
    for text in texts:
        say(oracle, text)
        say(store, text)
    for query in queries:
        assert [f.snippet for f in store.search(query)] == [f.snippet for f in oracle.search(query)]


@pytest.fixture(scope="module")
def both(search_store: HistoryStore) -> tuple[HistoryStore, MemoryHistory]:
    """A store and a plain history that are told the same."""
    return search_store, MemoryHistory()


@pytest.fixture(scope="module")
def search_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HistoryStore]:
    store = HistoryStore(tmp_path_factory.mktemp("search") / "history.db")
    yield store
    store.close()


@given(text=st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_text_comes_back_as_it_was(both: tuple[HistoryStore, MemoryHistory], text: str) -> None:
    store, oracle = both
    (asked,) = say(store, text)
    say(oracle, text)
    assert store.messages(asked.conversation) == (asked,)
    assert asked.text == text.replace("\x00", "\ufffd")
    assert store.faults() == ()
