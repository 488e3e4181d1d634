"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

RecipeOption = Annotated[
    Path | None,
    typer.Option(
        "--recipe", "-r", metavar="FILE", help="Recipe (YAML); flags win over what it says.", show_default=False
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set any key of the recipe, for example --set train.steps=100; may be given several times.",
        show_default=False,
    ),
]
CorpusOption = Annotated[
    str | None,
    typer.Option("--corpus", "-c", metavar="DIR", help="Corpus folder or URL.", show_default="out/corpus"),
]
RunOption = Annotated[
    str | None,
    typer.Option("--run", metavar="DIR", help="Folder of the training run.", show_default="out/run"),
]
SeedOption = Annotated[int | None, typer.Option("--seed", metavar="N", help="Seed of every choice.", show_default="0")]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        "-w",
        metavar="N",
        min=1,
        help="Processes to use.",
        show_default="by size, up to one per core",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output and nothing else there.")
]


def worker_count(given: int | None) -> int:
    """The number of processes: as given, else one for each core this process may use."""
    import os

    return given if given is not None else len(os.sched_getaffinity(0))


def flags(**named: tuple[str, Any]) -> dict[str, tuple[str, Any]]:
    """Recipe keys set by flags, with ``__`` for the dot: ``train__steps=("--steps", 100)``."""
    return {key.replace("__", "."): value for key, value in named.items()}
