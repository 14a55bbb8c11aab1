"""Built-in plugin: the responders that answer questions, and the scorers that `qa` joins."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_responders() -> dict[str, Reference]:
    return {
        "qa": "chatseq_qa.responder:QaResponder",
        "retrieval": "chatseq_qa.retrieval:RetrievalResponder",
        "seq2seq": "chatseq_qa.seq2seq:Seq2SeqResponder",
    }


@hookimpl
def chatseq_scorers() -> dict[str, Reference]:
    return {
        "linear": "chatseq_qa.linear_scorer:LinearScorer",
        "nearest": "chatseq_qa.nearest_scorer:NearestScorer",
        "network": "chatseq_qa.network_scorer:NetworkScorer",
    }
