"""`chatseq history`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chatseq.cli import history as commands
from chatseq.cli.main import run
from chatseq.core.exchange import Reply, ReplySource
from chatseq.core.paths import history_file
from chatseq.history.store import HistoryStore
from chatseq.text.terminal import safe

LIST = {"id", "title", "bot", "created", "head", "message_count"}
MESSAGE = {
    "id", "parent", "role", "text", "status", "created", "source", "confidence", "strategy",
    "bot", "model", "tokens", "milliseconds", "seed", "alternatives",
}  # fmt: skip
FEEDBACK = {
    "id", "conversation", "message", "bot", "question", "reply", "verdict", "correction", "status",
    "created",
}  # fmt: skip
DOCS = Path(__file__).resolve().parents[2] / "docs" / "history.md"


class Screen:
    """What the commands print."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured
        self.err = ""

    def __call__(self, *arguments: str, code: int = 0) -> str:
        assert run(["history", *arguments]) == code
        out, self.err = self._captured.readouterr()
        assert "Traceback" not in self.err
        return out

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))


@pytest.fixture
def screen(capsys: pytest.CaptureFixture[str]) -> Screen:
    return Screen(capsys)


@pytest.fixture
def names() -> list[str]:
    """Two conversations, the later one with a branch; their ids."""
    store = HistoryStore(history_file())
    first = store.add_question("What is\nchatseq?", conversation=None, parent=None, bot="starter")
    store.add_reply(first.id, Reply("A chatbot\nthat you train.", ReplySource.RETRIEVED, 0.9))
    second = store.add_question("怎样训练模型？", conversation=None, parent=None)
    store.add_reply(second.id, Reply("先", ReplySource.GENERATED, 0.0, interrupted=True))
    store.add_reply(second.id, Reply("chatseq train", ReplySource.GENERATED, 0.5))
    store.close()
    return [first.conversation, second.conversation]


def test_without_a_history_nothing_is_made(screen: Screen, home: Path) -> None:
    assert screen("list") == "No conversations yet. Begin one: chatseq\n"
    assert screen.json("list") == []
    assert screen("search", "x") == "No message holds all these words.\n"
    assert screen.json("search", "x") == []
    assert screen("export") == ""
    assert screen("delete", "--all", "--yes") == "0 conversations deleted.\n"
    screen("show", "last", code=1)
    assert screen.err == "Error: No conversation 'last'. See the ids: chatseq history list\n"
    assert list(home.iterdir()) == []


def test_list_shows_the_latest_first(screen: Screen, names: list[str]) -> None:
    heading, first, second = screen("list").splitlines()
    assert heading.split() == ["id", "begun", "messages", "bot", "title"]
    assert first.split()[0] == names[1]
    assert first.rstrip().endswith("怎样训练模型？")
    assert second.split()[-4:] == ["starter", "What", "is", "chatseq?"]
    assert len(screen("list", "-n", "1").splitlines()) == 2


def test_list_as_json_has_the_documented_fields(screen: Screen, names: list[str]) -> None:
    listed = screen.json("list")
    assert [set(item) for item in listed] == [LIST, LIST]
    assert listed[1] == {
        "id": names[0], "title": "What is chatseq?", "bot": "starter", "head": 2,
        "message_count": 2, "created": listed[1]["created"],
    }  # fmt: skip
    assert listed[1]["created"].endswith("+00:00")


def test_show_prints_the_present_branch(screen: Screen, names: list[str]) -> None:
    title, about, *turns = screen("show", "last").splitlines()
    assert title == "怎样训练模型？"
    assert about.startswith(f"{names[1]}, ")
    assert turns == [
        "", "you: 怎样训练模型？", "", "bot: chatseq train", "",
        "1 message on other branches: --json shows them.",
    ]  # fmt: skip


def test_show_sets_the_lines_of_a_message_in(screen: Screen, names: list[str]) -> None:
    shown = screen("show", names[0])
    assert "\nyou: What is\n     chatseq?\n" in shown
    assert "\nbot: A chatbot\n     that you train.\n" in shown
    assert f"\n{names[0]}, bot starter, " in shown


def test_show_as_json_has_all_branches_and_the_documented_fields(
    screen: Screen, names: list[str]
) -> None:
    shown = screen.json("show", names[1])
    assert set(shown) == LIST | {"messages", "feedback"}
    assert [set(message) for message in shown["messages"]] == [MESSAGE] * 3
    assert [message["status"] for message in shown["messages"]] == [
        "complete", "interrupted", "complete",
    ]  # fmt: skip
    assert shown["head"] == shown["messages"][2]["id"]


def test_what_became_of_a_message_is_shown(screen: Screen) -> None:
    store = HistoryStore(history_file())
    asked = store.add_question("lost", conversation=None, parent=None)
    screen_of = lambda: screen("show", "last")  # noqa: E731
    assert "you: lost  (no reply yet)" in screen_of()
    store.mark_failed(asked.id)
    assert "you: lost  (the reply failed)" in screen_of()
    store.add_reply(asked.id, Reply("par", ReplySource.GENERATED, 0.0, interrupted=True))
    assert "bot: par  (interrupted)" in screen_of()
    store.close()


def test_search_finds_chinese_and_says_where(screen: Screen, names: list[str]) -> None:
    line = screen("search", "训练").splitlines()[1]
    assert line.split()[0] == names[1]
    assert line.rstrip().endswith("you  怎样训练模型？")
    (found,) = screen.json("search", "chatbot", "train")
    assert set(found) == {"conversation", "title", "snippet", "message"}
    assert (found["conversation"], found["title"]) == (names[0], "What is chatseq?")
    assert found["snippet"] == "A chatbot that you train."
    assert set(found["message"]) == MESSAGE


