"""The demo: sample texts to a report that compares a balanced, regularized model with a proportional one."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import evenglot
from corpus.errors import ConfigurationError
from corpus.hashing import file_hash, fingerprint
from corpus.manifest import Snapshot, read_snapshot
from corpus.storage import write_errors
from evenglot import steps
from evenglot.recipe.load import load_recipe
from evenglot.recipe.models import Recipe

ARMS: Final[Mapping[str, str]] = {"proportional": "proportional.yaml", "balanced": "recipe.yaml"}
"""The two trainings and their recipes, which stand beside this module."""
REPORT: Final = "report.html"
_STATE: Final = "demo.json"
_LIBRARIES: Final = ("ctranslate2", "sentencex", "sacrebleu", "sklearn")
_MODELS: Final = "models"
_OURS: Final = ("sample", _MODELS, "corpus", *ARMS, *ARMS.values(), REPORT, _STATE)
_QUICK: Final = {"train.steps": 12, "train.heldout.every": 12, "train.heldout.rows": 2}

Progress = Callable[[str, int, int], None]
ReporterFactory = Callable[[str], AbstractContextManager[Progress]]


@dataclass(frozen=True)
class DemoResult:
    """What came out."""

    report: str
    output: str
    seconds: Mapping[str, float]
    """Of each step, in order; a step that an earlier demo had finished takes next to nothing."""
    ledger: Mapping[str, int]
    """Records read, kept, rejected, unreadable."""
    synthetic: Mapping[str, int]
    """Candidates for synthetic documents, and those kept; empty where none were made."""
    evaluations: Mapping[str, Mapping[str, Any]]
    """For each arm what ``evaluate`` measured."""

    def as_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {**asdict(self), "total_seconds": round(sum(self.seconds.values()), 3)}


def run_demo(
    output: str,
    *,
    quick: bool = False,
    fresh: bool = False,
    workers: int | None = None,
    reporter: ReporterFactory,
    note: Callable[[str], None],
) -> DemoResult:
    """Prepare, augment, tokenize, train both arms, evaluate them, write the report.

    What an earlier demo finished in the same folder is kept; when it was made from another sample, by another
    version or with the other length, the folder's demo files are removed first.

    Args:
        output: a local folder; created if missing.
        quick: train for a few steps only.
        fresh: remove what an earlier demo left.
        workers: processes for preparing; None lets the size of the input decide.
        reporter: gives the progress of a step, by the step's name.
        note: tells people about a finished step.

    Raises:
        ConfigurationError: the folder holds something else.
        EvenglotError: a step failed.
    """
    folder = Path(output)
    seconds: dict[str, float] = {}

    @contextmanager
    def step(name: str) -> Iterator[Progress]:
        started = time.monotonic()
        with reporter(name) as progress:
            yield progress
        seconds[name] = round(time.monotonic() - started, 3)
        note(f"{name}: {seconds[name]:.1f} s")

    _lay_out(folder, quick=quick, fresh=fresh)
    arms = {arm: _recipe(folder / name, quick=quick) for arm, name in ARMS.items()}
    shared = arms["balanced"]
    with step("prepare") as progress:
        # Synthetic text is a step of its own here, timed apart.
        alone = shared.model_copy(update={"augment": shared.augment.model_copy(update={"enabled": False})})
        snapshot = _natural(shared.corpus, steps.prepare(alone, workers, progress))
    synthetic: dict[str, int] = {}
    missing = _missing()
    if missing:
        note(f"augment: left out, {missing} is not installed (pip install 'evenglot[translate]')")
    else:
        with step("augment") as progress:
            synthetic = _counts(steps.augment(shared, workers or 1, progress))
    with step("tokenize") as progress:
        tokens = steps.tokenize(shared, workers or 1, progress)
    trained_on: dict[str, str] = _read_state(folder).get("trained_on", {})
    for arm, recipe in arms.items():
        with step(f"train {arm}") as progress:
            # A run over another state of the corpus cannot be gone on with.
            stale = trained_on.get(arm) != tokens.fingerprint
            trained_on[arm] = tokens.fingerprint
            _write_state(folder, trained_on=trained_on)
            steps.train(recipe, progress, fresh=stale)
    evaluations = {}
    for arm, recipe in arms.items():
        with step(f"evaluate {arm}") as progress:
            evaluations[arm] = steps.evaluate(recipe, None, progress)
    with step("report"):
        path = steps.report(shared.corpus, [recipe.run for recipe in arms.values()], str(folder / REPORT), shared)
    ledger = snapshot.ledger
    return DemoResult(
        report=str(path),
        output=output,
        seconds=seconds,
        ledger={
            "read": ledger.read,
            "kept": ledger.kept_total,
            "rejected": ledger.rejected_total,
            "unreadable": ledger.unreadable_total,
        },
        synthetic=synthetic,
        evaluations=evaluations,
    )


def _natural(corpus: str, snapshot: Snapshot) -> Snapshot:
    """The snapshot that ``prepare`` made, also where an earlier demo has gone on; its ledger is the sample's."""
    while snapshot.made_by != "prepare":
        before = snapshot.goes_on_with if snapshot.made_by == "augment" else snapshot.parent
        snapshot = read_snapshot(corpus, before)
    return snapshot


