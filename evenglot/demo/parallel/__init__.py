"""English and Afrikaans sentences that mean the same: a small grammar, its word lists, and pairs written by hand."""
