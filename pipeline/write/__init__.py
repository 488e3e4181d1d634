"""Shards: which records go into which file, and the columns they get on the way."""
