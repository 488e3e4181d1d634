"""Training on translations: their rows, their losses, and how well sentences find their translations.

Importing this package loads no torch.
"""
