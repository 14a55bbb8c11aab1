"""Small files in the usual formats: what a corpus reader may claim or must leave alone."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping

from chatseq.testing.subject import Pairs, WriteFile

Files = Mapping[str, str]  # the name of each file and its text
Writes = Callable[[Pairs], Files]


class Beside(dict[str, str]):
    """Files of which the first is named, and its reader looks for the others beside it."""


def usual_formats() -> dict[str, Writes]:
    """Return what writes pairs in each of the usual formats."""
    return {
        "CSV": _csv,
        "TSV": lambda pairs: {"x.tsv": "".join(f"{q}\t{a}\n" for q, a in pairs)},
        "JSON": _json,
        "JSON lines": _json_lines,
        "YAML": _yaml,
        "text": lambda pairs: {"x.txt": "\n".join(f"{q}\n{a}\n" for q, a in pairs)},
        "E and M": lambda pairs: {"x.conv": "".join(f"E\nM {q}\nM {a}\n" for q, a in pairs)},
        "quiz": lambda pairs: {"x": "".join(f"#Q {q}\n^ {a}\nA {a}\nB no\n\n" for q, a in pairs)},
        "parallel": _parallel,
    }


def written_by(write: WriteFile) -> Writes:
    """Return the same for a format that a part brings itself."""

    def files(pairs: Pairs) -> Files:
        written = write(pairs)
        return Beside(written if isinstance(written, Mapping) else [written])

    return files


def _csv(pairs: Pairs) -> Files:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(
        [("question", "answer"), *pairs]
    )
    return {"x.csv": written.getvalue()}


def _json(pairs: Pairs) -> Files:
    records = [{"question": q, "answer": a} for q, a in pairs]
    return {"x.json": json.dumps(records, ensure_ascii=False, indent=1)}


def _json_lines(pairs: Pairs) -> Files:
    records = ({"question": q, "answer": a} for q, a in pairs)
    return {"x.jsonl": "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records)}


def _yaml(pairs: Pairs) -> Files:
    turns = "".join(
        f"- - {json.dumps(q, ensure_ascii=False)}\n  - {json.dumps(a, ensure_ascii=False)}\n"
        for q, a in pairs
    )
    return {"x.yml": f"categories:\n- small\nconversations:\n{turns}"}


def _parallel(pairs: Pairs) -> Files:
    questions, answers = ("".join(f"{pair[side]}\n" for pair in pairs) for side in (0, 1))
    return {"x.en": questions, "x.fr": answers}
