"""`chatseq history feedback`, as it is typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatseq.cli.history_feedback import feedback
from chatseq.cli.main import run
from chatseq.core.exchange import Reply, ReplySource
from chatseq.core.paths import history_file
from chatseq.history.contracts import Review, Verdict
from chatseq.history.store import HistoryStore
from chatseq.text.terminal import safe

FIELDS = [
    "id", "conversation", "bot", "question", "reply", "message", "verdict", "correction", "status",
    "created",
]  # fmt: skip
ONLY_BAD = (
    "Feedback 2 only says that the reply is bad, which teaches no bot what is right. "
    "Correct the reply in the chat with /correct, or reject the feedback."
)
DOCS = Path(__file__).resolve().parents[2] / "docs" / "history.md"


class Typed:
    """Types commands and returns what they print."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured
        self.err = ""

    def __call__(self, *arguments: str, code: int = 0) -> str:
        assert run(["history", "feedback", *arguments]) == code
        out, self.err = self._captured.readouterr()
        assert "Traceback" not in self.err
        return out

    def json(self, *arguments: str) -> Any:
        return json.loads(self("list", *arguments, "--json"))

    def states(self) -> dict[int, str]:
        return {said["id"]: said["status"] for said in self.json()}


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    monkeypatch.setenv("COLUMNS", "160")
    return Typed(capsys)


@pytest.fixture
def store() -> Iterator[HistoryStore]:
    opened = HistoryStore(history_file())
    yield opened
    opened.close()


def judge(
    store: HistoryStore, question: str, verdict: Verdict, correction: str = "", bot: str = "faq"
) -> int:
    asked = store.add_question(question, conversation=None, parent=None, bot=bot)
    reply = Reply(f"re {question}", ReplySource.GENERATED, 0.5, bot=bot)
    said = store.add_feedback(store.add_reply(asked.id, reply).id, verdict, correction)
    return said.id


@pytest.fixture
def three(store: HistoryStore) -> None:
    """Feedback 1 is good, 2 is bad, 3 is a correction of another bot."""
    judge(store, "one", Verdict.GOOD)
    judge(store, "two", Verdict.BAD)
    judge(store, "怎样训练？", Verdict.CORRECT, "先准备语料", bot="shop")


def test_without_a_history_nothing_is_made(typed: Typed, home: Path) -> None:
    assert typed("list") == "No feedback yet. In a chat, say it with /good, /bad or /correct.\n"
    assert typed.json() == []
    assert typed("accept", "--all") == "0 verdicts accepted.\n"
    typed("reject", "1", code=1)
    assert typed.err == "Error: No feedback 1. See the ids: chatseq history feedback list\n"
    assert list(home.iterdir()) == []


@pytest.mark.usefixtures("three")
def test_list_shows_the_latest_first(typed: Typed) -> None:
    heading, first, second, third = (line.split() for line in typed("list").splitlines())
    assert " ".join(heading) == "id when bot verdict question reply -> correction status"
    assert (first[0], first[3:]) == ("3", [
        "shop", "correct", "怎样训练？", "re", "怎样训练？", "->", "先准备语料", "new",
    ])  # fmt: skip
    assert (second[0], second[3:]) == ("2", ["faq", "bad", "two", "re", "two", "new"])
    assert (third[0], third[3:]) == ("1", ["faq", "good", "one", "re", "one", "new"])


@pytest.mark.usefixtures("three")
def test_list_can_be_narrowed_down(typed: Typed) -> None:
    typed("reject", "1")
    assert [said["id"] for said in typed.json("--bot", "faq")] == [2, 1]
    assert [said["id"] for said in typed.json("--status", "new")] == [3, 2]
    assert [said["id"] for said in typed.json("--bot", "faq", "--status", "rejected")] == [1]
    assert typed("list", "--bot", "none") == "No feedback of that kind.\n"
    typed("list", "--status", "old", code=2)
    assert "'old' is not one of 'new', 'accepted', 'rejected'" in typed.err


@pytest.mark.usefixtures("three")
def test_json_has_the_documented_fields(typed: Typed) -> None:
    (said, *_) = typed.json()
    assert list(said) == FIELDS
    assert said["created"].endswith("+00:00")
    assert (said["bot"], said["question"], said["reply"], said["message"]) == (
        "shop", "怎样训练？", "re 怎样训练？", 6,
    )  # fmt: skip
    assert (said["verdict"], said["correction"], said["status"]) == ("correct", "先准备语料", "new")


@pytest.mark.usefixtures("three")
def test_ids_are_accepted_and_rejected_and_a_decision_can_be_changed(typed: Typed) -> None:
    assert typed("accept", "1", "3", "1") == "2 verdicts accepted.\n"
    assert typed("reject", "2", "3") == "2 verdicts rejected.\n"
    assert typed.states() == {1: "accepted", 2: "rejected", 3: "rejected"}


@pytest.mark.usefixtures("three")
def test_all_means_what_is_new(typed: Typed) -> None:
    typed("reject", "1")
    assert typed("accept", "--all") == (
        "1 verdict accepted.\n1 verdict left as it is: 'bad' alone says not what is right.\n"
    )
    assert typed.states() == {1: "rejected", 2: "new", 3: "accepted"}
    assert typed("reject", "--all") == "1 verdict rejected.\n"
    assert typed.states() == {1: "rejected", 2: "rejected", 3: "accepted"}


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("command", "ids", "message"),
    [
        ("accept", ("1", "9"), "No feedback 9. See the ids: chatseq history feedback list"),
        ("reject", ("1", "9"), "No feedback 9. See the ids: chatseq history feedback list"),
        ("accept", ("1", "2"), ONLY_BAD),
    ],
)
def test_where_one_cannot_be_decided_none_is(
    typed: Typed, command: str, ids: tuple[str, ...], message: str
) -> None:
    typed(command, *ids, code=1)
    assert typed.err == f"Error: {message}\n"
    assert set(typed.states().values()) == {"new"}


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("arguments", [(), ("1", "--all")])
@pytest.mark.parametrize("command", ["accept", "reject"])
def test_deciding_needs_a_choice(typed: Typed, command: str, arguments: tuple[str, ...]) -> None:
    typed(command, *arguments, code=2)
    assert "Name the feedback by its ids, or give --all." in typed.err
    assert set(typed.states().values()) == {"new"}


def test_what_is_no_id_is_told(typed: Typed) -> None:
    typed("accept", "first", code=2)
    assert "'first' is not a valid integer" in typed.err


def test_a_rejected_correction_can_be_made_again(typed: Typed, store: HistoryStore) -> None:
    judge(store, "one", Verdict.CORRECT, "first")
    typed("reject", "1")
    store.add_feedback(2, Verdict.CORRECT, "second")
    assert typed.states() == {2: "new"}
    assert store.feedback(status=Review.NEW)[0].correction == "second"


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_escape_sequences_never_reach_the_terminal(
    typed: Typed, store: HistoryStore, extra: list[str]
) -> None:
    evil = "\x1b]0;owned\x07 \x9b2J \x1b[31m\u202eback \r"
    judge(store, evil, Verdict.CORRECT, evil, bot=evil)
    shown = typed("list", *extra)
    assert "owned" in shown
    assert safe(shown) == shown


def test_every_command_and_field_is_documented() -> None:
    text = DOCS.read_text(encoding="utf-8")
    missing = [field for field in FIELDS if f"`{field}`" not in text]
    assert missing == []
    assert [name for name in feedback.commands if f"history feedback {name}" not in text] == []
