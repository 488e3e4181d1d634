"""``evenglot add-language``: what it reads, what it makes, and what it measures."""
