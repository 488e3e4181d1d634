"""How far synthetic text of a language is from its natural text, and what follows for the budget."""
