"""The plots are SVG that stands alone, drawn where the numbers say, and told in words."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

import pytest

from chatseq.evaluation.curves import (
    Bin,
    ConfidenceOutcome,
    RiskPoint,
    RocPoint,
    risk_coverage,
    roc,
)
from chatseq.evaluation.plots import (
    STYLE,
    confidence_histogram,
    reliability_diagram,
    risk_coverage_curve,
    roc_curve,
)

BINS = (Bin(0.0, 1 / 15, 0.03, 0, 1, 3), Bin(14 / 15, 1.0, 0.97, 9, 3, 0))
RISKS = (RiskPoint(0.9, 0.25, 0.0), RiskPoint(0.5, 0.5, 0.15), RiskPoint(0.1, 1.0, 0.25))
ROC = (RocPoint(1, 0, 0), RocPoint(0.5, 0.1, 0.8), RocPoint(0.1, 1, 1))
PLOTS = {
    "reliability": reliability_diagram(BINS),
    "histogram": confidence_histogram(BINS),
    "risk": risk_coverage_curve(RISKS),
    "roc": roc_curve(ROC),
}
LEFT, RIGHT = 62, 400  # where confidence, coverage and shares are 0 and 1


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314  (our own)


def heights(svg: str, css: str) -> list[float]:
    return [
        float(bar.attrib["height"]) for bar in parsed(svg).iter("rect") if bar.get("class") == css
    ]


def curve(svg: str) -> Sequence[tuple[float, float]]:
    line = next(parsed(svg).iter("polyline")).attrib["points"]
    return [(float(x), float(y)) for x, y in (point.split(",") for point in line.split())]


def words(svg: str) -> list[str]:
    return [text.text or "" for text in parsed(svg).iter("text")]


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_has_a_title_and_words_for_those_who_cannot_see_it(name: str) -> None:
    svg = parsed(PLOTS[name])
    title, told = svg[0], svg[1]
    assert (svg.attrib["role"], title.tag, told.tag) == ("img", "title", "desc")
    assert svg.attrib["aria-labelledby"] == f"{title.attrib['id']} {told.attrib['id']}"
    assert title.text
    assert told.text is not None
    assert "%" in told.text or " of " in told.text


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_needs_nothing_from_elsewhere(name: str) -> None:
    assert not re.search(r"href|url\(|script|style=|http", PLOTS[name])


@pytest.mark.parametrize("name", PLOTS)
def test_every_class_that_is_drawn_has_its_style(name: str) -> None:
    classes = {each.get("class") for each in parsed(PLOTS[name]).iter()} - {None, "", "plot"}
    assert classes
    assert all(f"svg .{css} {{" in STYLE for css in classes)


@pytest.mark.parametrize("name", PLOTS)
def test_everything_is_drawn_inside_the_plot(name: str) -> None:
    for each in parsed(PLOTS[name]).iter():
        for key, most in (("x", 420), ("x1", 420), ("x2", 420), ("y", 340), ("y1", 340)):
            assert 0 <= float(each.get(key, 0)) <= most


def test_the_style_has_colours_for_light_and_dark() -> None:
    light, dark = STYLE.split("@media (prefers-color-scheme: dark)")
    names = set(re.findall(r"--(\w+):", light))
    assert (
        names
        == set(re.findall(r"--(\w+):", dark))
        == set(re.findall(r"var\(--(\w+)\)", STYLE)) | {"paper"}
    )


def test_bars_of_reliability_are_as_high_as_the_share_that_is_right() -> None:
    # The axis of 0 to 100 % is 200 high; below it, 0 to 80 % is 46 high.
    assert heights(PLOTS["reliability"], "right") == [0, 150]
    assert heights(PLOTS["reliability"], "neither") == [
        pytest.approx(46 * 0.25 / 0.8, abs=0.1),
        pytest.approx(46 * 0.75 / 0.8, abs=0.1),
    ]


def test_bars_stand_where_their_confidence_is() -> None:
    first, last = [
        (float(bar.attrib["x"]), float(bar.attrib["width"]))
        for bar in parsed(PLOTS["reliability"]).iter("rect")
    ][:2]
    assert first[0] == pytest.approx(LEFT, abs=1)
    assert sum(last) == pytest.approx(RIGHT, abs=1)


def test_the_reliability_is_told_bin_by_bin() -> None:
    assert "0.93 to 1.00: 75 % right, 75 % of the replies" in PLOTS["reliability"]
    assert "0.00 to 0.07: 0 % right, 25 % of the replies" in PLOTS["reliability"]


def test_each_kind_of_reply_has_a_histogram_of_its_own_scale() -> None:
    histogram = PLOTS["histogram"]
    assert [text for text in words(histogram) if ":" in text] == [
        "right: 9",
        "wrong: 4",
        "to be declined: 3",
    ]
    assert heights(histogram, "right") == [0, 66]  # all, on an axis to 100 %
    assert heights(histogram, "wrong") == [
        pytest.approx(66 * 0.25 / 0.8, abs=0.1),
        pytest.approx(66 * 0.75 / 0.8, abs=0.1),
    ]
    assert heights(histogram, "neither") == [66, 0]


def test_the_risk_has_an_axis_that_fits_it() -> None:
    # 0.25 fits below 30 %; the axis is 272 high and begins at 12.
    assert "30 %" in words(PLOTS["risk"])
    assert curve(PLOTS["risk"]) == [
        (pytest.approx(LEFT + 0.25 * (RIGHT - LEFT)), 284),
        (pytest.approx((LEFT + RIGHT) / 2), 148),
        (RIGHT, pytest.approx(12 + 272 * (1 - 0.25 / 0.3), abs=0.1)),
    ]


def test_the_risk_is_told_at_quarters_of_the_coverage() -> None:
    told = parsed(PLOTS["risk"])[1].text or ""
    assert told.rstrip(".").split("; ") == [
        "25 % said: 0 % of them wrong",
        "50 % said: 15 % of them wrong",
        "100 % said: 25 % of them wrong",
    ]


def test_the_roc_curve_goes_from_corner_to_corner() -> None:
    points = curve(PLOTS["roc"])
    assert (points[0], points[-1]) == ((LEFT, 284), (RIGHT, 12))
    assert points[1] == (pytest.approx(LEFT + 33.8), pytest.approx(12 + 272 * 0.2))


def test_plots_of_a_single_reply_and_of_perfect_ones_can_be_drawn() -> None:
    one = (Bin(0.0, 1 / 15, 0.0, 0, 0, 1),)
    for svg in (reliability_diagram(one), confidence_histogram(one)):
        assert "nan" not in svg
        assert parsed(svg).tag == "svg"
    perfect = [ConfidenceOutcome(1.0, True, True), ConfidenceOutcome(0.0, False, False)]
    assert curve(risk_coverage_curve(risk_coverage(perfect)))[0] == (231, 284)
    assert curve(roc_curve(roc(perfect))) == [(LEFT, 284), (LEFT, 12), (RIGHT, 12)]
