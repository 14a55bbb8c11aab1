"""The plugin core: what fits is collected, what does not is set aside with one line."""

from __future__ import annotations

import types
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from chatseq.core import plugins
from chatseq.core.errors import PartError
from chatseq.core.plugins import Disabled, Plugin, Registry, discover
from chatseq.hookspecs import PART_HOOKS, hookimpl


def module_with(**functions: Callable[..., object]) -> types.ModuleType:
    """A plugin made on the spot: hooks by name."""
    module = types.ModuleType("made_in_a_test")
    for name, function in functions.items():
        function.__name__ = name
        setattr(module, name, hookimpl(function))
    return module


def registry_with(**plugin_modules: object) -> Registry:
    registry = Registry()
    for name, module in plugin_modules.items():
        registry.add(Plugin(name, module))
    return registry


def only_fault(registry: Registry) -> str:
    assert len(registry.faults) == 1
    return str(registry.faults[0])


class Dot:
    """A part for tests."""


def test_a_part_is_found_by_kind_and_name_and_loaded() -> None:
    registry = registry_with(mine=module_with(chatseq_attentions=lambda: {"dot": Dot}))
    assert registry.find("attention", "dot").load() is Dot
    assert registry.find("attention", "dot").plugin.name == "mine"


def test_a_string_reference_is_imported_only_when_loaded() -> None:
    module = module_with(chatseq_attentions=lambda: {"lazy": "no_such_module_at_all:Thing"})
    registry = registry_with(mine=module)
    assert registry.faults == []
    with pytest.raises(
        PartError, match=r"attention 'lazy' of plugin mine cannot be loaded .*doctor"
    ):
        registry.find("attention", "lazy").load()


def test_a_reference_to_a_missing_or_useless_name_is_told() -> None:
    module = module_with(
        chatseq_metrics=lambda: {
            "gone": "chatseq.core.errors:Nothing",
            "data": "chatseq:__version__",
        }
    )
    registry = registry_with(mine=module)
    with pytest.raises(PartError, match="AttributeError"):
        registry.find("metric", "gone").load()
    with pytest.raises(PartError, match="is not callable"):
        registry.find("metric", "data").load()


def test_parts_are_sorted_whatever_the_order_of_plugins() -> None:
    one = module_with(chatseq_encoders=lambda: {"zeta": Dot, "beta": Dot})
    two = module_with(chatseq_encoders=lambda: {"alpha": Dot})
    assert list(registry_with(a=one, b=two).parts("encoder")) == ["alpha", "beta", "zeta"]
    assert list(registry_with(b=two, a=one).parts("encoder")) == ["alpha", "beta", "zeta"]


def test_an_unknown_hook_sets_the_plugin_aside_and_names_the_nearest_one() -> None:
    module = module_with(chatseq_atentions=lambda: {}, chatseq_encoders=lambda: {"good": Dot})
    registry = registry_with(bad=module)
    assert only_fault(registry) == (
        "Plugin bad, hook chatseq_atentions: there is no such hook. "
        "Did you mean 'chatseq_attentions'?"
    )
    assert registry.parts("encoder") == {}


def test_a_hook_without_the_marker_is_told() -> None:
    module = types.ModuleType("unmarked")
    module.chatseq_encoders = dict  # type: ignore[attr-defined]
    fault = only_fault(registry_with(bad=module))
    assert fault == "Plugin bad, hook chatseq_encoders: is not marked; write @hookimpl above it"


def test_a_wrong_signature_sets_the_plugin_aside() -> None:
    def hook(surprise: int) -> dict[str, object]:
        return {"good": Dot}

    fault = only_fault(registry_with(bad=module_with(chatseq_encoders=hook)))
    assert fault == "Plugin bad, hook chatseq_encoders: takes unknown arguments {'surprise'}"


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ([("dot", Dot)], "must return {name: reference}, not list"),
        (None, "must return {name: reference}, not NoneType"),
        ({"Bad Name": Dot}, "'Bad Name' is no name; use lower-case letters, digits and '-'"),
        ({3: Dot}, "3 is no name; use lower-case letters, digits and '-'"),
        ({"dot": "no_colon"}, "'no_colon' of 'dot' must look like 'package.module:Name'"),
        ({"dot": 7}, "'dot' must be a class or a 'package.module:Name', not int"),
    ],
)
def test_a_wrong_return_sets_the_plugin_aside(returned: object, told: str) -> None:
    fault = only_fault(registry_with(bad=module_with(chatseq_attentions=lambda: returned)))
    assert fault == f"Plugin bad, hook chatseq_attentions: {told}"