def test_an_unknown_or_ambiguous_id_is_told_in_one_line(screen: Screen, names: list[str]) -> None:
    screen("show", "zzz", code=1)
    assert screen.err == "Error: No conversation 'zzz'. See the ids: chatseq history list\n"
    screen("show", "1", code=1)
    assert screen.err == (
        f"Error: '1' begins several conversations: {names[1]}, {names[0]}. Type more of the id.\n"
    )


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_escape_sequences_in_the_history_never_reach_the_terminal(
    screen: Screen, extra: list[str]
) -> None:
    evil = "\x1b]0;owned\x07 \x9b2J \x1b[31mred \u202eback \r end"
    store = HistoryStore(history_file())
    asked = store.add_question(evil, conversation=None, parent=None, bot=evil)
    store.add_reply(asked.id, Reply(evil, ReplySource.GENERATED, 0.5, bot=evil))
    store.close()
    for arguments in (["list"], ["show", "last"], ["search", "owned"]):
        shown = screen(*arguments, *extra)
        assert "owned" in shown
        assert safe(shown) == shown
    exported = screen("export")
    assert "owned" in exported
    assert safe(exported) == exported


def test_what_is_exported_can_be_imported_elsewhere(
    screen: Screen, names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kept.jsonl"
    assert screen("export", "-o", str(file)) == ""
    assert screen.err == f"2 conversations exported to {file}.\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text(encoding="utf-8") == screen("export")
    before = [screen.json("show", name) for name in names]
    monkeypatch.setenv("CHATSEQ_HOME", str(tmp_path / "other"))
    assert screen("import", str(file)) == "2 conversations imported.\n"
    assert [screen.json("show", name) for name in names] == before
    assert screen("import", str(file)) == "0 conversations imported, 2 were here already.\n"


def test_one_conversation_can_be_exported(screen: Screen, names: list[str]) -> None:
    (line,) = screen("export", names[0][:-1]).splitlines()
    assert json.loads(line)["id"] == names[0]


def test_an_exported_file_is_never_written_over_another(
    screen: Screen, names: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("precious")
    screen("export", "-o", str(file), code=1)
    assert screen.err == f"Error: Cannot write {file}: it exists already. Name another file.\n"
    assert file.read_text() == "precious"
    screen("export", "-o", str(tmp_path / "no" / "file"), code=1)
    assert "No such file or directory. Name another file." in screen.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello\n", "{file}:1: this is no exported conversation (Expecting value"),
        (b"\xff\xfe\x00", "{file}: this is no exported file, for it is not UTF-8."),
        (None, "Cannot read {file}: Is a directory. Name an exported file."),
    ],
)
def test_a_file_that_was_not_exported_is_told_and_nothing_is_taken_in(
    screen: Screen, names: list[str], tmp_path: Path, content: bytes | None, message: str
) -> None:
    file = tmp_path / "bad.jsonl"
    file.mkdir() if content is None else file.write_bytes(content)
    screen("import", str(file), code=1)
    assert message.format(file=file) in screen.err
    assert len(screen.json("list")) == 2


def test_an_empty_file_and_a_byte_order_mark_are_fine(
    screen: Screen, names: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "saved-by-an-editor.jsonl"
    file.write_text("\ufeff" + screen("export") + "\r\n\r\n", encoding="utf-8")
    assert screen("import", str(file)) == "0 conversations imported, 2 were here already.\n"
    file.write_text("")
    assert screen("import", str(file)) == "0 conversations imported.\n"


def test_a_missing_file_is_told(screen: Screen) -> None:
    screen("import", "absent.jsonl", code=1)
    assert screen.err == (
        "Error: Cannot read absent.jsonl: No such file or directory. Name an exported file.\n"
    )


def test_deleting_asks_and_can_be_refused(
    screen: Screen, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_somebody_is_there", lambda: True)
    monkeypatch.setattr(commands.click, "confirm", lambda question: asked.append(question))
    asked: list[str] = []
    assert screen("delete", "last", "last") == f"{names[1]}  怎样训练模型？\nNothing was deleted.\n"
    assert asked == ["Delete 1 conversation for good?"]
    assert len(screen.json("list")) == 2


def test_deleting_where_nobody_can_answer_needs_yes(screen: Screen, names: list[str]) -> None:
    screen("delete", "last", code=1)
    assert screen.err == "Error: Deleting asks first, and nobody can answer here. Give --yes.\n"
    assert screen("delete", names[0], "--yes") == "1 conversation deleted.\n"
    assert [item["id"] for item in screen.json("list")] == [names[1]]
    assert screen.json("search", "chatbot") == []


def test_deleting_needs_a_choice(screen: Screen, names: list[str]) -> None:
    screen("delete", code=2)
    assert "Name the conversations to delete, or give --all." in screen.err
    screen("delete", "--all", names[0], code=2)
    assert screen("delete", "--all", "--yes") == "2 conversations deleted.\n"


def test_a_damaged_history_is_told_and_kept(screen: Screen) -> None:
    history_file().parent.mkdir(exist_ok=True)
    history_file().write_bytes(b"not a database")
    assert screen("list") == "No conversations yet. Begin one: chatseq\n"
    assert screen.err.startswith("The history was damaged (it is not a database). It was kept as ")


def test_every_command_and_field_is_documented() -> None:
    text = DOCS.read_text(encoding="utf-8")
    missing = [f for f in (LIST | MESSAGE | FEEDBACK | {"messages", "snippet", "feedback"})
               if f"`{f}`" not in text]  # fmt: skip
    assert missing == []
    assert [name for name in commands.history.commands if f"history {name}" not in text] == []
