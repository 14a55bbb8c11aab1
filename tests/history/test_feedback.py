"""What every history keeps of feedback, and what a database keeps of it on the disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chatseq.core.errors import HistoryError
from chatseq.core.exchange import Reply, ReplySource
from chatseq.history import records, sqlite
from chatseq.history.contracts import Feedback, History, Review, Role, Verdict
from chatseq.history.memory import MemoryHistory
from chatseq.history.store import HistoryStore

LONE = chr(0xD800)


def answered(history: History, question: str = "What?", text: str = "That.", bot: str = "") -> int:
    """Ask something in a conversation of its own, and return the id of the reply."""
    asked = history.add_question(question, conversation=None, parent=None, bot=bot)
    return history.add_reply(asked.id, Reply(text, ReplySource.RETRIEVED, 0.5, bot=bot)).id


class FeedbackContract:
    """Run for every history; a subclass gives the fixture `history`."""

    def test_a_correction_comes_back_with_what_it_is_about(self, history: History) -> None:
        before = datetime.now(UTC)
        reply = answered(history, "怎样训练？", "No.", bot="faq")
        said = history.add_feedback(reply, Verdict.CORRECT, "先准备语料\nthen train")
        assert history.feedback() == (said,)
        assert said == Feedback(
            id=1, conversation=history.find("last").id, message=reply, bot="faq",
            question="怎样训练？", reply="No.", verdict=Verdict.CORRECT,
            correction="先准备语料\nthen train", status=Review.NEW, created=said.created,
        )  # fmt: skip
        assert before <= said.created <= datetime.now(UTC)
        assert said.created.utcoffset() == timedelta(0)

    def test_a_later_verdict_replaces_the_earlier_and_is_new_again(self, history: History) -> None:
        other = history.add_feedback(answered(history), Verdict.GOOD)
        reply = answered(history)
        first = history.add_feedback(reply, Verdict.CORRECT, "This.")
        history.review(first.id, Review.ACCEPTED)
        second = history.add_feedback(reply, Verdict.BAD)
        assert history.feedback() == (second, other)
        assert (second.correction, second.status) == ("", Review.NEW)
        assert second.id > first.id
        with pytest.raises(HistoryError, match=f"No feedback {first.id}"):
            history.review(first.id, Review.REJECTED)

    def test_two_replies_to_one_question_are_judged_apart(self, history: History) -> None:
        asked = history.add_question("What?", conversation=None, parent=None)
        for text, verdict in (("one", Verdict.BAD), ("two", Verdict.GOOD)):
            reply = history.add_reply(asked.id, Reply(text, ReplySource.GENERATED, 0.5))
            history.add_feedback(reply.id, verdict)
        assert [(said.reply, said.verdict, said.question) for said in history.feedback()] == [
            ("two", Verdict.GOOD, "What?"), ("one", Verdict.BAD, "What?"),
        ]  # fmt: skip

    def test_the_newest_come_first_whatever_the_clock_says(
        self, history: History, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        day = datetime(2030, 1, 1, tzinfo=UTC)
        clock = iter(day - timedelta(days=n) for n in range(100))
        monkeypatch.setattr(records, "now", lambda: next(clock))
        replies = [answered(history, text) for text in "abc"]
        for reply in (replies[1], replies[2], replies[0]):
            history.add_feedback(reply, Verdict.GOOD)
        assert [said.question for said in history.feedback()] == ["a", "c", "b"]
        assert [said.question for said in history.feedback(limit=2)] == ["a", "c"]
        assert history.feedback(limit=0) == ()

    def test_it_is_found_by_bot_status_and_conversation(self, history: History) -> None:
        said = [
            history.add_feedback(answered(history, str(place), bot=bot), Verdict.GOOD)
            for place, bot in enumerate(("faq", "shop", "faq", ""))
        ]
        history.review(said[0].id, Review.ACCEPTED)
        history.review(said[1].id, Review.REJECTED)
        asked = lambda **wanted: [one.question for one in history.feedback(**wanted)]  # noqa: E731
        assert asked() == ["3", "2", "1", "0"]
        assert asked(bot="faq") == ["2", "0"]
        assert asked(status=Review.NEW) == ["3", "2"]
        assert asked(bot="faq", status=Review.ACCEPTED) == ["0"]
        assert asked(conversation=said[2].conversation) == ["2"]
        assert asked(bot="absent") == asked(bot="fa%") == asked(bot=LONE) == []
        assert asked(conversation="absent") == []

    @pytest.mark.parametrize("status", list(Review))
    def test_a_decision_is_kept_and_can_be_changed(self, history: History, status: Review) -> None:
        said = history.add_feedback(answered(history), Verdict.GOOD)
        history.review(said.id, Review.ACCEPTED)
        decided = history.review(said.id, status)
        assert (decided.id, decided.status) == (said.id, status)
        assert history.feedback() == (decided,)

    def test_a_reply_that_is_only_bad_teaches_nothing(self, history: History) -> None:
        said = history.add_feedback(answered(history), Verdict.BAD)
        with pytest.raises(HistoryError) as caught:
            history.review(said.id, Review.ACCEPTED)
        assert str(caught.value) == (
            "Feedback 1 only says that the reply is bad, which teaches no bot what is right. "
            "Correct the reply in the chat with /correct, or reject the feedback."
        )
        assert history.feedback() == (said,)
        assert history.review(said.id, Review.REJECTED).status is Review.REJECTED

    @pytest.mark.parametrize(
        ("act", "message"),
        [
            (lambda h: h.add_feedback(99, Verdict.GOOD), "No message 99 in the history"),
            (lambda h: h.add_feedback(1, Verdict.GOOD), "Message 1 is a question. Only replies"),
            (lambda h: h.review(99, Review.NEW), "No feedback 99. See the ids: chatseq history f"),
        ],
    )
    def test_what_cannot_be_judged_is_told(
        self, history: History, act: Callable[[History], object], message: str
    ) -> None:
        answered(history)
        with pytest.raises(HistoryError, match=message):
            act(history)
        assert history.feedback() == ()

    @pytest.mark.parametrize(
        ("verdict", "correction"),
        [(Verdict.CORRECT, ""), (Verdict.CORRECT, " \n"), (Verdict.GOOD, "x"), (Verdict.BAD, "x")],
    )
    def test_only_a_correction_has_an_answer_and_never_an_empty_one(
        self, history: History, verdict: Verdict, correction: str
    ) -> None:
        reply = answered(history)
        with pytest.raises(ValueError, match="Only CORRECT has a correction"):
            history.add_feedback(reply, verdict, correction)
        assert history.feedback() == ()

    def test_a_reply_that_follows_nothing_has_an_empty_question(self, history: History) -> None:
        source = MemoryHistory()
        answered(source)
        (_, reply) = source.messages(source.find("last").id)
        lonely = replace(reply, parent=None)
        assert history.add_conversation(source.find("last"), [lonely])
        (kept,) = history.messages(source.find("last").id)
        assert kept.role is Role.REPLY
        assert history.add_feedback(kept.id, Verdict.CORRECT, "That.").question == ""
        assert history.feedback()[0].question == ""

    def test_texts_that_no_database_could_hold_are_mended(self, history: History) -> None:
        said = history.add_feedback(answered(history), Verdict.CORRECT, f"a{LONE}b\x00c")
        assert said.correction == "a\ufffdb\ufffdc"
        assert history.feedback() == (said,)

    @pytest.mark.parametrize("text", [" x ", "a\r\nb", "\x1b[2Jx", "'; --", "👩‍👧", "长" * 9999])
    def test_corrections_come_back_as_they_were(self, history: History, text: str) -> None:
        assert history.add_feedback(answered(history), Verdict.CORRECT, text).correction == text
        assert history.feedback()[0].correction == text

    def test_deleting_a_conversation_deletes_what_was_said_about_it(self, history: History) -> None:
        gone = history.add_feedback(answered(history, "gone"), Verdict.CORRECT, "secret")
        kept = history.add_feedback(answered(history, "kept"), Verdict.GOOD)
        history.delete(gone.conversation)
        assert history.feedback() == (kept,)
        new = history.add_feedback(answered(history), Verdict.GOOD)
        assert new.id > kept.id

    def test_ids_of_deleted_feedback_are_not_given_again(self, history: History) -> None:
        gone = history.add_feedback(answered(history), Verdict.GOOD)
        history.delete(gone.conversation)
        assert history.add_feedback(answered(history), Verdict.GOOD).id > gone.id

    def test_it_is_carried_to_another_history_with_its_conversation(self, history: History) -> None:
        source = MemoryHistory()
        answered(source, "unrelated")
        first = source.add_feedback(answered(source, bot="faq"), Verdict.CORRECT, "This.")
        source.review(first.id, Review.ACCEPTED)
        about, messages = source.find("last"), source.messages(first.conversation)
        here = history.add_feedback(answered(history), Verdict.GOOD)
        assert history.add_conversation(about, messages, source.feedback(bot="faq"))
        copied, before = history.feedback()
        assert before == here
        assert copied.id > here.id
        assert history.messages(about.id)[1].id == copied.message
        assert (copied.question, copied.correction, copied.status, copied.created) == (
            "What?", "This.", Review.ACCEPTED, first.created,
        )  # fmt: skip


class TestMemory(FeedbackContract):
    @pytest.fixture
    def history(self) -> MemoryHistory:
        return MemoryHistory()


class TestFile(FeedbackContract):
    @pytest.fixture
    def history(self, tmp_path: Path) -> Iterator[HistoryStore]:
        store = HistoryStore(tmp_path / "history.db")
        yield store
        store.close()


def changed(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_correction_that_changed_on_the_disk_is_found_by_its_checksum(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with closing(HistoryStore(path)) as store:
        store.add_feedback(answered(store), Verdict.CORRECT, "That.")
        assert store.faults() == ()
        changed(path, "UPDATE feedback SET correction = 'forged'")
        assert store.faults() == ("The correction of reply 2 has changed on the disk.",)


@pytest.mark.parametrize(
    ("column", "value"), [("verdict", "'fine'"), ("status", "''"), ("created", "'yesterday'")]
)
def test_feedback_that_makes_no_sense_is_told_in_one_line(
    tmp_path: Path, column: str, value: str
) -> None:
    path = tmp_path / "history.db"
    with closing(HistoryStore(path)) as store:
        store.add_feedback(answered(store), Verdict.GOOD)
        changed(path, f"UPDATE feedback SET {column} = {value}")  # noqa: S608
        with pytest.raises(HistoryError, match="The history cannot be read: ") as caught:
            store.feedback()
    assert "\n" not in str(caught.value)
    assert "See: chatseq doctor" in str(caught.value)


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_what_was_corrected_and_deleted_can_be_found_in_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: str
) -> None:
    def bytes_of_all() -> bytes:
        return b"".join(file.read_bytes() for file in tmp_path.iterdir())

    monkeypatch.setattr(sqlite, "wal_is_safe", lambda _version: journal == "wal")
    with closing(HistoryStore(tmp_path / "history.db")) as store:
        store.add_feedback(answered(store), Verdict.CORRECT, "keep this")
        gone = answered(store)
        store.add_feedback(gone, Verdict.CORRECT, "xyzzysecret")
        assert b"xyzzysecret" in bytes_of_all()
        store.delete(store.find("last").id)
        assert b"xyzzysecret" not in bytes_of_all()
        assert [said.correction for said in store.feedback()] == ["keep this"]
