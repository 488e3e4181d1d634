"""Duplicates: keys of texts and ids, and which of several equal records stays."""
