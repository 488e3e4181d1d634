"""A run around its steps: putting it together, going on, logs, checkpoints, and what is left at the end."""
