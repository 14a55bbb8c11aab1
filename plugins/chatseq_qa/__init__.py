"""Built-in plugin: the responders that answer questions."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_responders() -> dict[str, Reference]:
    return {
        "qa": "chatseq_qa.responder:QaResponder",
        "retrieval": "chatseq_qa.retrieval:RetrievalResponder",
        "seq2seq": "chatseq_qa.seq2seq:Seq2SeqResponder",
    }
