"""The demo: a sample corpus that ships with the package, and the whole way over it."""
