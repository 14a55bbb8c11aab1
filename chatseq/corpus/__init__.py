"""Corpora: open, read, check and split files of questions and answers."""