def test_a_hook_that_raises_sets_its_plugin_aside_and_no_other() -> None:
    def hook() -> dict[str, object]:
        raise RuntimeError("first line\nsecond line")

    good = module_with(chatseq_decoders=lambda: {"good": Dot})
    registry = registry_with(bad=module_with(chatseq_decoders=hook), good=good)
    assert only_fault(registry) == (
        "Plugin bad, hook chatseq_decoders: raised RuntimeError: first line"
    )
    assert list(registry.parts("decoder")) == ["good"]


def test_a_name_with_two_providers_is_an_error_that_names_both() -> None:
    one = module_with(chatseq_strategies=lambda: {"greedy": Dot, "own": Dot})
    two = module_with(chatseq_strategies=lambda: {"greedy": Dot})
    registry = registry_with(one=one, two=two)
    assert only_fault(registry) == (
        "Plugin two, hook chatseq_strategies: the strategy 'greedy' is also provided by plugin one"
    )
    with pytest.raises(PartError, match="Two plugins provide the strategy 'greedy': one and two"):
        registry.find("strategy", "greedy")
    assert list(registry.parts("strategy")) == ["own"]
    assert {part.plugin.name for part in registry.contested()} == {"one", "two"}


def test_the_error_about_two_providers_tells_how_to_switch_one_off() -> None:
    registry = registry_with(
        one=module_with(chatseq_strategies=lambda: {"greedy": Dot}),
        two=module_with(chatseq_strategies=lambda: {"greedy": Dot}),
    )
    with pytest.raises(PartError) as caught:
        registry.find("strategy", "greedy")
    assert str(caught.value) == (
        "Two plugins provide the strategy 'greedy': one and two. Remove one of them, or switch it "
        "off: chatseq plugins off two"
    )


def test_two_plugins_of_one_name_are_told_and_the_first_stays() -> None:
    registry = registry_with(mine=module_with(chatseq_encoders=lambda: {"first": Dot}))
    registry.add(Plugin("mine", module_with(chatseq_encoders=lambda: {"second": Dot})))
    assert only_fault(registry) == "Plugin mine: is already loaded from another place"
    assert list(registry.parts("encoder")) == ["first"]


def test_an_unknown_part_is_told_with_place_and_close_match() -> None:
    registry = registry_with(mine=module_with(chatseq_attentions=lambda: {"general": Dot}))
    with pytest.raises(PartError) as caught:
        registry.find("attention", "genral", where="in small.toml [model.attention]")
    assert str(caught.value) == (
        "No attention named 'genral' in small.toml [model.attention]. Did you mean 'general'?"
    )


def test_an_unknown_part_points_at_the_doctor_when_plugins_were_set_aside() -> None:
    registry = registry_with(bad=module_with(chatseq_encoders=lambda: None))
    with pytest.raises(PartError, match="1 plugin fault.*chatseq plugins doctor"):
        registry.find("encoder", "gru")


def test_an_observer_that_raises_is_set_aside_and_the_others_are_told() -> None:
    seen: list[object] = []

    def fails(event: object) -> None:
        raise ValueError("no disk")

    def listens(event: object) -> None:
        seen.append(event)

    registry = registry_with(
        bad=module_with(chatseq_training_event=fails),
        good=module_with(chatseq_training_event=listens),
    )
    registry.notify("chatseq_training_event", event="one", run=None)
    registry.notify("chatseq_training_event", event="two", run=None)
    assert seen == ["one", "two"]
    assert only_fault(registry) == "Plugin bad, hook chatseq_training_event: ValueError: no disk"


def write_plugin(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text, encoding="utf-8")


GOOD_FILE = """
from chatseq.hookspecs import hookimpl

class Loud:
    "Shout."

@hookimpl
def chatseq_adjusters():
    return {"loud": Loud}
"""


