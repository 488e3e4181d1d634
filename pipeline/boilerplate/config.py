"""Settings of the removal of boilerplate lines."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from corpus.config import Config


class BoilerplateConfig(Config):
    """Which lines of a site are its frame, not its text; docs/methods/boilerplate.md has the rule.

    Pages count as different where their longest line is: copies of one page, whole or nearly, count once.
    """

    enabled: bool = True
    """Count the lines of every site and remove those that its pages share. Without it the inputs are read and scored
    in one job instead of two."""
    min_documents: int = Field(default=5, ge=2)
    """A line must stand in this many different pages of a site."""
    min_share: float = Field(default=0.25, gt=0, le=1)
    """And in this share of the site's different pages."""
    paragraph_bytes: int = Field(default=300, ge=1)
    """A line of more UTF-8 bytes than this is a paragraph and needs more evidence: `paragraph_share` of the pages, and
    twice `min_documents`."""
    paragraph_share: float = Field(default=0.5, gt=0, le=1)
    """Share of a site's different pages in which a paragraph must stand."""
    longest_bytes: int = Field(default=2000, ge=1)
    """A line of more UTF-8 bytes than this is never removed."""
    min_sites: int = Field(default=3, ge=0)
    """A line that is boilerplate on this many sites, and no paragraph, is removed wherever it stands: also on a site
    with too few pages to tell. 0 switches this off."""
    sample: int = Field(default=4096, ge=16)
    """Pages of one site that are compared, chosen by hash; shares are estimated on them, so that a site of millions of
    pages costs no more memory than one of thousands."""
    without_url: Literal["skip", "source"] = "skip"
    """Documents without a URL: `skip` them, or count all those of one `source` as one site."""
    fold_digits: bool = False
    """Take all digits for the same, so that "12 comments" and "7 comments" are one line. It also finds more that is
    none: numbered headings."""