def _missing() -> str | None:
    """The first library that augmentation needs and that is not installed; None where all are there."""
    return next((name for name in _LIBRARIES if find_spec(name) is None), None)


def _counts(snapshot: Snapshot) -> dict[str, int]:
    """Candidates and kept documents of a snapshot's synthetic layer."""
    found = snapshot.augmentation.languages.values() if snapshot.augmentation is not None else ()
    return {"candidates": sum(one.candidates for one in found), "kept": sum(one.kept for one in found)}


def _lay_out(folder: Path, *, quick: bool, fresh: bool) -> None:
    """Copy sample, models and recipes into the folder, after removing what does not belong to this demo."""
    with as_file(files("evenglot.demo")) as packaged, write_errors(str(folder)):
        sources = [path for path in sorted((packaged / "sample").iterdir()) if path.is_file()]
        recipes = [packaged / name for name in ARMS.values()]
        models = sorted(path for path in (packaged / _MODELS).rglob("*") if path.is_file())
        made_of = {
            "version": evenglot.__version__,
            "quick": quick,
            "files": fingerprint(
                {str(path.relative_to(packaged)): file_hash(path) for path in [*sources, *recipes, *models]}
            ),
        }
        if folder.exists() and any(folder.iterdir()):
            if not (folder / _STATE).exists():
                raise ConfigurationError(
                    f"{folder} is not empty and holds no demo", "Choose another folder with `--output`"
                )
            if fresh or _read_state(folder).get("made_of") != made_of:
                _clear(folder)
        (folder / "sample").mkdir(parents=True, exist_ok=True)
        _write_state(folder, made_of=made_of)
        for path in sources:
            _copy(path, folder / "sample" / path.name)
        for path in recipes:
            _copy(path, folder / path.name)
        for path in models:
            target = folder / path.relative_to(packaged)
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(path, target)


def _recipe(path: Path, *, quick: bool) -> Recipe:
    """An arm's recipe as it stands in the demo's folder, with its paths seen from here."""
    folder = path.parent
    named = load_recipe(path)
    here: dict[str, tuple[str, Any]] = {
        "corpus": ("--output", str(folder / named.corpus)),
        "run": ("--output", str(folder / named.run)),
    }
    for index, source in enumerate(named.inputs):
        here[f"inputs.{index}.path"] = ("--output", str(folder / source.path))
    models = [str(folder / model) for model in named.augment.translation.models]
    here["augment.translation.models"] = ("--output", models)
    if quick:
        here.update({key: ("--quick", value) for key, value in _QUICK.items()})
    return load_recipe(path, flags=here)


def _clear(folder: Path) -> None:
    for name in _OURS:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """Copy unless the same bytes are there: a newer modification time would make a finished step stale."""
    if not target.exists() or file_hash(target) != file_hash(source):
        shutil.copyfile(source, target)


def _read_state(folder: Path) -> dict[str, Any]:
    """What an earlier demo noted: ``made_of`` and, for each arm, the fingerprint of the corpus it was trained on."""
    try:
        state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _write_state(folder: Path, **entries: Any) -> None:
    text = json.dumps({**_read_state(folder), **entries}, indent=1) + "\n"
    (folder / _STATE).write_text(text, encoding="utf-8")
