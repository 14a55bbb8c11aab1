"""`chatseq doctor`: look at everything that chatseq needs, one line each."""

from __future__ import annotations

import os
import platform
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import click

from chatseq.api import Bot
from chatseq.cli.main import registry_of
from chatseq.cli.output import say, say_json
from chatseq.core.disabled import read_disabled
from chatseq.core.errors import ChatseqError
from chatseq.core.paths import bots_folder, history_file, home
from chatseq.core.plugins import Registry, first_line
from chatseq.core.version import VERSION
from chatseq.text.terminal import safe_line

LIBRARIES = ("torch", "onnxruntime", "sqlalchemy", "prompt-toolkit", "tokenizers", "numpy")
PROBE = "hello"


class CheckResult(NamedTuple):
    """One thing that was looked at."""

    what: str
    good: bool
    told: str


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> int:
    """Check the installation, the files and the default bot."""
    registry = registry_of(ctx)
    findings = []
    for check in CHECKS:
        for finding in _guarded(check, registry):
            findings.append(finding)
            if not as_json:
                mark = "ok" if finding.good else "problem"
                say(f"{mark:<8} {finding.what}: {safe_line(finding.told)}")
    problems = sum(not finding.good for finding in findings)
    if as_json:
        say_json({"problems": problems, "checks": [finding._asdict() for finding in findings]})
    else:
        say(f"{problems} problem(s)." if problems else "All is well.")
    return 1 if problems else 0


Check = Callable[[Registry], Iterator[CheckResult]]


def _guarded(check: Check, registry: Registry) -> Iterator[CheckResult]:
    """Yield what a check finds; what stops the check is a finding too."""
    try:
        yield from check(registry)
    except ChatseqError as fault:
        yield CheckResult(_name(check), False, str(fault))
    except Exception as fault:  # a doctor must get to the end of the visit
        yield CheckResult(_name(check), False, f"{type(fault).__name__}: {first_line(fault)}")


def _name(check: Check) -> str:
    return getattr(check, "__name__", "check").strip("_").replace("_", " ")


def _versions(_: Registry) -> Iterator[CheckResult]:
    told = f"chatseq {VERSION}, Python {platform.python_version()}"
    yield CheckResult("versions", sys.version_info >= (3, 11), f"{told} on {platform.system()}")
    for library in LIBRARIES:
        try:
            yield CheckResult(library, True, metadata.version(library))
        except metadata.PackageNotFoundError:
            told = "it is not installed. Install chatseq again: pip install chatseq"
            yield CheckResult(library, False, told)


def _home(_: Registry) -> Iterator[CheckResult]:
    """Look at the folder of all files: it must be writable, and nobody else's to read."""
    folder = home()
    if not folder.exists():
        yield CheckResult("home", True, f"{folder} does not exist yet")
        return
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as fault:
        told = f"{folder} cannot be written: {fault.strerror}. Set CHATSEQ_HOME to another folder"
        yield CheckResult("home", False, told)
        return
    yield CheckResult("home", True, f"{folder} can be written")
    yield from _modes()


def _modes() -> Iterator[CheckResult]:
    if os.name != "posix" or not _is_open(home()):
        return
    for path in (history_file(), bots_folder()):
        if _is_open(path):
            told = f"{path} can be read by others. Mend it: chmod go= '{path}'"
            yield CheckResult("modes", False, told)


def _is_open(path: Path) -> bool:
    """Tell whether others can read something that is there."""
    return path.exists() and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _plugins(registry: Registry) -> Iterator[CheckResult]:
    for fault in registry.faults:
        yield CheckResult("plugins", False, f"{fault}. See: chatseq plugins doctor")
    damage = read_disabled().fault
    if damage:
        yield CheckResult("plugins", False, damage)
    off = ", ".join(plugin.name for plugin in registry.off)
    told = f"{len(registry.plugins)} in use" + (f", switched off: {off}" if off else "")
    yield CheckResult("plugins", True, told)


def _bots(registry: Registry) -> Iterator[CheckResult]:
    """Compare the checksum of every file of every bot."""
    from chatseq.bots.bundle import bot_folder, list_bundles, open_bundle

    for bot in list_bundles():
        try:
            bundle = open_bundle(bot_folder(bot.name), registry=registry)
            told = f"{len(bundle.manifest.files)} files are whole"
            yield CheckResult(f"bot {bot.name}", True, told)
        except ChatseqError as fault:
            yield CheckResult(f"bot {bot.name}", False, str(fault))


def _history(_: Registry) -> Iterator[CheckResult]:
    if not history_file().exists():
        yield CheckResult("history", True, "nothing is kept yet")
        return
    from chatseq.history.store import HistoryStore

    store = HistoryStore(history_file())
    try:
        faults = (*store.notices, *store.faults())
        for fault in faults:
            yield CheckResult("history", False, fault)
        if not faults:
            count = len(store.conversations())
            yield CheckResult("history", True, f"{count} conversation(s) are whole")
    finally:
        store.close()


def _answer(registry: Registry) -> Iterator[CheckResult]:
    """Ask the default bot something."""
    from chatseq.bots.bundle import default_bot

    name = default_bot()
    if name is None:
        told = "there is none yet. `chatseq` trains the starter bot"
        yield CheckResult("default bot", True, told)
        return
    reply = Bot.load(name, corrections=False, registry=registry).ask(PROBE)
    told = f"'{name}' answered in {reply.milliseconds:.0f} ms"
    yield CheckResult("default bot", True, told)


CHECKS: tuple[Check, ...] = (_versions, _home, _plugins, _bots, _history, _answer)
