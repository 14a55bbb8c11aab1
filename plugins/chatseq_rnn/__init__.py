"""Built-in plugin: recurrent encoders and decoders (plain, GRU, LSTM and SSRU)."""

from __future__ import annotations

from collections.abc import Mapping

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_encoders() -> Mapping[str, Reference]:
    """Name the recurrent encoders."""
    return {
        "rnn": "chatseq_rnn.encoder:RnnEncoder",
        "gru": "chatseq_rnn.encoder:GruEncoder",
        "lstm": "chatseq_rnn.encoder:LstmEncoder",
    }


@hookimpl
def chatseq_decoders() -> Mapping[str, Reference]:
    """Name the decoders that attend, and those that only have the context vector."""
    return {
        "rnn": "chatseq_rnn.luong:RnnDecoder",
        "gru": "chatseq_rnn.luong:GruDecoder",
        "lstm": "chatseq_rnn.luong:LstmDecoder",
        "ssru": "chatseq_rnn.ssru:SsruDecoder",
        "gru-bahdanau": "chatseq_rnn.bahdanau:GruBahdanauDecoder",
        "lstm-bahdanau": "chatseq_rnn.bahdanau:LstmBahdanauDecoder",
        "gru-input-feeding": "chatseq_rnn.input_feeding:GruInputFeedingDecoder",
        "lstm-input-feeding": "chatseq_rnn.input_feeding:LstmInputFeedingDecoder",
        "rnn-context": "chatseq_rnn.context_vector:RnnContextDecoder",
        "gru-context": "chatseq_rnn.context_vector:GruContextDecoder",
        "lstm-context": "chatseq_rnn.context_vector:LstmContextDecoder",
    }
