"""What a curriculum orders documents by: difficulty and feature diversity, within each language."""
