"""What each kind of part must keep to: a module a kind, a small function a sentence.

A module is imported when its kind is checked, so that torch is only paid for by networks. Beside
its checks it may hold `arguments`, the ways in which chatseq calls a constructor of that kind, and
`steadily`, a context that makes chance repeatable.
"""
