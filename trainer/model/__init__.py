"""The transformer, its language adapters, and what training knows of any model."""
