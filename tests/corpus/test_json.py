"""JSON Lines and JSON: every shape of record, and the line of what is wrong."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatseq.core.errors import CorpusError
from chatseq.corpus.contracts import BadRows, Line, Source
from chatseq.corpus.read import ReadReport
from chatseq_readers.json_file import json_items


def pairs(exchanges):
    return [(exchange.question, exchange.answer) for exchange in exchanges]


RECORDS = {
    "question and answer": ({"question": "a", "answer": "b"}, [("a", "b")]),
    "prompt and completion": ({"prompt": "a", "completion": "b"}, [("a", "b")]),
    "prompt and response": ({"id": 1, "response": "b", "prompt": "a"}, [("a", "b")]),
    "instruction and output": ({"instruction": "a", "output": "b"}, [("a", "b")]),
    "instruction with input": (
        {"instruction": "Add.", "input": "1 2", "output": "3"},
        [("Add.\n1 2", "3")],
    ),
    "instruction with empty input": (
        {"instruction": "a", "input": "", "output": "b"},
        [("a", "b")],
    ),
    "capitals": ({"Question": "a", "ANSWER": "b"}, [("a", "b")]),
    "Chinese names": ({"问题": "a", "答案": "b"}, [("a", "b")]),
    "null answer": ({"question": "a", "answer": None}, [("a", "")]),
    "several answers": ({"question": "a", "answer": ["b", "c", "b"]}, [("a", "b"), ("a", "c")]),
    "no answers listed": ({"question": "a", "answers": []}, [("a", "")]),
    "sentences": ({"source": ["a.", " b."], "target": ["c"]}, [("a. b.", "c")]),
    "answer with author": ({"text": "a", "answer": {"text": "b", "author": "x"}}, [("a", "b")]),
    "numbers": ({"question": "1+1", "answer": 2}, [("1+1", "2")]),
    "pair": (["a", "b"], [("a", "b")]),
    "pair to be declined": (["a", None], [("a", "")]),
    "turns": (["a", "b", "c"], [("a", "b"), ("b", "c")]),
    "turns in an object": ({"topic": "x", "turns": ["a", "b", "c"]}, [("a", "b"), ("b", "c")]),
    "messages": (
        {
            "messages": [
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "b"},
                {"role": "user", "content": "c"},
                {"role": "assistant", "content": "d"},
            ]
        },
        [("a", "b"), ("c", "d")],
    ),
    "bare list of messages": (
        [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
        [("a", "b")],
    ),
    "human and gpt": (
        {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
        [("a", "b")],
    ),
    "other speakers": (
        [{"speaker": who, "text": text} for who, text in ("Aa", "Bb", "Ac")],
        [("a", "b"), ("b", "c")],
    ),
    "two messages in a row": (
        [
            {"role": "user", "content": "a"},
            {"role": "user", "content": "b"},
            {"role": "assistant", "content": "c"},
        ],
        [("a\nb", "c")],
    ),
    "content in parts": (
        [
            {"role": "user", "content": [{"type": "text", "text": "a"}]},
            {"role": "assistant", "content": "b"},
        ],
        [("a", "b")],
    ),
}


@pytest.mark.parametrize("shape", RECORDS)
def test_a_record_is_read_alike_in_a_line_and_in_a_list(shape, write, read):
    record, expected = RECORDS[shape]
    write("faq.jsonl", json.dumps(record) + "\n")
    write("faq.json", json.dumps([record], indent=2))
    write("split.json", json.dumps({"name": "x", "train": [record], "n": {"deep": [[1]]}}))
    assert pairs(read("faq.jsonl")) == expected
    assert pairs(read("faq.json")) == expected
    found = read("split.json")
    assert pairs(found) == expected
    assert {exchange.tags for exchange in found} == {("train",)}


def test_earlier_turns_become_the_context(write, read):
    write("talk.jsonl", '["a", "b", "c", "d"]\n')
    assert [exchange.context for exchange in read("talk.jsonl")] == [(), ("a",), ("a", "b")]


def test_only_the_turns_of_the_assistant_are_learnt_with_all_turns_as_context(write, read):
    talk = [{"role": role, "content": text} for role, text in
            [("assistant", "Hi"), ("user", "a"), ("assistant", "b"), ("user", "c"),
             ("assistant", "d")]]  # fmt: skip
    write("talk.jsonl", json.dumps(talk))
    found = read("talk.jsonl")
    assert [(e.context, e.question, e.answer) for e in found] == [
        (("Hi",), "a", "b"), (("Hi", "a", "b"), "c", "d"),
    ]  # fmt: skip


def test_what_show_prints_as_json_reads_as_the_same_exchanges(write, read):
    record = {"question": "c", "answer": "d", "context": ["a", "b"], "tags": [], "source": ""}
    write("talk.json", json.dumps([record]))
    found = read("talk.json")[0]
    assert (found.context, found.question, found.answer) == (("a", "b"), "c", "d")


def test_fields_are_set_by_name(write, read):
    write("faq.jsonl", '{"title": "a", "question": "x", "answer": "y", "body": "b"}\n')
    settings = ("jsonl.question=title", "jsonl.answer=body", "jsonl.tags=answer,missing")
    found = read("faq.jsonl", settings=settings)
    assert pairs(found) == [("a", "b")]
    assert found[0].tags == ("y",)


def test_a_field_of_turns_is_set_by_name(write, read):
    write("faq.jsonl", '{"question": "x", "answer": "y", "talk": ["a", "b"]}\n')
    assert pairs(read("faq.jsonl", settings=("jsonl.turns=talk",))) == [("a", "b")]


def test_keys_choose_the_lists_of_an_object(write, read):
    write("all.json", '{"train": [["a", "b"]], "val": [["c", "d"]], "test": [["e", "f"]]}')
    found = read("all.json", settings=("json.keys=train, test",))
    assert [(exchange.question, exchange.tags) for exchange in found] == [
        ("a", ("train",)), ("e", ("test",)),
    ]  # fmt: skip


def test_remove_takes_characters_out_of_every_text(write, read):
    write("zh.json", '[["你 好", "很 好", "3 1 万"]]')
    found = read("zh.json", settings=("json.remove= ",))
    assert pairs(found) == [("你好", "很好"), ("很好", "31万")]
    assert found[1].context == ("你好",)


def test_decline_names_the_label_that_stands_for_no_answer(write, read):
    write("oos.json", '[["a", "greet"], ["b", "oos"]]')
    found = read("oos.json", settings=("json.decline=oos",))
    assert pairs(found) == [("a", "greet"), ("b", "")]


def test_json_lines_in_a_json_file_are_known(write, read):
    write("faq.json", '{"question": "a", "answer": "b"}\n{"question": "c", "answer": "d"}\n')
    found = read("faq.json")
    assert [exchange.source for exchange in found] == ["faq.json:1", "faq.json:2"]


def test_a_record_has_the_line_it_begins_on(write, read):
    write("faq.json", '[\r\n\r\n  {\r\n"question": "a",\r\n"answer": "b"},\r\n["c", "d"]\r\n]')
    assert [exchange.source for exchange in read("faq.json")] == ["faq.json:3", "faq.json:6"]


BAD_LINES = {
    "bad syntax": (
        '{"question": "a"',
        ("not valid JSON (Expecting ',' delimiter at character 17). Mend or remove it."),
    ),
    "not a number": (
        '{"question": "a", "answer": NaN}',
        ("not valid JSON (NaN is no JSON number). Mend or remove it."),
    ),
    "a huge integer": (
        '{"question": "a", "answer": ' + "1" * 5000 + "}",
        (
            "not valid JSON (Exceeds the limit "
            "(4300 digits) for integer string conversion: value has 5000 digits). Mend or "
            "remove it."
        ),
    ),
    "deep nesting": ("[" * 100_000, "not valid JSON (nested too deeply). Mend or remove it."),
    "a plain text": ('"hello"', "a record is neither an object nor a list. Remove it."),
    "no fields": (
        '{"foo": "a", "bar": "b"}',
        (
            "no fields with a question and an answer (its fields: foo, "
            "bar). Name two of them: --set jsonl.question=… --set jsonl.answer=…; a question to be "
            'declined has "answer": null'
        ),
    ),
    "turns that are no list": (
        '{"turns": "ab"}',
        'the turns are no list (turns). Write ["…", "…"].',
    ),
    "an empty turn": ('["a", " ", "c"]', "a turn is empty (turn 2). Remove or fill it."),
    "a turn that is a list": ('[["a"], "b"]', "a turn is no text. Write each turn as a text."),
    "a message that is none": (
        '[{"role": "user", "content": "a"}, "b"]',
        ('a message is no object. Write {"role": "…", "content": "…"}.'),
    ),
    "an empty question": (
        '{"question": "", "answer": "b"}',
        "the question is empty. Fill it or remove the row.",
    ),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_a_bad_line_is_told_with_its_place_or_skipped(case, write, read):
    line, message = BAD_LINES[case]
    write("faq.jsonl", f'["a", "b"]\n\n{line}\n["c", "d"]\n')
    with pytest.raises(CorpusError) as told:
        read("faq.jsonl")
    assert str(told.value) == f"faq.jsonl:3: {message}"
    report = ReadReport()
    assert pairs(read("faq.jsonl", skip_bad=True, report=report)) == [("a", "b"), ("c", "d")]
    assert report.skipped == 1


BAD_FILES = {
    "cut off": ('[["a", "b"],\n["c", "d"', 2, "the file ends in the middle"),
    "cut off in a text": ('[["a", "b"],\n["c', 2, "the file ends in the middle"),
    "wrong bracket": ('[["a", "b"}]', 1, "a } closes what was never opened"),
    "more than one value": (
        '[["a", "b"]]\n[["c", "d"]]',
        2,
        "something follows the end of the value",
    ),
    "words after the end": ('[["a", "b"]]\nx', 2, "something follows the end of the value"),
    "deep": ("[" * 40, 1, "more than 32 brackets are open"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_broken_json_file_is_told_with_its_line(case, write, read):
    content, line, detail = BAD_FILES[case]
    write("faq.json", content)
    with pytest.raises(CorpusError) as told:
        read("faq.json", format="json")
    assert str(told.value) == (
        f"faq.json:{line}: not valid JSON ({detail}). "
        "Mend the file; nothing after this place can be read."
    )


def test_a_bad_record_of_a_file_does_not_spoil_the_others(write, read):
    write("faq.json", '[["a", "b"],\n{"question": nope},\n["c", "d"],]')
    report = ReadReport()
    assert pairs(read("faq.json", skip_bad=True, report=report)) == [("a", "b"), ("c", "d")]
    assert report.bad.first == {"not valid JSON": "faq.json:2"}


def test_a_record_without_end_is_told_and_not_kept(write, read, monkeypatch):
    monkeypatch.setattr("chatseq_readers.json_file.LONGEST_RECORD", 2**20)
    write("faq.json", '[["a", "b"], ["' + "x" * 2**21 + '", "c"], ["d", "e"]]')
    report = ReadReport()
    found = read("faq.json", skip_bad=True, report=report)
    assert pairs(found) == [("a", "b"), ("d", "e")]
    assert report.bad.counts == {"the record is longer than 1 million characters": 1}


def test_half_surrogates_do_not_reach_the_exchange(write, read):
    write("faq.jsonl", r'["a\ud800", "\ud83d\ude00"]')
    assert pairs(read("faq.jsonl")) == [("a\ufffd", "😀")]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    records=st.lists(values, max_size=5),
    indent=st.sampled_from([None, 0, 2]),
    ascii_only=st.booleans(),
    cut=st.integers(1, 9),
)
def test_a_file_is_cut_into_exactly_its_records(records, indent, ascii_only, cut):
    text = json.dumps({"key": records}, indent=indent, ensure_ascii=ascii_only)
    pieces = [Line(1, text[at : at + cut]) for at in range(0, len(text), cut)]
    source = Source("x.json", None, ".json", text, None, lambda bad: iter(pieces))  # type: ignore[arg-type]
    items = list(json_items(source, BadRows()))
    assert [json.loads(item.text) for item in items] == records
    assert {item.key for item in items} <= {"key"}
