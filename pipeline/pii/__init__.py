"""Masking of personal data that has a form: addresses, numbers of phones, machines, cards and accounts."""
