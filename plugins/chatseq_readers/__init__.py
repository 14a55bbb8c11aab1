"""Built-in plugin: the readers of corpus formats."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_corpus_readers() -> dict[str, Reference]:
    return {
        "chatterbot": "chatseq_readers.chatterbot:ChatterbotReader",
        "conv": "chatseq_readers.conv:ConvReader",
        "csv": "chatseq_readers.tables:CsvReader",
        "json": "chatseq_readers.json_file:JsonReader",
        "jsonl": "chatseq_readers.json_lines:JsonLinesReader",
        "parallel": "chatseq_readers.parallel:ParallelReader",
        "text": "chatseq_readers.text:TextReader",
        "trivia": "chatseq_readers.trivia:TriviaReader",
        "tsv": "chatseq_readers.tables:TsvReader",
    }
