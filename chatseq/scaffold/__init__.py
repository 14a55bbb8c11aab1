"""Packages written for those who begin a plugin: a template for each kind, and what fills it in."""
