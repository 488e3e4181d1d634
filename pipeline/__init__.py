"""Raw text to corpus: read, normalise, identify, filter, deduplicate, balance, write, tokenize.

Stages are pure functions over Arrow record batches; ``graphs`` and ``runner`` are all that knows Apache Beam.
"""
