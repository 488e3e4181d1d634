"""Which scripts a document is written in, counted over whole batches."""
