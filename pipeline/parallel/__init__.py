"""Parallel text: files of translations to token shards of a corpus."""
