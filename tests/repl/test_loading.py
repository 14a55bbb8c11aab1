"""Loading in the background, and a trained bot as the chat sees it."""

from __future__ import annotations

import threading
import tomllib
from pathlib import Path

import pytest
from conftest import TAUGHT

from chatseq.core.errors import BundleError, RecipeError
from chatseq.core.plugins import Registry
from chatseq.core.settings import as_toml, flattened
from chatseq.repl.background import BackgroundTask
from chatseq.repl.loading import loader


def test_nothing_is_done_before_it_is_begun() -> None:
    done: list[int] = []
    loading = BackgroundTask(lambda: done.append(1), done=lambda: None)
    assert not loading.wait(0.05)
    assert (done, loading.ended) == ([], False)


def test_the_result_is_made_once_and_its_end_is_told() -> None:
    made: list[int] = []
    told = threading.Event()

    def work() -> int:
        made.append(1)
        return 7

    loading = BackgroundTask(work, done=told.set)
    loading.begin()
    loading.begin()
    assert loading.result() == 7
    assert loading.result() == 7
    assert told.wait(5)
    assert made == [1]


def test_a_fault_is_raised_where_the_result_is_asked_for() -> None:
    told = threading.Event()

    def work() -> int:
        raise BundleError("No bot.")

    loading = BackgroundTask(work, done=told.set)
    loading.begin()
    assert told.wait(5)
    assert isinstance(loading.fault, BundleError)
    with pytest.raises(BundleError, match=r"No bot\."):
        loading.result()


def test_finishing_waits_for_what_was_begun_and_for_nothing_else() -> None:
    gate = threading.Event()
    loading = BackgroundTask(lambda: gate.wait(5), done=lambda: None)
    loading.finish()
    loading.begin()
    threading.Timer(0.1, gate.set).start()
    loading.finish()
    assert loading.ended


def test_a_trained_bot_answers_and_tells_its_settings(tiny_bot: Path, registry: Registry) -> None:
    bot = loader(registry)("tiny", [])
    assert bot.responder.reply("hello").text == TAUGHT["hello"]
    assert (bot.name, bot.strategy) == ("tiny", "greedy")
    settings = dict(bot.settings)
    assert settings["decoding.max_length"] == "64"
    assert {path.split(".")[0] for path in settings} == {"decoding", "responder"}


def test_a_setting_that_is_shown_can_be_set(tiny_bot: Path, registry: Registry) -> None:
    bot = loader(registry)("tiny", [])
    changed = bot.change([f"{path}={value}" for path, value in bot.settings])
    assert changed.settings == bot.settings
    assert changed.responder.reply("bye").text == TAUGHT["bye"]


def test_a_changed_bot_leaves_the_first_as_it_is(tiny_bot: Path, registry: Registry) -> None:
    bot = loader(registry)("tiny", ["decoding.max_length=30"])
    changed = bot.change(["decoding.strategy.name=beam"])
    assert (bot.strategy, changed.strategy) == ("greedy", "beam")
    assert dict(changed.settings)["decoding.max_length"] == "30"


def test_a_setting_that_does_not_exist_is_refused(tiny_bot: Path, registry: Registry) -> None:
    with pytest.raises(RecipeError, match="No setting named"):
        loader(registry)("tiny", []).change(["decoding.nope=1"])


@pytest.mark.parametrize(
    "value", [1, 0.5, True, '退货 "x"', [1, 2], [{"name": "a", "size": 3}], {}]
)
def test_a_value_is_written_as_toml_reads_it(value: object) -> None:
    assert tomllib.loads(f"x = {as_toml(value)}") == {"x": value}


def test_tables_within_tables_become_paths() -> None:
    table = {"a": {"b": 1, "c": {"d": "x"}}, "e": [2]}
    assert list(flattened(table)) == [("a.b", "1"), ("a.c.d", '"x"'), ("e", "[2]")]
