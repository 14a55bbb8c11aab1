"""Where the words of chatseq.text.words stood before."""

from chatseq.text.words import has_han, plain, units

__all__ = ["has_han", "plain", "units"]
