"""chatseq: a file of questions and answers becomes a private chatbot.

Importing this package imports nothing heavy; the parts live in the modules that the README's tree
names.
"""

__version__ = "0.1.0"
