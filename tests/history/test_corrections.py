"""Corrections read from any history and, without SQLAlchemy, from a file in any state."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatseq.core.exchange import Reply, ReplySource
from chatseq.history import sqlite
from chatseq.history.contracts import History, Review, Verdict
from chatseq.history.corrections import corrected, corrected_in
from chatseq.history.memory import MemoryHistory
from chatseq.history.store import HistoryStore

OLDER = Path(__file__).parent / "revisions" / "0001.sql"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a history%20#1?.db"


@pytest.fixture
def store(path: Path) -> Iterator[HistoryStore]:
    opened = HistoryStore(path)
    yield opened
    opened.close()


def correct(history: History, question: str, right: str, bot: str = "faq") -> int:
    asked = history.add_question(question, conversation=None, parent=None, bot=bot)
    reply = history.add_reply(asked.id, Reply("Wrong.", ReplySource.GENERATED, 0.5, bot=bot))
    return history.add_feedback(reply.id, Verdict.CORRECT, right).id


def test_corrections_of_a_bot_come_newest_first(store: HistoryStore, path: Path) -> None:
    correct(store, "怎样训练？", "先准备语料")
    correct(store, "other", "of another bot", bot="shop")
    correct(store, "What?", "That.")
    expected = (("What?", "That."), ("怎样训练？", "先准备语料"))
    assert corrected_in(path, "faq") == corrected(store, "faq") == expected
    assert corrected_in(path, "fa_") == corrected(store, "fa_") == ()


def test_the_newest_correction_of_a_question_wins(store: HistoryStore, path: Path) -> None:
    correct(store, "What is  this?", "first")
    correct(store, "Between", "x")
    correct(store, " what is\nTHIS?", "second")
    correct(store, "What is this", "another question")
    expected = (
        ("What is this", "another question"), (" what is\nTHIS?", "second"), ("Between", "x"),
    )  # fmt: skip
    assert corrected_in(path, "faq") == corrected(store, "faq") == expected


def test_what_was_rejected_does_not_count_and_what_was_accepted_does(
    store: HistoryStore, path: Path
) -> None:
    correct(store, "same", "older")
    store.review(correct(store, "same", "rejected"), Review.REJECTED)
    store.review(correct(store, "accepted", "yes"), Review.ACCEPTED)
    expected = (("accepted", "yes"), ("same", "older"))
    assert corrected_in(path, "faq") == corrected(store, "faq") == expected


def test_other_verdicts_and_replies_without_a_question_are_no_corrections(
    store: HistoryStore, path: Path
) -> None:
    correct(store, "  ", "an answer to nothing")
    correct(store, "taken back", "x")
    store.add_feedback(store.messages(store.find("last").id)[-1].id, Verdict.GOOD)
    assert corrected_in(path, "faq") == corrected(store, "faq") == ()


def test_a_correction_is_read_while_the_history_is_open_elsewhere(
    store: HistoryStore, path: Path
) -> None:
    for number in range(3):
        correct(store, str(number), "x")
        assert len(corrected_in(path, "faq")) == number + 1


@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize("is_open", [True, False])
def test_reading_makes_no_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, journal: str, is_open: bool
) -> None:
    monkeypatch.setattr(sqlite, "wal_is_safe", lambda _version: journal == "wal")
    store = HistoryStore(path)
    correct(store, "What?", "That.")
    if not is_open:
        store.close()
    before = sorted(path.parent.iterdir())
    assert (path.with_name(path.name + "-wal") in before) == (is_open and journal == "wal")
    assert corrected_in(path, "faq") == (("What?", "That."),)
    assert sorted(path.parent.iterdir()) == before
    store.close()


def test_a_missing_history_holds_none_and_is_not_made(path: Path) -> None:
    assert corrected_in(path, "faq") == ()
    assert corrected_in(path / "deeper" / "history.db", "faq") == ()
    assert list(path.parent.iterdir()) == []


def test_a_folder_an_empty_file_and_no_database_hold_none(path: Path, tmp_path: Path) -> None:
    assert corrected_in(tmp_path, "faq") == ()
    for content in (b"", b"not a database", b"SQLite format 3\x00" * 300):
        path.write_bytes(content)
        assert corrected_in(path, "faq") == ()
        assert path.read_bytes() == content


def test_a_history_older_than_corrections_holds_none_and_is_not_migrated(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLDER.read_text(encoding="utf-8"))
    before = path.read_bytes()
    assert corrected_in(path, "starter") == ()
    assert path.read_bytes() == before


def test_a_locked_history_holds_none_for_the_moment(store: HistoryStore, path: Path) -> None:
    correct(store, "What?", "That.")
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        other.execute("UPDATE feedback SET status = 'rejected'")
        assert corrected_in(path, "faq") == ()
        other.rollback()
    assert corrected_in(path, "faq") == (("What?", "That."),)


def test_a_history_that_was_cut_anywhere_never_raises(path: Path) -> None:
    with closing(HistoryStore(path)) as store:
        for number in range(20):
            correct(store, f"question {number}", "right " * 50)
    whole = path.read_bytes()
    for share in range(1, 20):
        path.write_bytes(whole[: len(whole) * share // 20])
        for question, answer in corrected_in(path, "faq"):
            assert question.startswith("question ")
            assert answer == "right " * 50


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE feedback SET correction = 'forged' WHERE id = 2",
        "UPDATE feedback SET correction = x'ff' WHERE id = 2",
        "UPDATE feedback SET correction = 5 WHERE id = 2",
        "UPDATE messages SET text = 'forged' WHERE text = 'two'",
        "UPDATE messages SET checksum = '' WHERE text = 'two'",
        "UPDATE feedback SET message_id = 99 WHERE id = 2",
    ],
)
def test_a_record_that_was_changed_on_the_disk_is_left_out(path: Path, statement: str) -> None:
    with closing(HistoryStore(path)) as store:
        for question in ("one", "two", "three"):
            correct(store, question, "right")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    assert corrected_in(path, "faq") == (("three", "right"), ("one", "right"))


TEXT = st.sampled_from(["a", "A", " a ", "b", "长", "\x00", ""])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HistoryStore, Path]]:
    path = tmp_path_factory.mktemp("corrections") / "history.db"
    store = HistoryStore(path)
    yield store, path
    store.close()


@pytest.mark.slow("many drawn cases in three stores")
@given(
    said=st.lists(
        st.tuples(TEXT, st.sampled_from("xyz"), st.sampled_from(["faq", "shop"]),
                  st.sampled_from(list(Review))),
        max_size=6,
    )
)  # fmt: skip
@settings(max_examples=30, deadline=None)
def test_the_file_the_store_and_the_memory_give_the_same(
    shared: tuple[HistoryStore, Path], said: list[tuple[str, str, str, Review]]
) -> None:
    store, path = shared
    if names := [conversation.id for conversation in store.conversations()]:
        store.delete(*names)
    memory = MemoryHistory()
    for question, right, bot, status in said:
        for history in (store, memory):
            history.review(correct(history, question, right, bot), status)
    for bot in ("faq", "shop"):
        assert corrected_in(path, bot) == corrected(store, bot) == corrected(memory, bot)
