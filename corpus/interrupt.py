"""That Ctrl-C was pressed, as a fact: the exception that says so can be lost on its way, and a commit must know."""

from __future__ import annotations


class Interrupt:
    """What a process knows of Ctrl-C; a signal handler writes it, so it holds no lock."""

    pressed = False

    def check(self) -> None:
        """Stop here if Ctrl-C was pressed, however far the run came since.

        Raises:
            KeyboardInterrupt: it was.
        """
        if self.pressed:
            raise KeyboardInterrupt


INTERRUPT = Interrupt()
"""The one of this process. Only the command line sets it; it stays unset where evenglot is used as a library."""
