"""Settings of the normalise stage."""

from __future__ import annotations

from corpus.config import Config


class NormaliseConfig(Config):
    """Which damage to repair; every repair is counted and named in the column ``repairs``."""

    mojibake: bool = True
    """Undo wrong decoding: UTF-8 read as Latin-1, Windows-1252 and others, also twice (ftfy); Windows-1251
    and Shift JIS read as Latin-1."""
    markup: bool = True
    """Remove HTML tags and comments where a text has real markup, and resolve entities."""
    control: bool = True
    """Remove control and invisible characters, ANSI escapes among them. Joiners stay where the script needs
    them (Persian, Indic scripts), zero-width spaces in scripts without spaces between words."""
    nfc: bool = True
    """Compose characters: Unicode normalisation form C."""
    whitespace: bool = True
    """Unix line ends, plain spaces, one blank between words, none at line ends, at most two blank lines in a row;
    indentation stays."""
