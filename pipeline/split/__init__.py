"""Training and held-out text: chosen by hash of the duplicate cluster."""
