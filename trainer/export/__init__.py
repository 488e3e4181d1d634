"""Trained models for use elsewhere: as safetensors with a JSON description, and as models of ``transformers``."""
