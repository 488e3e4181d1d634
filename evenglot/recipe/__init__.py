"""Recipes: one YAML file that says everything a run does, validated before anything starts."""
