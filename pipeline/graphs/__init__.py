"""The Beam graphs of ``prepare``, a module for each job; with ``runner`` all that knows Beam.

    read        splits -> batches -> repairs -> pieces, keys of their lines
    lines       keys of lines by site -> boilerplate lines
    score       pieces -> other stages -> staged pieces
    sign        earlier text shards without an index that fits -> one
    new_keys    pieces -> the table of keys that this run's documents have     (only where there are earlier ones)
    match       pieces -> thresholds; survivors' keys by id, by text -> decisions by piece
    near        keys of kept documents -> candidates -> verified links by piece
    components  links -> large-star and small-star rounds -> labels     (only where one worker cannot hold the links)
    settle      links by cluster -> what stays -> decisions by piece
    write       parts -> shards
    index       keys of what was written -> index files

Elements are record batches (``read``, ``score``) and packed arrays of keys, pairs and links (the others); text crosses
no shuffle and is read where it lies. The graphs do not depend on the number of languages: a language is a value in the
data, never a branch. Every job leaves files, and the next begins with them.
"""
