"""Rounds, outcomes and lookup: how a check is run, whatever the part does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any, Literal

import pytest
import torch
from kit.small_parts import MeanLength

from chatseq.core.errors import ChatseqError, PartError
from chatseq.hookspecs import PART_HOOKS
from chatseq.testing import Check, Context, NotApplicable, broken, check_part, checks_for
from chatseq.testing.check import check, told
from chatseq.testing.rounds import Rounds
from chatseq.testing.run import outcome_of, subject_of


class Sized(MeanLength):
    """A metric with a large size, a choice and a number.

    Args:
        size: many
        kind: one of two
        share: of all
    """

    def __init__(
        self, *, size: int = 500, kind: Literal["a", "b"] = "a", share: float = 0.5
    ) -> None:
        super().__init__()
        if size == 1000:
            raise ValueError("size must not be 1000.")


def seen_in(rounds: Rounds, component: Callable[..., Any] = Sized) -> list[dict[str, Any]]:
    """Return the options of each round of a check."""
    seen: list[dict[str, Any]] = []
    looked: list[str] = []

    @check(rounds)
    def looks(make: Callable[..., Any], context: Context) -> None:
        """Look at the options."""
        make()
        seen.append(context.options)
        looked.append(context.changed)

    assert outcome_of(looks, subject_of("metric", component)).reason == ""
    assert looked[0] == ""
    assert all(looked[1:])
    return seen


def test_the_rounds_of_a_check() -> None:
    assert seen_in(Rounds.FIRST) == [{"size": 8}]
    assert seen_in(Rounds.CHOICES) == [{"size": 8}, {"size": 8, "kind": "b"}]
    assert seen_in(Rounds.VALUES) == [
        {"size": 8},
        {"size": 9},
        {"size": 8, "kind": "b"},
        {"size": 8, "share": 0.25},
    ]
    assert seen_in(Rounds.ALL) == [{"size": 8}, {}, *seen_in(Rounds.VALUES)[1:]]


def test_a_size_that_cannot_be_small_stays_as_it_is() -> None:
    class Large(Sized):
        """A metric of at least 100.

        Args:
            size: 100 or more
        """

        def __init__(self, *, size: int = 300) -> None:
            super().__init__(size=size)
            if size < 100:
                raise ValueError(f"size ({size}) must be at least 100.")

    assert seen_in(Rounds.VALUES, Large) == [{}, {"size": 301}]


def raising(fault: BaseException) -> Check:
    @check()
    def raises(make: Callable[..., Any], context: Context) -> None:
        """Raise it."""
        raise fault

    return raises


@pytest.mark.parametrize(
    ("fault", "result", "reason"),
    [
        (AssertionError("a weight is negative"), "broken", "a weight is negative"),
        (ChatseqError("No such file. Look."), "broken", "No such file. Look."),
        (ValueError("one\ntwo"), "broken", "ValueError: one"),
        (ValueError(), "broken", "ValueError"),
        (SystemExit(2), "broken", "SystemExit: 2"),
        (NotApplicable("it has no state"), "not applicable", "it has no state"),
    ],
)
def test_what_is_raised_becomes_an_outcome(fault: BaseException, result: str, reason: str) -> None:
    outcome = outcome_of(raising(fault), subject_of("metric", MeanLength))
    assert (outcome.result, outcome.reason) == (result, reason)
    assert outcome.fault is (fault if result == "broken" else None)
    assert outcome.milliseconds >= 0


def test_the_user_can_interrupt_a_check() -> None:
    with pytest.raises(KeyboardInterrupt):
        outcome_of(raising(KeyboardInterrupt()), subject_of("metric", MeanLength))


def test_the_value_that_was_tried_is_told() -> None:
    @check()
    def refuses_b(make: Callable[..., Any], context: Context) -> None:
        """Refuse a choice."""
        assert context.options.get("kind") != "b", "b is wrong"

    outcome = outcome_of(refuses_b, subject_of("metric", Sized))
    assert outcome.reason.startswith("with kind='b': b is wrong")


def test_a_fault_without_words_is_told_by_its_type() -> None:
    class Mute(Exception):  # noqa: N818
        __str__ = None  # type: ignore[assignment]

    assert told(Mute()) == "Mute"


def test_a_check_is_named_by_its_function() -> None:
    @check()
    def padding_changes_nothing(make: Callable[..., Any], context: Context) -> None:
        """What stands at padding does not matter.

        More words.
        """

    assert padding_changes_nothing.name == "padding changes nothing"
    assert padding_changes_nothing.proves == "What stands at padding does not matter"
    assert padding_changes_nothing.rounds is Rounds.VALUES


def test_a_folder_of_a_check_is_gone_afterwards() -> None:
    folders = []

    @check()
    def writes(make: Callable[..., Any], context: Context) -> None:
        """Write a file."""
        (context.folder() / "file").write_text("x")
        folders.append(context.folder())

    assert outcome_of(writes, subject_of("metric", MeanLength)).result == "kept"
    assert not folders[0].exists()


def test_broken_checks_are_listed_with_their_reasons() -> None:
    class NaN(MeanLength):
        """Not a number."""

        def figures(self) -> Any:
            return {"x": float("nan")}

    told = "figures are finite numbers with names: the figure 'x' is nan after 0 replies"
    assert broken(check_part("metric", NaN)) == [told]


def test_a_kind_that_does_not_exist_is_told() -> None:
    with pytest.raises(PartError, match="No kind of part named 'atention'. Did you mean"):
        checks_for("atention")
    with pytest.raises(PartError, match="No kind of part"):
        check_part("nothing", MeanLength)


def test_the_same_chance_each_time_and_none_left_behind() -> None:
    drawn = []

    @check(Rounds.FIRST)
    def draws(make: Callable[..., Any], context: Context) -> None:
        """Draw a number."""
        drawn.append(float(torch.rand(())))

    before = torch.random.get_rng_state()
    for _ in range(2):
        from chatseq.testing.networks import PlainAttention

        assert outcome_of(draws, subject_of("attention", PlainAttention)).result == "kept"
    assert drawn[0] == drawn[1]
    assert torch.equal(torch.random.get_rng_state(), before)


TORCH = {"encoder", "attention", "decoder", "output"}


@pytest.mark.parametrize("kind", [kind for kind in PART_HOOKS if kind not in TORCH])
def test_checks_of_other_kinds_do_without_torch(kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOOK.format(kind=kind)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


_LOOK = """
import sys
import chatseq.testing
assert not {{"numpy", "torch", "pytest"}} & set(sys.modules)
chatseq.testing.checks_for({kind!r})
print(*({{"torch", "pytest", "onnxruntime", "sqlalchemy"}} & set(sys.modules)))
"""
