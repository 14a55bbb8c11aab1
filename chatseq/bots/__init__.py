"""Trained bots: their files, how one is loaded, what answers, and why it answered so."""
