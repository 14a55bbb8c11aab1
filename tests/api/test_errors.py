"""Errors carry data: what went wrong, where, and what could stand there instead."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from chatseq import Bot
from chatseq.bots.bundle import (
    bot_folder,
    check_name,
    export_bundle,
    import_bundle,
    open_bundle,
)
from chatseq.core.errors import ChatseqError, CorpusError, ErrorKind, HistoryError, nearest
from chatseq.core.options import build_part
from chatseq.core.plugins import Disabled, Registry, no_kind
from chatseq.core.recipe import load_recipe, parse_recipe
from chatseq.corpus.read import ReadOptions, read_corpus
from chatseq.history.memory import MemoryHistory


def raised(action: Callable[[], object]) -> ChatseqError:
    with pytest.raises(ChatseqError) as caught:
        action()
    return caught.value


def read(registry: Registry, file: Path, **options: object) -> Callable[[], object]:
    chosen = ReadOptions(**options)  # type: ignore[arg-type]
    return lambda: list(read_corpus(registry, [file], options=chosen))


def test_the_nearest_choices_come_first_and_none_is_lost() -> None:
    assert nearest("luong", ["bahdanau", "loung", "zebra"]) == ("loung", "bahdanau", "zebra")
    assert nearest("x", []) == ()


def test_an_error_has_the_kind_of_its_class_where_no_situation_is_named() -> None:
    told = {cls.__name__: cls("x.").kind for cls in (ChatseqError, *ChatseqError.__subclasses__())}
    assert told["ChatseqError"] == "error"
    assert told["CorpusError"] == "corpus"
    assert told["BundleError"] == "bot"
    assert len(set(told.values())) == len(told), "two classes share a kind"


def test_the_data_survive_a_copy_into_another_process() -> None:
    fault = CorpusError("a.csv:2: no.", kind=ErrorKind.CORPUS_ROW, place="a.csv:2", choices=["x"])
    copy = pickle.loads(pickle.dumps(fault))  # noqa: S301  (made one line above)
    assert (str(copy), copy.kind, copy.place, copy.choices) == (
        "a.csv:2: no.",
        "corpus-row",
        "a.csv:2",
        ("x",),
    )


def test_an_absent_bot_names_those_that_are_there(home: Path) -> None:
    for name in ("faq", "starter"):
        (home / "bots" / name).mkdir(parents=True)
    fault = raised(lambda: open_bundle(bot_folder("fag")))
    assert (fault.kind, fault.place, fault.choices) == ("bot-not-found", "fag", ("faq", "starter"))


def test_a_damaged_bot_names_the_file(tiny_bot: Path) -> None:
    (tiny_bot / "recipe.toml").write_text("", encoding="utf-8")
    fault = raised(lambda: open_bundle(tiny_bot))
    assert (fault.kind, fault.place) == ("bot-damaged", "recipe.toml")


def test_a_bot_without_its_plugin_names_the_plugin(tiny_bot: Path) -> None:
    fault = raised(lambda: open_bundle(tiny_bot, registry=Registry()))
    assert (fault.kind, fault.place) == ("plugin-missing", "tiny")
    assert fault.choices[0].startswith("chatseq_")


def test_a_bad_name_comes_with_a_good_one() -> None:
    fault = raised(lambda: check_name("my bot"))
    assert (fault.kind, fault.place, fault.choices) == ("bot-name-invalid", "my bot", ("my-bot",))


def test_an_unknown_part_lists_all_parts_of_its_kind(registry: Registry) -> None:
    where = "in [decoding.strategy]"
    fault = raised(lambda: registry.find("strategy", "beem", where=where))
    assert (fault.kind, fault.place, fault.choices[0]) == ("part-not-found", where, "beam")
    assert set(fault.choices) == set(registry.parts("strategy"))
    assert raised(lambda: registry.find("strategy", "beem")).place == ""


def test_a_part_that_is_off_names_its_plugin() -> None:
    registry = Registry()
    registry.leave_out(Disabled("loud", {"metric": ("volume",)}))
    fault = raised(lambda: registry.find("metric", "volume"))
    assert (fault.kind, fault.choices) == ("plugin-off", ("loud",))


@pytest.mark.parametrize(
    ("spec", "kind", "choice"),
    [
        ({"name": "beam", "sise": 3}, "option-unknown", "size"),
        ({"name": "beam", "size": "many"}, "option-invalid", None),
        ({"name": "beam", "size": -1}, "option-invalid", None),
    ],
)
def test_a_bad_option_has_its_place(
    registry: Registry, spec: dict[str, object], kind: str, choice: str | None
) -> None:
    fault = raised(lambda: build_part(registry, "strategy", spec, where="[decoding.strategy]"))
    assert (fault.kind, fault.place) == (kind, "[decoding.strategy]")
    assert next(iter(fault.choices), None) == choice


def test_an_unknown_kind_lists_the_kinds() -> None:
    assert no_kind("strategie").choices[0] == "strategy"


@pytest.mark.parametrize(
    ("override", "kind", "place", "choice"),
    [
        ("training.sed=7", "setting-unknown", "training.sed", "seed"),
        ("trainin.seed=7", "setting-unknown", "trainin", "training"),
        ("training.ema=1", "setting-invalid", "training.ema", None),
        ("nonsense", "setting-invalid", "nonsense", None),
    ],
)
def test_a_bad_setting_has_its_key_path(
    override: str, kind: str, place: str, choice: str | None
) -> None:
    fault = raised(lambda: load_recipe("tiny").apply([override]))
    assert (fault.kind, fault.place) == (kind, place)
    assert next(iter(fault.choices), None) == choice


def test_an_unknown_recipe_lists_the_recipes() -> None:
    fault = raised(lambda: load_recipe("tinny"))
    assert (fault.kind, fault.place, fault.choices[0]) == ("recipe-not-found", "tinny", "tiny")
    assert raised(lambda: parse_recipe("=", "mine.toml")).place == "mine.toml"


def test_a_bad_row_has_its_file_and_line(registry: Registry, tmp_path: Path) -> None:
    file = tmp_path / "faq.csv"
    file.write_text("question,answer\na,b\nalone\n", encoding="utf-8")
    fault = raised(read(registry, file))
    assert (fault.kind, fault.place) == ("corpus-row", f"{file}:3")


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("absent.csv", {}, "corpus-not-found"),
        ("empty.csv", {}, "nothing-to-learn"),
        ("faq.csv", {"encoding": "utf8x"}, "encoding-unknown"),
        ("faq.csv", {"settings": ("csv.question=Frage",)}, "column-unknown"),
        ("faq.csv", {"format": "cvs"}, "part-not-found"),
    ],
)
def test_each_way_in_which_a_corpus_cannot_be_read_has_its_kind(
    registry: Registry, tmp_path: Path, name: str, options: dict[str, object], kind: str
) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "faq.csv").write_text("question,answer\na,b\n", encoding="utf-8")
    assert raised(read(registry, tmp_path / name, **options)).kind == kind


def test_a_file_that_no_reader_knows_says_so(tmp_path: Path) -> None:
    file = tmp_path / "faq.csv"
    file.write_text("question,answer\na,b\n", encoding="utf-8")
    fault = raised(read(Registry(), file))
    assert (fault.kind, fault.place) == ("format-unknown", str(file))


def test_a_missing_conversation_is_told_apart_from_other_faults() -> None:
    fault = raised(lambda: MemoryHistory().find("zz"))
    assert isinstance(fault, HistoryError)
    assert (fault.kind, fault.place) == ("conversation-not-found", "zz")


def test_what_cannot_change_any_more_says_what_can(tiny_bot: Path, registry: Registry) -> None:
    def load(setting: str) -> Bot:
        return Bot.load("tiny", settings=[setting], registry=registry)

    fault = raised(lambda: load("training.seed=1"))
    assert (fault.kind, fault.place) == ("setting-fixed", "training.seed")
    assert "decoding" in fault.choices
    other = raised(lambda: load("decoding.max_length=3").with_settings({"engine.threads": 2}))
    assert (other.kind, other.place) == ("setting-fixed", "engine")


def test_where_there_is_no_bot_at_all_the_kind_is_the_same(registry: Registry) -> None:
    assert raised(lambda: Bot.load(registry=registry)).kind == "bot-not-found"


def test_a_bot_that_is_taken_in_twice_is_told_apart(tiny_bot: Path, tmp_path: Path) -> None:
    file = export_bundle("tiny", tmp_path / "tiny.chatseq")
    fault = raised(lambda: import_bundle(file))
    assert (fault.kind, fault.place) == ("bot-exists", "tiny")
    again = raised(lambda: export_bundle("tiny", file))
    assert (again.kind, again.place) == ("cannot-write", str(file))
    assert raised(lambda: import_bundle(tmp_path / "absent.chatseq")).kind == "bot-not-found"
