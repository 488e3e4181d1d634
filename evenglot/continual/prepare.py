"""What a run that adds languages begins with: a corpus, a start for each language, grown weights, figures of before."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from corpus.errors import ConfigurationError
from corpus.hashing import file_hash
from corpus.manifest import read_snapshot
from corpus.mixtures import temperature
from evenglot.continual.config import AddLanguageConfig
from evenglot.continual.corpora import Joined, Sources, joined
from evenglot.recipe.load import resolved
from evenglot.recipe.models import Recipe
from evenglot.steps import Progress
from sampler.config import SamplerConfig

if TYPE_CHECKING:
    from trainer.continual.trained import Trained
    from trainer.distributed import World
    from trainer.model.language_model import LanguageModel

START: Final = "start.safetensors"
ANCHOR: Final = "anchor.safetensors"
_PASSES: Final = 4
"""Passes over the new languages' text when no number of steps is given (Muennighoff et al. 2023, arXiv 2305.16264)."""


class Plan(NamedTuple):
    """What is asked for."""

    run: str
    corpus: str
    old_corpus: str
    settings: AddLanguageConfig
    asked: str
    """Fingerprint of the recipe that the user has set."""

    def described(self, checkpoint: Path) -> dict[str, Any]:
        """What has to be the same for a run to be gone on with, as JSON values."""
        return {
            "checkpoint": str(checkpoint),
            "corpus": self.corpus,
            "old corpus": self.old_corpus,
            **self.settings.model_dump(mode="json"),
            "recipe": self.asked,
        }


def prepare(
    plan: Plan, trained: Trained, recipe: Recipe, folder: Path, progress: Progress | None
) -> tuple[dict[str, Any], Recipe]:
    """Everything before the first step.

    Args:
        plan: what is asked for.
        trained: the old run.
        recipe: the new run's, as far as the user has set it.
        folder: of the new run.
        progress: told of each stage.

    Returns:
        what ``continual.json`` holds before training, and the new run's whole recipe.
    """
    from trainer.continual.grow import digest
    from trainer.continual.measure import CORE, Place, adapter_losses, heldout_losses
    from trainer.distributed import World, world
    from trainer.evaluate import trained_snapshot
    from trainer.reproducible import reproducible

    settings, new, old = plan.settings, list(plan.settings.languages), trained.languages
    alone = World(0, 1, world(recipe.train.device).device)
    sources = Sources(
        plan.old_corpus,
        trained_snapshot(plan.old_corpus, trained.state),
        plan.corpus,
        trained.tokenizer,
        str(trained.state["identity"]["tokenizer_hash"]),
    )
    place = joined(sources, old, new, folder, settings.new_pieces, recipe.seed)
    model = trained.model().to(alone.device)
    before_place = Place(place.root, trained.tokenizer, trained.row_tokens, place.snapshot, trained.vocabulary)
    with reproducible(int(trained.state["threads"])):
        scores = heldout_losses(model, trained.config, before_place, old, old, alone, progress)
        before = {lang: figures["bits_per_byte"] for lang, figures in scores["languages"].items()}
        # New text may need pieces that an old language's predictions leave out.
        model.limit_tokens([trained.vocabulary] * len(old))
        starts: dict[str, tuple[str, ...]] = {}
        tried: dict[str, dict[str, float]] = {}
        zero: dict[str, dict[str, float]] = {}
        for lang in new:
            tried[lang] = adapter_losses(model, trained.config, before_place, old, lang, alone, progress=progress)
            starts[lang] = _start(settings, tried[lang])
            best = next(iter(tried[lang]))
            zero[lang] = {}
            for name, adapter in (("core", CORE), ("nearest adapter", best)):
                names = [lang if tag == adapter else tag for tag in old]
                figures = heldout_losses(model, trained.config, before_place, names, [lang], alone)
                zero[lang][name] = figures["languages"][lang]["bits_per_byte"]
        start_hash, languages = _grow(trained, recipe, place, new, starts, folder)
        changed = _changed(plan, trained, recipe, place, languages, start_hash, folder)
        if settings.mode == "open" and (settings.l2_sp or settings.ewc):
            changed = _anchored(changed, trained, place, settings, folder, alone, progress)
    known = read_snapshot(place.root, place.snapshot).languages
    fertility = {
        lang: {name: known[lang].fertility.get(name) for name in dict.fromkeys((trained.tokenizer, place.tokenizer))}
        for lang in new
    }
    return {
        "plan": plan.described(trained.checkpoint),
        "run": plan.run,
        "old": old,
        "new": new,
        "mode": settings.mode,
        "replay": settings.replayed(),
        "start": {lang: list(chosen) or ["core"] for lang, chosen in starts.items()},
        "losses_by_adapter": {
            lang: {tag or "core": loss for tag, loss in list(found.items())} for lang, found in tried.items()
        },
        "heldout": {"corpus": place.root, "snapshot": place.snapshot, "tokenizer": place.tokenizer},
        "vocabulary": {"before": trained.vocabulary, "after": trained.vocabulary + len(place.replaced)},
        "fertility": fertility,
        "old_parameters": digest(trained.tensors),
        "before": before,
        "before_new": zero,
    }, changed


