"""evenglot's sampler and its peers behind one small interface, so that one driver measures all of them."""
