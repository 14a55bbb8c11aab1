"""`chatseq plugins check`: everything is told, and nothing that a plugin does ends the command."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

from chatseq.cli.main import run
from chatseq.hookspecs import PART_HOOKS
from chatseq.testing import checks_for

Capture = pytest.CaptureFixture[str]

HONEST = '''
from chatseq.hookspecs import hookimpl


class ReplyLength:
    """The characters of all replies."""

    def __init__(self):
        self.characters = 0

    def add(self, judged):
        self.characters += sum(len(one.said) for one in judged)

    def merge(self, other):
        self.characters += other.characters

    def figures(self):
        return {"characters": self.characters}


@hookimpl
def chatseq_metrics():
    return {"reply-length": ReplyLength}
'''


@pytest.fixture
def write(home: Path) -> Any:
    """Write a one-file plugin; `spoilt` replaces the body of `figures`, `more` comes behind."""

    def put(*, name: str = "mine", spoilt: str = "", more: str = "") -> None:
        text = (
            HONEST.replace('return {"characters": self.characters}', spoilt) if spoilt else HONEST
        )
        folder = home / "plugins"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.py").write_text(text + textwrap.dedent(more), encoding="utf-8")

    return put


def checked(capsys: Capture, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    code = run(["plugins", "check", *arguments, "--json"])
    out, err = capsys.readouterr()
    assert err == ""
    rows: list[dict[str, Any]] = json.loads(out)
    return code, rows


def broken(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["check"]: row["reason"] for row in rows if row["result"] == "broken"}


def test_a_part_that_is_right_has_a_row_for_every_check(capsys: Capture, write: Any) -> None:
    write()
    code, rows = checked(capsys, "reply-length")
    assert code == 0
    expected = ["it can be imported", *(check.name for check in checks_for("metric"))]
    assert [row["check"] for row in rows] == expected
    assert {row["result"] for row in rows} == {"kept"}
    assert set(rows[0]) == {"kind", "name", "check", "result", "reason", "milliseconds"}
    assert {(row["kind"], row["name"]) for row in rows} == {("metric", "reply-length")}
    assert all(row["milliseconds"] >= 0 for row in rows)


def test_what_is_broken_is_told_in_the_table(capsys: Capture, write: Any) -> None:
    write(spoilt="return {'characters': float('nan')}")
    assert run(["plugins", "check", "mine"]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert "metric reply-length, of plugin mine" in out
    lines = out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.endswith("  figures are finite numbers "
                                                                 "with names"))  # fmt: skip
    assert lines[at].split()[0] == "broken"
    assert lines[at].split()[2] == "ms"
    assert lines[at + 1] == " " * 27 + "the figure 'characters' is nan after 0 replies"
    assert max(map(len, lines)) <= 80
    assert "11 kept, 1 broken" in out


def test_a_plugin_is_checked_with_all_its_parts(capsys: Capture, write: Any) -> None:
    write(
        more="""
        class Slow:
            '''Say nothing, slowly.'''

        @hookimpl
        def chatseq_strategies():
            return {"slow": Slow}
        """
    )
    code, rows = checked(capsys, "mine")
    assert code == 1
    assert {row["kind"] for row in rows} == {"metric", "strategy"}
    assert broken(rows)["every reply is whole or cut"].startswith("AttributeError: 'Slow' object")
    code, rows = checked(capsys, "mine", "--kind", "metric")
    assert code == 0
    assert {row["kind"] for row in rows} == {"metric"}


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise BaseException('odd')", "BaseException: odd"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise RuntimeError('one\\ntwo')", "RuntimeError: one"),
        ("return self.figures()", "RecursionError: maximum recursion depth exceeded"),
        ("class Mute(Exception):\n            __str__ = None\n        raise Mute", "Mute"),
        ("return 1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_whatever_a_part_raises_is_told_in_a_line(
    capsys: Capture, write: Any, spoilt: str, told: str
) -> None:
    write(spoilt=spoilt)
    code, rows = checked(capsys, "reply-length")
    assert code == 1
    assert broken(rows)["figures are finite numbers with names"].startswith(told)
    assert "\n" not in "".join(row["reason"] for row in rows)


def test_what_a_part_prints_does_not_spoil_the_json(capsys: Capture, write: Any) -> None:
    noisy = "import sys, warnings; print('NOISE'); print('NOISE', file=sys.stderr); "
    write(spoilt=noisy + "warnings.warn('NOISE'); return {'characters': 1}")
    code, rows = checked(capsys, "reply-length")  # it asserts that nothing is on stderr
    assert code == 0
    assert "NOISE" not in str(rows)


def test_what_a_terminal_obeys_is_taken_out(capsys: Capture, write: Any) -> None:
    write(spoilt="raise ValueError('\\x1b[31mred\\x07')")
    assert run(["plugins", "check", "mine"]) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "red" in out


@pytest.mark.parametrize("fault", ["raise SystemExit('enough')", "import no_such_thing_at_all"])
def test_a_part_that_cannot_be_imported_is_one_row(
    capsys: Capture, write: Any, home: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.syspath_prepend(home)
    (home / f"lazy_{len(fault)}.py").write_text(fault, encoding="utf-8")
    reference = f"lazy_{len(fault)}:Thing"
    write(more=f"@hookimpl\ndef chatseq_encoders():\n    return {{'lazy': '{reference}'}}")
    code, [row] = checked(capsys, "lazy")
    assert code == 1
    assert (row["check"], row["result"]) == ("it can be imported", "broken")
    assert "enough" in row["reason"] or "no_such_thing_at_all" in row["reason"]


def test_a_plugin_that_was_set_aside_is_told(capsys: Capture, write: Any) -> None:
    write(more="raise RuntimeError('not today')")
    assert run(["plugins", "check", "mine"]) == 1
    assert capsys.readouterr().err == (
        "Error: Plugin mine: cannot be imported: RuntimeError: not today. "
        "Mend that first; nothing of it is in use.\n"
    )


def test_a_name_that_two_plugins_have_is_told(capsys: Capture, write: Any) -> None:
    write(name="one")
    write(name="two")
    assert run(["plugins", "check", "reply-length"]) == 1
    assert "Two plugins provide the metric 'reply-length'" in capsys.readouterr().err


def test_what_does_not_exist_is_told(capsys: Capture) -> None:
    assert run(["plugins", "check", "gredy"]) == 1
    assert "Did you mean 'greedy'?" in capsys.readouterr().err
    assert run(["plugins", "check", "greedy", "--kind", "stratgy"]) == 1
    assert "Did you mean 'strategy'?" in capsys.readouterr().err


def test_a_built_in_part_is_checked_like_any_other(capsys: Capture) -> None:
    code, rows = checked(capsys, "tsv", "--kind", "corpus-reader")
    assert code == 0
    assert len(rows) == 1 + len(checks_for("corpus-reader"))


def test_every_kind_can_be_checked() -> None:
    for kind in PART_HOOKS:
        names = [check.name for check in checks_for(kind)]
        assert len(names) == len(set(names))
        assert all(check.proves for check in checks_for(kind))
