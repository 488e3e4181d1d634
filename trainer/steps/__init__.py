"""One optimiser step: its plan, its rows, the gradient of losses and penalties, and the count of both."""
