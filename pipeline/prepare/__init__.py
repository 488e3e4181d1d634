"""Raw text to a committed snapshot: the chain of jobs, a module for each, and what is decided between them.

``run`` has the order of things. ``read``, ``lines``, ``score``, ``earlier``, ``match``, ``near``, ``write`` and
``index`` each see to it that one job's files are there, by running what is missing of it with ``jobs``; ``snapshot``
and ``warnings`` say what came of it. What crosses from one to the next are small accounts and names of files.
"""

from pipeline.prepare.jobs import Progress
from pipeline.prepare.run import prepare

__all__ = ["Progress", "prepare"]
