"""Raw text to corpus: read, normalise, identify, filter, deduplicate, balance, write, tokenize.

Stages are pure functions over Arrow record batches; ``graph`` and ``runner`` are the only modules that know
Apache Beam.
"""
