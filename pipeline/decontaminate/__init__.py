"""Evaluation text kept out of the corpus: n-gram overlap with evaluation sets given as files."""
