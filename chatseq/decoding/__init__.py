"""Decoding: the loop from scores to replies, over any engine and any strategy."""
