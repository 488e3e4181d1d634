"""Looking at a corpus: what was kept, what was removed and why, copies, and documents next to a limit."""