def _start(settings: AddLanguageConfig, tried: dict[str, float]) -> tuple[str, ...]:
    from trainer.continual.measure import nearest

    if settings.start == "nearest":
        return nearest(tried, settings.nearest)
    return settings.relatives if settings.start == "relatives" else ()


def _grow(
    trained: Trained,
    recipe: Recipe,
    place: Joined,
    new: list[str],
    starts: dict[str, tuple[str, ...]],
    folder: Path,
) -> tuple[str, tuple[str, ...]]:
    """Write the grown weights; their hash, and the languages in the new order."""
    import torch
    from safetensors.torch import save_file

    from corpus.hashing import stable_hash
    from trainer.build import build_model
    from trainer.continual.grow import grow

    languages = tuple(sorted({*trained.languages, *new}))
    known = read_snapshot(place.root, place.snapshot).languages
    tokens = [known[lang].tokens.get(place.tokenizer, 1) for lang in languages]
    torch.manual_seed(stable_hash("weights", recipe.seed) >> 1)
    vocabulary = trained.vocabulary + len(place.replaced)
    model = build_model(
        trained.config.model,
        vocabulary,
        len(languages),
        tokens,
        objective=trained.config.objective.kind,
        described=trained.state.get("base"),
    )
    rows = None
    if place.replaced:
        table = trained.tensors["embedding.weight"]
        rows = torch.stack([table[torch.tensor(ids)].mean(dim=0) for ids in place.replaced])
    grow(trained.tensors, model, trained.languages, languages, starts, rows)
    partial = folder / (START + ".part")
    save_file(model.state_dict(), partial)
    partial.replace(folder / START)
    return file_hash(folder / START), languages


def _changed(
    plan: Plan,
    trained: Trained,
    recipe: Recipe,
    place: Joined,
    languages: tuple[str, ...],
    start_hash: str,
    folder: Path,
) -> Recipe:
    """The new run's recipe: the languages' shares, the length, and what may move."""
    settings, replay = plan.settings, plan.settings.replayed()
    shares = {lang: (1 - replay) / len(settings.languages) for lang in settings.languages}
    if replay:
        shares |= {lang: replay * share for lang, share in _old_shares(trained, place).items() if share}
    row_tokens = recipe.sampler.row_tokens
    if row_tokens != trained.row_tokens:
        raise ConfigurationError(
            f"sampler.row_tokens is {row_tokens}, the old run's was {trained.row_tokens}", "Leave it as it was"
        )
    sampler = {
        **resolved(recipe)["sampler"],
        "mixture": shares,
        "languages": list(languages),
        "stages": [],
        "feedback": {},
        "floor": 0.0,
        "max_repeats": None,
        "budget_tokens": None,
    }
    train = {
        **resolved(recipe)["train"],
        "continual": {
            "weights": START,
            "hash": start_hash,
            "old": trained.languages,
            "old_vocabulary": trained.vocabulary,
            "mode": settings.mode,
            "blocks": settings.blocks,
            "rate": settings.rate,
            "adapters": settings.adapters,
        },
    }
    if settings.steps is not None:
        train |= {"steps": settings.steps, "tokens": None}
    elif recipe.train.steps == trained.config.steps and recipe.train.tokens == trained.config.tokens:
        known = read_snapshot(place.root, place.snapshot).languages
        text = sum(known[lang].tokens[place.tokenizer] for lang in settings.languages)
        wanted = math.ceil(_PASSES * text / (1 - replay) / (recipe.train.rows * row_tokens))
        train |= {"steps": max(1, min(wanted, trained.config.total_steps(row_tokens))), "tokens": None}
    return Recipe.model_validate(
        {
            **resolved(recipe),
            "corpus": place.root,
            "run": str(folder),
            "sampler": sampler,
            "train": train,
            "tokenizer": {**resolved(recipe)["tokenizer"], "name": place.tokenizer},
        }
    )


