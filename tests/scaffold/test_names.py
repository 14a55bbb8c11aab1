"""A new package gets names that work and that nobody has yet."""

from __future__ import annotations

import types
from pathlib import Path

import pytest

from chatseq.core.errors import PartError
from chatseq.core.plugins import Disabled, Plugin, Registry
from chatseq.hookspecs import PART_HOOKS, hookimpl
from chatseq.scaffold.names import Names, check_free, names_of


@pytest.mark.parametrize(
    ("name", "kind", "names"),
    [
        ("loud", "metric", Names("metric", "loud", "loud", "LoudMetric")),
        ("my_loud-one", "metric", Names("metric", "my-loud-one", "my_loud_one", "MyLoudOneMetric")),
        ("far-attention", "attention",
         Names("attention", "far-attention", "far_attention", "FarAttention")),
        ("memory", "encoder", Names("encoder", "memory", "memory", "MemoryEncoder")),
        ("q2a", "corpus-reader", Names("corpus-reader", "q2a", "q2a", "Q2ACorpusReader")),
    ],
)  # fmt: skip
def test_all_names_follow_from_one(name: str, kind: str, names: Names) -> None:
    assert names_of(name, kind) == names


@pytest.mark.parametrize(
    "name",
    ["", "Loud", "3gram", "-x", "x-", "a--b", "a b", "a.b", "a/b", "../a", "训练", "x\n", "a" * 41],
)
def test_what_is_no_name_is_refused_with_the_form_of_one(name: str) -> None:
    with pytest.raises(PartError) as caught:
        names_of(name, "metric")
    assert str(caught.value) == (
        f"'{name}' cannot be the name of a package. Begin with a lower-case letter, go on with "
        "lower-case letters, digits and '-', up to 40 characters, as in 'my-metric'."
    )


@pytest.mark.parametrize("name", ["class", "import", "tests"])
def test_words_that_are_needed_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(PartError, match=f"needs the word. Choose another, for example 'my-{name}'"):
        names_of(name, "metric")


def test_an_unknown_kind_is_told_with_a_close_match() -> None:
    with pytest.raises(PartError) as caught:
        names_of("loud", "metrik")
    assert str(caught.value) == "No kind of part named 'metrik'. Did you mean 'metric'?"
    with pytest.raises(PartError, match=", ".join(sorted(PART_HOOKS))):
        names_of("loud", "zzz")


class Loud:
    """A part."""


def registry() -> Registry:
    found = Registry()
    module = types.ModuleType("loudness")
    module.chatseq_metrics = hookimpl(lambda: {"loud": Loud})  # type: ignore[attr-defined]
    found.add(Plugin("loudness", module))
    found.leave_out(Disabled("silence", {"metric": ("low",)}))
    found.set_aside("wreck", "cannot be imported")
    return found


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("loud", "The metric 'loud' is already there, from plugin loudness"),
        ("loudness", "A plugin named 'loudness' is already installed"),
        ("wreck", "A plugin named 'wreck' is already installed"),
        ("silence", "A plugin named 'silence' is already installed"),
        ("low", "The metric 'low' is already there, from plugin silence (switched off)"),
        ("chatseq", "A package named 'chatseq' is already installed"),
        ("pluggy", "A package named 'pluggy' is already installed"),
        ("prompt-toolkit", "A package named 'prompt-toolkit' is already installed"),
        ("statistics", "Python already has a module named 'statistics'"),
        ("yaml", "Python already has a module named 'yaml'"),
    ],
)
def test_what_is_there_already_is_refused_with_a_reason(name: str, told: str) -> None:
    with pytest.raises(PartError) as caught:
        check_free(names_of(name, "metric"), registry())
    assert str(caught.value) == f"{told}. Choose another name, for example 'my-{name}'."


def test_a_name_is_free_for_another_kind() -> None:
    check_free(names_of("loud", "encoder"), registry())


def test_a_part_of_two_plugins_is_there_too() -> None:
    both = registry()
    module = types.ModuleType("second")
    module.chatseq_metrics = hookimpl(lambda: {"loud": Loud})  # type: ignore[attr-defined]
    both.add(Plugin("second", module))
    with pytest.raises(PartError, match="The metric 'loud' is already there, from plugin loudness"):
        check_free(names_of("loud", "metric"), both)


def test_a_bare_folder_is_no_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "someones_folder").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    check_free(names_of("someones-folder", "metric"), registry())
