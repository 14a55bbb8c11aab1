"""The log of a run: a line a report, each step once."""

from __future__ import annotations

import json
import math
from pathlib import Path

from chatseq.core.events import FinishedReport, Remark, Sample, StepReport, ValidationReport
from chatseq.training.collapse import diversity_of
from chatseq_training_log.log import METRICS, read, write


def step(number: int, loss: float = 1.5) -> StepReport:
    return StepReport(number, 0, loss, 10, 100.0, 0.01, 1.0, False, 0.1, 9.0)


def lines(run: Path) -> list[dict[str, object]]:
    text = (run / METRICS).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n")[:-1]]


def test_each_report_is_a_line(tmp_path: Path) -> None:
    samples = (Sample("问", "答", "\x1b[31m"),)
    for event in (
        step(1),
        ValidationReport(1, 0, 2.0, 7.4, 0.5, True, samples, diversity_of(["a a"], ["b"])),
        Remark("told"),
        FinishedReport("time is up", 1, 3.0, 1, {"bleu": None}),
    ):
        write(event, tmp_path)
    found = lines(tmp_path)
    assert [line["event"] for line in found] == ["step", "validation", "remark", "finished"]
    assert found[0]["loss"] == 1.5
    assert found[1]["samples"] == [{"question": "问", "expected": "答", "reply": "\x1b[31m"}]
    said = {"distinct_1": 0.5, "distinct_2": 0.5, "words": 2.0, "empty": 0.0}
    assert found[1]["variety"] == {
        "count": 1,
        "replies": said,
        "wanted": {"distinct_1": 1.0, "distinct_2": 0.0, "words": 1.0, "empty": 0.0},
        "most_frequent": "a a",
        "share": 1.0,
        "wanted_share": 0.0,
    }
    assert found[3]["figures"] == {"bleu": None}


def test_the_log_is_private(tmp_path: Path) -> None:
    write(step(1), tmp_path)
    assert (tmp_path / METRICS).stat().st_mode & 0o777 == 0o600


def test_a_number_that_is_not_finite_is_null(tmp_path: Path) -> None:
    write(step(1, math.nan), tmp_path)
    write(ValidationReport(1, 0, math.inf, math.inf, 0.0, False), tmp_path)
    assert [line["loss"] for line in lines(tmp_path)] == [None, None]


def test_a_resumed_run_takes_the_steps_out_that_it_repeats(tmp_path: Path) -> None:
    for number in range(1, 6):
        write(step(number), tmp_path)
    write(ValidationReport(5, 0, 2.0, 7.4, 0.5, True), tmp_path)
    write(step(3, 9.0), tmp_path)
    assert [(line["step"], line.get("loss")) for line in lines(tmp_path)] == [
        (1, 1.5),
        (2, 1.5),
        (3, 9.0),
    ]


def test_a_line_cut_off_by_a_kill_vanishes(tmp_path: Path) -> None:
    write(step(1), tmp_path)
    with (tmp_path / METRICS).open("a") as file:
        file.write('{"event": "step", "st')
    assert [report["step"] for report in read(tmp_path / METRICS)] == [1]


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert list(read(tmp_path / "absent")) == []


def test_half_a_surrogate_in_a_reply_is_written(tmp_path: Path) -> None:
    write(Remark("x\ud800"), tmp_path)
    assert len(lines(tmp_path)) == 1
