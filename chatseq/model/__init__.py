"""The network: contracts of encoder, attention and decoder, and the Seq2Seq that joins them."""