def test_one_file_plugins_are_found_in_a_folder(tmp_path: Path) -> None:
    write_plugin(tmp_path, "loudness", GOOD_FILE)
    registry = discover([tmp_path])
    part = registry.find("adjuster", "loud")
    assert part.load().__name__ == "Loud"
    assert part.plugin.origin == str(tmp_path / "loudness.py")


def test_a_plugin_that_is_off_is_not_even_imported(tmp_path: Path) -> None:
    write_plugin(tmp_path, "broken", "raise RuntimeError('imported')")
    write_plugin(tmp_path, "loudness", GOOD_FILE)
    registry = discover([tmp_path], off={"broken": {}, "gone": {}})
    assert registry.faults == []
    assert [(plugin.name, plugin.origin) for plugin in registry.off] == [
        ("broken", str(tmp_path / "broken.py"))
    ]
    assert "loud" in registry.parts("adjuster")


def test_an_installed_plugin_can_be_off_and_its_version_is_known() -> None:
    registry = discover(off={"chatseq_attention": {"attention": ("dot", "general")}})
    (off,) = registry.off
    assert (off.name, off.version) == ("chatseq_attention", metadata.version("chatseq"))
    assert all(plugin.name != "chatseq_attention" for plugin in registry.plugins)


def test_what_needs_a_part_that_is_off_is_told_how_to_switch_it_on() -> None:
    registry = Registry()
    registry.leave_out(Disabled("mine", {"attention": ("dot",)}))
    with pytest.raises(PartError) as caught:
        registry.find("attention", "dot", where="in [model.attention]")
    assert str(caught.value) == (
        "The attention 'dot' in [model.attention] belongs to plugin mine, which is switched off. "
        "Switch it on: chatseq plugins on mine"
    )
    with pytest.raises(PartError) as caught:
        registry.find("attention", "dto")
    assert str(caught.value) == (
        "No attention named 'dto'. (switched off: mine; see: chatseq plugins list)"
    )


def test_another_plugin_may_bring_what_is_off() -> None:
    registry = registry_with(other=module_with(chatseq_attentions=lambda: {"dot": Dot}))
    registry.leave_out(Disabled("mine", {"attention": ("dot",)}))
    assert registry.find("attention", "dot").plugin.name == "other"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import nothing_of_this_name", "ModuleNotFoundError: No module named"),
        ("def broken(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_file_that_cannot_be_imported_is_set_aside(tmp_path: Path, text: str, told: str) -> None:
    write_plugin(tmp_path, "broken", text)
    write_plugin(tmp_path, "loudness", GOOD_FILE)
    registry = discover([tmp_path])
    faults = [str(fault) for fault in registry.faults if fault.plugin == "broken"]
    assert len(faults) == 1
    assert faults[0].startswith(f"Plugin broken: cannot be imported: {told}")
    assert "loud" in registry.parts("adjuster")


def test_an_installed_plugin_that_cannot_be_imported_is_set_aside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = metadata.EntryPoint("gone", "a_module_that_is_gone", "chatseq")
    monkeypatch.setattr(plugins.metadata, "entry_points", lambda group: [broken])
    registry = discover()
    assert only_fault(registry).startswith("Plugin gone: cannot be imported: ModuleNotFoundError")


def test_a_missing_folder_of_one_file_plugins_is_no_fault(tmp_path: Path) -> None:
    assert discover([tmp_path / "absent"]).faults == []


def test_the_built_in_plugins_fit(registry: Registry) -> None:
    assert registry.faults == []
    assert len(registry.plugins) >= 9


def test_every_part_that_a_built_in_plugin_names_can_be_loaded(registry: Registry) -> None:
    for kind in PART_HOOKS:
        assert registry.parts(kind), f"no built-in plugin brings a {kind}"
        for part in registry.parts(kind).values():
            assert callable(part.load())


def test_every_hook_has_a_docstring_that_says_what_is_built() -> None:
    from chatseq import hookspecs

    hooks = [name for name in vars(hookspecs) if name.startswith("chatseq_")]
    assert set(PART_HOOKS.values()) < set(hooks)
    for name in hooks:
        assert getattr(hookspecs, name).__doc__
