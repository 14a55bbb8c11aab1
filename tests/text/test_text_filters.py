"""The built-in text filters, and filters in a row."""

from __future__ import annotations

import random
import unicodedata
from typing import Any

import pytest

from chatseq.core.errors import PartError
from chatseq.core.exchange import Exchange
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.testing.run import check_installed
from chatseq.text.filters import KIND, TextFilters
from chatseq_text_filters.normalise import Normalise
from chatseq_text_filters.scrub import Scrub
from chatseq_text_filters.spell import Spell

BUILT_IN = ("normalise", "scrub", "spell")


def filters(registry: Registry, *tables: dict[str, Any]) -> TextFilters:
    return TextFilters.of(registry, tables, where="in small.toml")


def test_these_are_the_filters_that_come_with_chatseq(registry: Registry) -> None:
    assert tuple(registry.parts(KIND)) == BUILT_IN


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_keeps_to_what_filters_must(registry: Registry, name: str) -> None:
    outcomes = check_installed(registry.find(KIND, name))
    assert [(o.check.name, o.reason) for o in outcomes if o.result != "kept"] == []


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("ＡＢＣ １２３？", "ABC 123?"),
        ("oﬃce ﬁles", "office files"),
        ("“quoted”, it’s «so» `here´", '"quoted", it\'s "so" \'here\''),
        ("2 – 3 — 4 − 5", "2 - 3 - 4 - 5"),
        ("  a\t\tb\n\nc\u00a0d\u2028", "a b c d"),
        ("in\u00advis\u200bible\ufeff", "invisible"),
        ("Case Stays", "Case Stays"),
        ("你好　世界", "你好 世界"),
    ],
)
def test_what_looks_alike_is_written_alike(typed: str, read: str) -> None:
    assert Normalise()(typed) == read


def test_what_an_invisible_sign_kept_apart_combines_at_once() -> None:
    assert Normalise()("e\u200b\u0301") == "é"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("write to jo.doe+x@mail.example.com.", "write to <email>."),
        ("(jürgen@firma.de)", "(<email>)"),
        ("请发邮件到abc@def.com谢谢", "请发邮件到<email>谢谢"),
        ("user@localhost and a @ b", "user@localhost and a @ b"),
        ("see https://example.com/a?b=c#d, please", "see <url>, please"),
        ("www.example.org!", "<url>!"),
        ("HTTP://EXAMPLE.COM", "<url>"),
        ("看www.example.cn。", "看<url>。"),
        ("order 1234567 came", "order <number> came"),
        ("room 123456", "room 123456"),
        ("call +49 (170) 123-45-67 now", "call <phone> now"),
        ("030 1234 5678", "<phone>"),
        ("on 2024-05-06 at 10:30", "on 2024-05-06 at 10:30"),
        ("电话13800138000。", "电话<number>。"),
        ("１２３４５６７８", "<number>"),
        ("no personal data", "no personal data"),
    ],
)
def test_addresses_and_long_numbers_are_scrubbed(typed: str, read: str) -> None:
    assert Scrub()(typed) == read


@pytest.mark.parametrize("name", ["url", "email", "number", "phone"])
def test_each_kind_can_be_left_alone(name: str) -> None:
    typed = "http://a.example b@example.com 1234567 +12 345 67 89"
    assert Scrub()(typed) == "<url> <email> <number> <phone>"
    assert Scrub(**{name: False})(typed).count("<") == 3
    assert f"<{name}>" not in Scrub(**{name: False})(typed)


def test_scrubbing_nothing_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to do"):
        Scrub(url=False, email=False, number=False, phone=False)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("my pasword", "my password"),
        ("my passsword", "my password"),
        ("my pqssword", "my password"),
        ("my passwrod", "my password"),
        ("PASWORD?", "password?"),
        ("passwords", "password"),
        ("my Password", "my Password"),
        ("pass word", "pass word"),
        ("my pssswrd", "my pssswrd"),
        ("invoces, invoice's", "invoices, invoice's"),
    ],
)
def test_a_word_one_slip_away_is_spelt_right(typed: str, read: str) -> None:
    assert Spell(words=("password", "invoice", "invoices"))(typed) == read


def test_short_words_are_left_alone() -> None:
    assert Spell(words=("form",))("from fork form") == "from fork form"
    assert Spell(words=("form",), shortest=4)("from fork form") == "form form form"


def test_of_words_that_are_as_near_the_first_of_the_list_is_taken() -> None:
    assert Spell(words=("passport", "password"))("passwort") == "passport"
    assert Spell(words=("password", "passport"))("passwort") == "password"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"words": ()}, "at least one word"),
        ({"words": ("two words",)}, "'two words' in words must be letters only"),
        ({"words": ("fine",), "shortest": 1}, r"shortest \(1\) must be at least 2"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Spell(**options)


SIGNS = ("a", "1", "12", "1234567", "@", ".", "-", "+", "(", ")", "/", " ", "<", ">", "email",
         "www.", "http://", ",", "的", "e", "\u0301", "\u200b", "´", "’", "\ud800", "ﬁ", "＠", "０",
         "_", "%", "\n", ":", '"', "pasword", "password")  # fmt: skip


@pytest.mark.parametrize("name", BUILT_IN)
def test_whatever_stands_side_by_side_is_filtered_once(registry: Registry, name: str) -> None:
    words = {"words": ["password"]} if name == "spell" else {}
    filter_ = build_part(registry, KIND, {"name": name, **words}, where="here")
    chance = random.Random(7)  # noqa: S311  (any texts will do)
    for _ in range(5000):
        text = "".join(chance.choices(SIGNS, k=chance.randrange(1, 12)))
        once = filter_(text)
        assert filter_(once) == once, text


def test_every_character_is_normalised_once() -> None:
    filter_ = Normalise()
    for at in range(0x30000):
        once = filter_(f"a{chr(at)}b")
        assert filter_(once) == once, unicodedata.name(chr(at), hex(at))


def test_filters_stand_in_a_row(registry: Registry) -> None:
    both = filters(registry, {"name": "normalise"}, {"name": "scrub"})
    assert both("ｊｏ＠ｅｘａｍｐｌｅ．ｃｏｍ  writes") == "<email> writes"


def test_in_the_other_order_nothing_escapes_either(registry: Registry) -> None:
    both = filters(registry, {"name": "scrub"}, {"name": "normalise"})
    once = both("ｊｏ＠ｅｘａｍｐｌｅ．ｃｏｍ  writes")
    assert once == "<email> writes"
    assert both(once) == once


def test_without_filters_an_exchange_is_the_same_object() -> None:
    exchange = Exchange("a  b", "c  d", ("e  f",))
    assert not TextFilters()
    assert TextFilters().exchange(exchange) is exchange


def test_question_and_turns_of_an_exchange_are_filtered_and_its_answer_is_not(
    registry: Registry,
) -> None:
    exchange = Exchange("a  b", "c  d", ("e  f", "g  h"), ("tag",), "x.csv:3")
    found = filters(registry, {"name": "normalise"}).exchange(exchange)
    assert found == Exchange("a b", "c  d", ("e f", "g h"), ("tag",), "x.csv:3")


def test_a_filter_that_does_not_exist_is_told_with_its_place(registry: Registry) -> None:
    with pytest.raises(PartError) as caught:
        filters(registry, {"name": "normalize"})
    assert str(caught.value) == (
        "No text-filter named 'normalize' in small.toml [question.filters]. "
        "Did you mean 'normalise'?"
    )
