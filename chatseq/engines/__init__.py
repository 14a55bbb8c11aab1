"""Engines: the only code that knows how a network is executed."""
