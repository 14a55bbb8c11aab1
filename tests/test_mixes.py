"""Every encoder goes with every attention and decoder, or the mix is refused before training.

The fast run has so many mixes that every two parts meet in one of them; the slow run has them all.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from mixing import NONE, USUAL_OUTPUT, Mix, check, mixes, recipe_of, refusals, that_work, trained
from selection import covering

from chatseq.core.errors import PartError
from chatseq.core.plugins import Registry, discover
from chatseq.model.compatibility import check_compatibility

PARTS = discover()
TABLE = that_work(PARTS)
ASKED = [(*mix, strategy) for mix in TABLE for strategy in PARTS.parts("strategy")]
PAIRWISE = [ASKED[at] for at in covering(ASKED)]
FIRST = TABLE[0].encoder  # the one that every output layer is tried on; they do not see it
ROWS = sorted({(mix.encoder, mix.decoder) for mix in TABLE})


@pytest.mark.parametrize("asked", PAIRWISE, ids="-".join)
def test_every_pair_of_parts_learns_is_written_as_graphs_and_answers(
    registry: Registry, asked: tuple[str, ...], tmp_path: Path
) -> None:
    *parts, strategy = asked
    check(registry, Mix(*parts), tmp_path, [strategy])


def test_any_two_parts_that_go_together_are_tried_together() -> None:
    def met(rows: list[tuple[str, ...]]) -> set[object]:
        return {pair for row in rows for pair in combinations(enumerate(row), 2)}

    assert met(PAIRWISE) == met(ASKED)
    kinds = ("encoder", "attention", "decoder", "output", "strategy")
    tried = {(kinds[place], name) for row in PAIRWISE for place, name in enumerate(row)}
    named = {(kind, name) for kind in kinds for name in PARTS.parts(kind)}
    assert tried == named | {("attention", NONE)}


@pytest.mark.slow("one row of the whole table; the fast run has every pair")
@pytest.mark.parametrize(("encoder", "decoder"), ROWS)
def test_every_mix_learns_is_written_as_graphs_and_answers(
    registry: Registry, encoder: str, decoder: str, tmp_path: Path
) -> None:
    for mix in TABLE:
        wanted = encoder == FIRST or mix.output == USUAL_OUTPUT
        if wanted and (mix.encoder, mix.decoder) == (encoder, decoder):
            check(registry, mix, tmp_path, registry.parts("strategy"))


@pytest.mark.slow("builds every mix that is refused")
def test_a_mix_is_refused_whatever_its_encoder(registry: Registry) -> None:
    for mix in set(mixes(registry)) - set(TABLE):
        with pytest.raises(PartError):
            trained(registry, recipe_of(registry, mix))


def test_a_mix_is_refused_before_training_and_for_a_reason(registry: Registry) -> None:
    refused = {mix: why for mix, why in refusals(registry).items() if why}
    for decoder in registry.parts("decoder"):
        usual = [mix for mix in refused if mix.decoder == decoder and mix.output == USUAL_OUTPUT]
        assert len({mix.attention == NONE for mix in usual}) < 2, f"{decoder} refuses everything"
    assert {mix.attention == NONE for mix in refused} == {True, False}
    for mix in refused:
        with pytest.raises(PartError, match=r"\[model\.(decoder|output)\]"):
            check_compatibility(registry, recipe_of(registry, mix))
    assert all("Set model.attention" in why for why in refused.values())


def test_a_decoder_that_attends_can_copy_and_no_other(registry: Registry) -> None:
    copying = {mix[1:3] for mix in TABLE if mix.output == "pointer"}
    assert copying == {mix[1:3] for mix in TABLE if mix.attention != NONE}
