"""Export and import: what comes back is what was there, and no bad line does more than be told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatseq.core.errors import HistoryError
from chatseq.core.exchange import Alternative, Reply, ReplySource
from chatseq.history.contracts import Review, Verdict
from chatseq.history.memory import MemoryHistory
from chatseq.history.transfer import conversation_of, export_lines, whole_value
from chatseq.text.terminal import safe, safe_json

TEXT = st.text(st.characters(exclude_characters="\x00"), max_size=30)


def exported(history: MemoryHistory) -> list[str]:
    return list(export_lines(history, history.conversations()))


def filled() -> MemoryHistory:
    history = MemoryHistory()
    asked = history.add_question("你好？", conversation=None, parent=None, bot="starter")
    alternatives = (Alternative("您好！", 0.25, "您好"),)
    reply = Reply(
        "你好！", ReplySource.RETRIEVED, 0.5, alternatives, bot="starter", strategy="beam",
        tokens=3, milliseconds=1.5, seed=2**70, model="abc",
    )  # fmt: skip
    answered = history.add_reply(asked.id, reply)
    part = history.add_reply(asked.id, Reply("你", ReplySource.GENERATED, 0.0, interrupted=True))
    history.add_feedback(part.id, Verdict.BAD)
    said = history.add_feedback(answered.id, Verdict.CORRECT, "您好，\n请说。")
    history.review(said.id, Review.ACCEPTED)
    history.add_question("second", conversation=None, parent=None)
    return history


def good() -> dict[str, Any]:
    value = json.loads(exported(filled())[0])
    assert isinstance(value, dict)
    return value


def test_feedback_is_exported_oldest_first_without_what_the_messages_say() -> None:
    bad, correct = good()["feedback"]
    created = correct.pop("created")
    assert correct == {
        "message": 2, "verdict": "correct", "correction": "您好，\n请说。", "status": "accepted",
    }  # fmt: skip
    assert created.endswith("+00:00")
    assert (bad["message"], bad["verdict"], bad["status"]) == (3, "bad", "new")


def test_imported_feedback_follows_the_new_ids_of_its_replies() -> None:
    history = filled()
    conversation, messages, feedback = conversation_of(exported(filled())[0], "x:1")
    assert history.add_conversation(conversation, messages, feedback)
    said, _ = history.feedback(conversation=conversation.id)
    assert history.messages(conversation.id)[said.message - 5].id == said.message == 6
    assert (said.question, said.reply, said.bot) == ("你好？", "你好！", "starter")
    assert (said.id, said.status) == (4, Review.ACCEPTED)


def test_a_file_of_an_older_chatseq_has_no_feedback() -> None:
    value = good()
    del value["feedback"], value["messages"][1]["alternatives"][0]["question"]
    conversation = conversation_of(json.dumps(value), "x:1")
    assert conversation.feedback == ()
    assert conversation.messages[1].alternatives == (Alternative("您好！", 0.25),)


def test_what_is_imported_is_exported_again_the_same() -> None:
    lines = exported(filled())
    copy = MemoryHistory()
    for number, line in enumerate(lines):
        assert copy.add_conversation(*conversation_of(line, f"x:{number}"))
    assert exported(copy) == lines
    assert [json.loads(line)["title"] for line in lines] == ["你好？", "second"]


@given(texts=st.lists(TEXT, min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_any_text_survives_exporting_and_importing(texts: list[str]) -> None:
    history = MemoryHistory()
    name = None
    for text in texts:
        name = history.add_question(text, conversation=name, parent=None).conversation
    (line,) = exported(history)
    assert "\n" not in line
    assert safe(line) == line
    conversation, messages, _ = conversation_of(line, "x:1")
    assert conversation == history.find("last")
    assert messages == history.messages(conversation.id)


@given(text=st.text(max_size=40))
def test_a_json_document_is_safe_and_means_the_same(text: str) -> None:
    document = safe_json(json.dumps([text], ensure_ascii=False))
    assert safe(document) == document
    assert json.loads(document) == [text]


def test_escapes_in_a_title_cannot_reach_the_terminal() -> None:
    history = MemoryHistory()
    history.add_question("\x1b]0;owned\x07\x9b2J \u202e", conversation=None, parent=None)
    (line,) = exported(history)
    assert "\\u001b]0;owned\\u0007\\u009b2J \\u202e" in line


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "../../etc"}, "its id cannot be used"),
        ({"id": ""}, "its id cannot be used"),
        ({"id": 5}, "'id' is no str"),
        ({"title": None}, "'title' is no str"),
        ({"created": "yesterday"}, "Invalid isoformat string: 'yesterday'"),
        ({"head": 99}, "its head 99 is no message of it"),
        ({"head": True}, "'head' is no int"),
        ({"messages": None}, "'NoneType' object is not iterable"),
        ({"messages": [1]}, "'int' object is not subscriptable"),
        ({"messages": [{}]}, "'id' is missing"),
    ],
)
def test_a_conversation_that_was_not_exported_is_told(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(HistoryError) as caught:
        conversation_of(json.dumps({**good(), **change}), "old.jsonl:7")
    assert str(caught.value) == (
        f"old.jsonl:7: this is no exported conversation ({reason}). "
        "Give a file made by: chatseq history export"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"parent": 3}, "message 2 does not follow one before it"),
        ({"id": 1}, "message 1 does not follow one before it"),
        ({"role": "king"}, "'king' is not a valid Role"),
        ({"status": ""}, "'' is not a valid Status"),
        ({"confidence": "high"}, "'confidence' is no float"),
        ({"tokens": 1.5}, "'tokens' is no int"),
        ({"alternatives": [{"text": "x"}]}, "'confidence' is missing"),
    ],
)
def test_a_message_that_makes_no_sense_is_told(change: dict[str, Any], reason: str) -> None:
    value = good()
    value["messages"][1].update(change)
    with pytest.raises(HistoryError, match=rf"^x:1: .*\({reason}\)"):
        conversation_of(json.dumps(value), "x:1")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"message": 1}, "Message 1 is a question. Only replies can be judged."),
        ({"message": 9}, "there is feedback on message 9, which is missing"),
        ({"message": 3}, "there are two verdicts on reply 3"),
        ({"message": "2"}, "'message' is no int"),
        ({"verdict": "fine"}, "'fine' is not a valid Verdict"),
        ({"verdict": "good"}, "<Verdict.GOOD: 'good'> with the correction .*"),
        ({"correction": " "}, "<Verdict.CORRECT: 'correct'> with the correction ' '.*"),
        ({"correction": "", "verdict": "bad"}, "Feedback 0 only says that the reply is bad.*"),
        ({"status": "old"}, "'old' is not a valid Review"),
        ({"created": 5}, "'created' is no str"),
    ],
)
def test_feedback_that_makes_no_sense_is_told(change: dict[str, Any], reason: str) -> None:
    value = good()
    value["feedback"][1].update(change)
    with pytest.raises(HistoryError, match=rf"^x:1: .*\({reason}\)"):
        conversation_of(json.dumps(value), "x:1")


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "null", "5", '"x"', "[" * 100_000, "NaN", "9" * 5000, "\x00", "\ud800"]
)
def test_a_line_that_is_no_conversation_is_told_in_one_line(line: str) -> None:
    with pytest.raises(HistoryError, match="x:1: this is no exported conversation") as caught:
        conversation_of(line, "x:1")
    assert len(str(caught.value)) < 250
    assert "\n" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


PLACES = [
    *((key,) for key in good()),
    *(("messages", 1, key) for key in good()["messages"][1]),
    *(("feedback", 1, key) for key in good()["feedback"][1]),
]


@given(place=st.sampled_from(PLACES), value=JSON)
@settings(max_examples=300, deadline=None)
def test_any_value_in_any_place_is_taken_or_told(place: tuple[Any, ...], value: object) -> None:
    kept = part = good()
    *path, last = place
    for step in path:
        part = part[step]
    part[last] = value
    try:
        whole = conversation_of(json.dumps(kept), "x:1")
    except HistoryError:
        return
    history = MemoryHistory()
    assert history.add_conversation(*whole)
    json.dumps(whole_value(history, whole.conversation), allow_nan=False)


def test_numbers_that_no_column_holds_are_made_to_fit() -> None:
    value = good()
    value["messages"][1].update(tokens=2**80, confidence=1, source="x" * 100)
    _, messages, _ = conversation_of(json.dumps(value), "x:1")
    assert (messages[1].tokens, messages[1].confidence) == (2**31 - 1, 1.0)
    assert messages[1].source == "x" * 32


def test_a_time_without_a_zone_counts_as_utc() -> None:
    value = good()
    value["created"] = "2026-01-02T03:04:05"
    conversation, _, _ = conversation_of(json.dumps(value), "x:1")
    assert conversation.created.isoformat() == "2026-01-02T03:04:05+00:00"
