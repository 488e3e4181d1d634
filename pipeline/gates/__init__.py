"""Gates between a model and the corpus: what is measured of synthetic text, and what it must reach."""
