"""The chapters of the report: each a pure function from facts to a section, or None when it has no place."""
