"""Rows to judge a model on, and languages that no longer improve on them."""
