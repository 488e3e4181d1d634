"""The contract every part of evenglot shares.

Language tags, the record schema, Arrow shards, the manifest with its immutable snapshots, the ledger that
must close, evidence per language and the mixtures computed from it. Nothing here knows Beam or torch.
"""
