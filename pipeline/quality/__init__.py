"""Quality: features of documents in any script, thresholds from the languages' own data, decisions with reasons."""
