"""Repairs that leave the words as they were: wrong decoding, markup, invisible characters, composition, blanks."""
