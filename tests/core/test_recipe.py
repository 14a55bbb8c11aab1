"""Recipes: found by name, checked, overridden by path, written and read again."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from chatseq.core.errors import ChatseqError, OldName, PartError, RecipeError
from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe, parse_recipe, recipe_names


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_fits_the_installed_parts(name: str, registry: Registry) -> None:
    load_recipe(name).check(registry, name)


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_reads_back_what_it_wrote(name: str) -> None:
    recipe = load_recipe(name)
    assert parse_recipe(recipe.to_toml(), "again") == recipe


def test_values_are_overridden_by_path() -> None:
    recipe = load_recipe("tiny").apply(
        ["training.seed=7", "training.learning_rate=1e-3", "model.encoder.hidden_size=32"]
    )
    assert recipe.training.seed == 7
    assert recipe.training.learning_rate == 1e-3
    assert recipe.model.encoder["hidden_size"] == 32


def test_a_new_name_drops_the_options_of_the_part_it_replaces() -> None:
    recipe = load_recipe("tiny").apply(["model.encoder.name=lstm"])
    assert recipe.model.encoder == {"name": "lstm"}


def test_naming_the_same_part_keeps_its_options() -> None:
    recipe = load_recipe("tiny")
    assert recipe.apply([f"model.encoder.name={recipe.model.encoder['name']}"]) == recipe


@pytest.mark.parametrize("setting", ["model.attention=none", "model.attention.name=none"])
def test_an_attention_can_be_taken_out_and_put_back(setting: str) -> None:
    without = load_recipe("tiny").apply([setting])
    assert without.model.attention is None
    assert without.apply(["model.attention.name=dot"]).model.attention == {"name": "dot"}


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("training.sed=7", "No setting named 'sed' in --set [training]. Did you mean 'seed'?"),
        ("trainig.seed=7", ("No setting named 'trainig.seed' in --set trainig.seed. "
                           "Did you mean 'training'?")),
        ("nonsense", ("'nonsense' is no setting. Write --set path=value, "
                     "for example training.seed=7.")),
    ],
)  # fmt: skip
def test_a_wrong_override_is_told(override: str, told: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe("tiny").apply([override])
    assert str(caught.value) == told


def test_a_value_out_of_range_is_told_with_its_path() -> None:
    with pytest.raises(RecipeError, match=r"^training\.max_epochs cannot be 0 in --set: .*1"):
        load_recipe("tiny").apply(["training.max_epochs=0"])


def test_a_misspelt_recipe_name_is_told() -> None:
    with pytest.raises(RecipeError, match=r"No recipe named 'tinny'\. Did you mean 'tiny'\?"):
        load_recipe("tinny")


def test_a_misspelt_part_is_told_with_its_place(registry: Registry) -> None:
    recipe = load_recipe("tiny").apply(["model.attention.name=genral"])
    with pytest.raises(PartError) as caught:
        recipe.check(registry, "tiny")
    assert str(caught.value) == (
        "No attention named 'genral' in tiny [model.attention]. Did you mean 'general'?"
    )


@pytest.mark.parametrize(
    "text",
    ["not toml at all", "[model]\nencoder = 3", "", "[surprise]\nx = 1", "x = " + "[" * 5000],
)
def test_a_broken_recipe_file_is_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ChatseqError) as caught:
        load_recipe(str(file))
    assert "mine.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_recipe_file_that_is_absent_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="Cannot read the recipe"):
        load_recipe(str(tmp_path / "absent.toml"))
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match="Cannot read the recipe"):
        load_recipe(str(binary))


def test_the_old_section_of_the_responder_still_works_and_is_told() -> None:
    with pytest.warns(OldName, match=r"'qa\.' is now called 'responder\.'; the old name still"):
        recipe = load_recipe("tiny").apply(["qa.decline_below=0.25"])
    assert recipe.responder["decline_below"] == 0.25
    text = recipe.to_toml().replace("[responder]", "[qa]")
    with pytest.warns(OldName, match=r"'\[qa\]' is now called '\[responder\]'"):
        assert parse_recipe(text, "old.toml") == recipe


def test_what_nobody_can_change_is_read_without_a_word() -> None:
    text = load_recipe("tiny").to_toml().replace("[responder]", "[qa]")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse_recipe(text, "a bundle", tell_old=False) == load_recipe("tiny")
