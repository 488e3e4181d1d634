"""Settings of the stage that masks personal data."""

from __future__ import annotations

from corpus.config import Config


class PiiConfig(Config):
    """What to put in place of personal data. ``null`` leaves a kind as it is."""

    enabled: bool = False
    """Mask personal data."""
    email: str | None = "<EMAIL>"
    """E-mail addresses."""
    iban: str | None = "<IBAN>"
    """International bank account numbers whose length and check digits (modulo 97) are right."""
    card: str | None = "<CARD>"
    """Payment card numbers of a known issuer whose check digit (Luhn) is right."""
    phone: str | None = "<PHONE>"
    """Phone numbers: international ones, North American ones, and any after a word such as *tel* or *phone*."""
    ip: str | None = "<IP>"
    """IPv4 and IPv6 addresses. Private, local and multicast ones stay, and so do ``0.0.0.0`` to ``9.9.9.9``: those are
    chapters and versions far more often than machines."""
