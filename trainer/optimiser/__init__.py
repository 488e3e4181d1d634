"""How the weights move: optimisers, and what changes over the run."""
