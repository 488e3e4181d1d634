"""Mixtures that follow the training: policies from losses, and changes by hand while a run goes on."""
