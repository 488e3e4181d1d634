"""Rows to model: the transformer, objectives, regularisers, the training loop and the held-out evaluation.

Importing this package is cheap; torch is loaded by the modules that compute.
"""
