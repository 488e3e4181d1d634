"""Machine translation of sentences by CTranslate2: model cards, routes over languages, batches, cache."""
