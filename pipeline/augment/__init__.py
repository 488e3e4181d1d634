"""Synthetic text over a natural snapshot: plan, calibrate, generate, join."""
