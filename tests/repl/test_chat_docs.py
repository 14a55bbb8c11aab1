"""docs/chat.md is true: its commands are the commands, its plugin works."""

from __future__ import annotations

import re
from pathlib import Path

from chatting import room_of

from chatseq.core.plugins import Registry, discover
from chatseq.repl.commands import CommandTable
from chatseq.repl.dispatch import Dispatcher

PAGE = (Path(__file__).parents[2] / "docs" / "chat.md").read_text(encoding="utf-8")


def test_every_command_is_documented_with_its_argument(registry: Registry) -> None:
    documented = re.findall(r"^\| `/(\w+) ?(.*?)` \|", PAGE, re.MULTILINE)
    working, _ = CommandTable(registry).loaded()
    assert dict(documented) == {name: command.usage for name, command in working.items()}


def test_the_plugin_of_the_page_works(home: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (home / "plugins").mkdir()
    (home / "plugins" / "shout.py").write_text(code, encoding="utf-8")
    registry = discover([home / "plugins"])
    assert registry.faults == []
    room, seen = room_of(registry)
    Dispatcher(room).handle("/shout hello")
    assert seen.lines == ["say HELLO"]
    Dispatcher(room).handle("/help")
    assert "/shout [text]      Say something loudly" in seen.lines[1]
