"""Language identification: a fastText model, the windows it reads and the stage that labels records."""
