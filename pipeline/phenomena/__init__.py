"""Rare phenomena under control: natural sentences that carry what is rare in their language, made less rare."""
