"""Add languages to a trained model: prepare the start, train, and measure all languages before and after."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from corpus.errors import ConfigurationError, EvenglotError, InputError
from corpus.hashing import fingerprint
from evenglot.continual.config import AddLanguageConfig
from evenglot.continual.corpora import FOLDER
from evenglot.continual.prepare import ANCHOR, START, Plan, prepare
from evenglot.recipe.load import dump_recipe, load_recipe
from evenglot.recipe.models import Recipe
from evenglot.steps import RECIPE, Progress, leads
from evenglot.steps import train as train_step

if TYPE_CHECKING:
    from trainer.continual.trained import Trained
    from trainer.distributed import World

CONTINUAL: Final = "continual.json"
"""What a run that adds languages began with and came to."""


class Disturbed(EvenglotError):
    """What was to stay as it was has changed: a defect."""

    exit_code = 1


def add_languages(
    run: str,
    corpus: str | None,
    output: str,
    settings: AddLanguageConfig,
    change: Callable[[Mapping[str, Any]], Recipe],
    *,
    old_corpus: str | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """A new run that knows more languages than an old one.

    Started again after it was stopped, it goes on; a finished one is measured again and left as it is.

    Args:
        run: folder of the old run, which must be finished.
        corpus: holds the new languages; None takes the old run's.
        output: folder of the new run.
        settings: how they enter.
        change: from the old run's recipe to the new run's: what the user has set.
        old_corpus: corpus of the old run; None takes what its recipe says.
        fresh: begin anew although the folder holds a run.
        progress: told of each stage.

    Returns:
        what ``continual.json`` holds: the languages before and after, in bits per byte, and what was done.

    Raises:
        ConfigurationError: a language is known already, or the settings do not fit.
        InputError: there is no such run, it is not finished, or a language has no text.
        CorpusError: a corpus is missing or tokenised otherwise.
        Disturbed: a frozen run has changed an old language.
        Stopped: SIGTERM came.
    """
    from trainer.continual.trained import read_trained
    from trainer.distributed import World, world

    trained = read_trained(run)
    known = sorted(set(settings.languages) & set(trained.languages))
    if known:
        raise ConfigurationError(f"{run} knows {known[0]} already", "Name languages that it does not know")
    if Path(run).resolve() == Path(output).resolve():
        raise ConfigurationError(f"--output is the old run's folder, {output}", "Choose another folder")
    unknown = sorted(set(settings.relatives) - set(trained.languages))
    if unknown:
        raise ConfigurationError(
            f"--relatives names {unknown[0]}, which {run} does not know", f"It knows {', '.join(trained.languages)}"
        )
    if settings.new_pieces and trained.config.model.base is not None:
        raise ConfigurationError(
            f"{run} trains the model {trained.config.model.base}, whose vocabulary cannot grow here",
            "Leave `--new-pieces` out",
        )
    had = _old_recipe(run, trained.state)
    recipe = change(had)
    if recipe.train.model != trained.config.model:
        raise ConfigurationError("train.model is not the old run's", "Leave the model's settings out")
    folder = Path(output)
    plan = Plan(
        run=str(run),
        corpus=corpus or str(had["corpus"]),
        old_corpus=old_corpus or str(had["corpus"]),
        settings=settings,
        # Without defaults: a setting that a later version adds is no other recipe.
        asked=fingerprint(json.loads(recipe.model_dump_json(exclude={"run", "corpus"}, exclude_defaults=True))),
    )
    processes = world(recipe.train.device)
    if leads():
        if fresh:
            clear(folder)
        _confirm_same(folder, plan, trained.checkpoint)
        if not (folder / CONTINUAL).exists():
            folder.mkdir(parents=True, exist_ok=True)
            started, new_recipe = prepare(plan, trained, recipe, folder, progress)
            _write(folder / RECIPE, dump_recipe(new_recipe))
            _write_json(folder / CONTINUAL, started)
    processes.barrier()
    found: dict[str, Any] = json.loads((folder / CONTINUAL).read_text(encoding="utf-8"))
    summary = train_step(load_recipe(folder / RECIPE), progress)
    # Measured by one process, as before the first step: sums over several would differ in the last bits.
    if leads():
        found |= {"steps": summary["step"], "tokens": summary["tokens"]}
        found |= _measured(found, folder, trained, World(0, 1, processes.device), progress)
        _write_json(folder / CONTINUAL, found)
    processes.barrier()
    found = json.loads((folder / CONTINUAL).read_text(encoding="utf-8"))
    if settings.mode == "frozen" and not found["old_parameters_equal"]:
        raise Disturbed(f"{output} was to leave the old languages as they were, and has changed their parameters")
    return found


def _measured(
    found: Mapping[str, Any], folder: Path, trained: Trained, alone: World, progress: Progress | None
) -> dict[str, Any]:
    """All languages after training, and what became of the old ones."""
    from trainer.continual.grow import digest, old_part
    from trainer.continual.measure import Place, heldout_losses
    from trainer.continual.trained import read_trained
    from trainer.optimiser.own_rows import language_rows
    from trainer.reproducible import reproducible

    grown = read_trained(folder)
    model = grown.model()
    inside = old_part(grown.tensors, language_rows(model), grown.languages, trained.languages, trained.vocabulary)
    read = found["heldout"]
    place = Place(read["corpus"], grown.tokenizer, grown.row_tokens, read["snapshot"], trained.vocabulary)
    after: dict[str, float] = {}
    with reproducible(int(trained.state["threads"])):
        for group in (trained.languages, found["new"]):
            scores = heldout_losses(
                model.to(alone.device), grown.config, place, grown.languages, group, alone, progress
            )
            after |= {lang: figures["bits_per_byte"] for lang, figures in scores["languages"].items()}
    before: Mapping[str, float] = found["before"]
    old = [lang for lang in trained.languages if lang in before and lang in after]
    changes = [after[lang] - before[lang] for lang in old]
    return {
        "after": after,
        "old_parameters_equal": digest(inside) == found["old_parameters"],
        "old_losses_equal": all(after[lang] == before[lang] for lang in old),
        "old_change_largest": max(changes, default=0.0),
        "old_change_mean": sum(changes) / len(changes) if changes else 0.0,
    }


def clear(folder: Path) -> None:
    """Remove what adding languages wrote into a folder."""
    from trainer.run.resume import clear as clear_training

    clear_training(folder)
    for name in (CONTINUAL, START, ANCHOR, RECIPE):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def _old_recipe(run: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """The old run's recipe: training and rows as its checkpoint has them, the corpus as its recipe says."""
    path = Path(run) / RECIPE
    written: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    tokenizer = {**written.get("tokenizer", {}), "name": state["identity"]["tokenizer"]}
    return {
        "corpus": written.get("corpus", Recipe().corpus),
        "seed": state["identity"]["seed"],
        "tokenizer": tokenizer,
        "sampler": state["sampler_config"],
        "train": {key: value for key, value in state["train"].items() if key != "continual"},
    }


def _confirm_same(folder: Path, plan: Plan, checkpoint: Path) -> None:
    """Refuse a folder that holds another run, or one of other settings."""
    path = folder / CONTINUAL
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        asked = plan.described(checkpoint)
        changed = sorted(key for key, value in asked.items() if before["plan"].get(key) != value)
        if changed:
            raise ConfigurationError(
                f"{folder} was begun with another {changed[0]}",
                "Choose another `--output`, or begin anew with `--fresh`",
            )
    elif (folder / "checkpoints").exists():
        raise InputError(f"{folder} holds another run", "Choose another `--output`, or begin anew with `--fresh`")


def _write(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    _write(path, json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n")