def _old_shares(trained: Trained, place: Joined) -> dict[str, float]:
    """The mixture of the old languages: the old run's last one, or by their sizes where that run had other aims."""
    if trained.config.continual is None:
        return trained.shares()
    known = read_snapshot(place.root, place.snapshot).languages
    sizes = {lang: float(known[lang].tokens[trained.tokenizer]) for lang in trained.languages}
    return temperature(sizes, SamplerConfig().alpha)


def _anchored(
    recipe: Recipe,
    trained: Trained,
    place: Joined,
    settings: AddLanguageConfig,
    folder: Path,
    alone: World,
    progress: Progress | None,
) -> Recipe:
    """Write the old weights, with their Fisher information where asked for, and add the penalties on leaving them."""
    from safetensors.torch import load_file

    from trainer.continual.anchor import Anchor, write_anchor

    languages = list(recipe.sampler.languages or ())
    start = load_file(folder / START)
    model = trained.model().to(alone.device)
    weights, rows, fisher = old_weights(model, start, languages, trained)
    estimated: dict[str, Any] = {}
    if settings.ewc:
        estimated = _fisher(model, recipe, trained, place, settings.fisher_rows, alone, progress)
    digest = write_anchor(
        folder / ANCHOR, Anchor(weights, rows, {name: estimated[name] for name in fisher if estimated})
    )
    options = {"reference": str((folder / ANCHOR).resolve()), "hash": digest}
    added = [
        {"name": name, "strength": strength, "options": options}
        for name, strength in (("l2_sp", settings.l2_sp), ("ewc", settings.ewc))
        if strength
    ]
    train = resolved(recipe)["train"]
    kept = [entry for entry in train["regularisers"] if entry["name"] not in ("l2_sp", "ewc")]
    return Recipe.model_validate({**resolved(recipe), "train": {**train, "regularisers": [*kept, *added]}})


def old_weights(
    model: LanguageModel, start: dict[str, Any], languages: list[str], trained: Trained
) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """The old parameters by name, the rows of the grown model that they are, and their names."""
    import torch

    from trainer.optimiser.own_rows import language_rows

    stacked = language_rows(model)
    weights, rows = {}, {}
    for name, value in model.named_parameters():
        if not value.requires_grad:
            continue
        weights[name] = value.detach()
        if name in stacked:
            rows[name] = torch.tensor([languages.index(lang) for lang in trained.languages])
        elif len(start[name]) != len(value):
            rows[name] = torch.arange(len(value))
    return weights, rows, list(weights)


def _fisher(
    model: LanguageModel,
    recipe: Recipe,
    trained: Trained,
    place: Joined,
    rows: int,
    alone: World,
    progress: Progress | None,
) -> dict[str, Any]:
    from sampler.stream import CurriculumStream
    from trainer.continual.fisher import diagonal

    shares = {lang: share for lang, share in _old_shares(trained, place).items() if share}
    sampler = recipe.sampler.model_copy(
        update={"mixture": shares, "languages": tuple(trained.languages), "budget_tokens": None}
    )
    stream = CurriculumStream(
        place.root, tokenizer=trained.tokenizer, config=sampler, seed=recipe.seed, snapshot=place.snapshot
    )
    return diagonal(
        model,
        stream,
        trained.config.objective,
        known=trained.languages,
        mask_id=stream.corpus.special("mask"),
        rows=rows,
        device=alone.device,
        progress=progress,
    )
