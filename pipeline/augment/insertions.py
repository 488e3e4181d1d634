"""Candidates of natural sentences that carry rare phenomena: no model makes them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from corpus.augmentation import PhenomenonCounts
from corpus.hashing import fingerprint
from corpus.manifest import ShardFile, Snapshot
from corpus.schema import TRAIN
from corpus.shards import read_table
from corpus.storage import Storage
from pipeline.augment.files import CANDIDATES
from pipeline.augment.plan import Plan
from pipeline.parents.budget import INSERTION
from pipeline.phenomena.account import PhenomenaAccount
from pipeline.phenomena.config import PhenomenaConfig
from pipeline.phenomena.make import after
from pipeline.prepare.context import Context


def insertions(context: Context, natural: Snapshot, plan: Plan, config: PhenomenaConfig) -> dict[str, str]:
    """Make the candidates of every language that has a budget for them; their files by language.

    Args:
        context: of the run.
        natural: snapshot whose training text is looked at; held-out shards are never opened.
        plan: budgets.
        config: which phenomena.
    """
    budgets = {lang: plan.budgets[lang].methods.get(INSERTION, 0) for lang in plan.targets}
    budgets = {lang: size for lang, size in budgets.items() if size and config.enabled}
    if not budgets:
        return {}
    from pipeline.graphs.phenomena import InsertionJob, ShardTask, insertions_job

    shards = {lang: natural.natural_text(lang=lang, split=TRAIN) for lang in sorted(budgets)}
    settings = config.model_dump(mode="json")
    files = {
        lang: f"{CANDIDATES}/{fingerprint([lang, budgets[lang], settings, [file.hash for file in some]])}.arrow"
        for lang, some in shards.items()
    }
    waiting = [lang for lang in files if not context.work.exists(files[lang])]

    def done() -> tuple[int, int]:
        return sum(context.work.exists(name) for name in files.values()), len(files)

    if waiting:
        tasks = [ShardTask(lang, file.path, number) for lang in waiting for number, file in enumerate(shards[lang])]
        job = InsertionJob(context.output, context.work_url, config, budgets, files)
        with context.jobs.step("rare phenomena (languages)", done):
            context.jobs.run(insertions_job(tasks, job))
    return files


def phenomena_of(
    work: Storage, files: Mapping[str, str], corpus: Storage, written: list[ShardFile]
) -> dict[str, dict[str, PhenomenonCounts]]:
    """How often phenomena stand in the text before and after, by language and kind, counted in what was kept.

    Args:
        work: where the accounts lie.
        files: of candidates, by language.
        corpus: where the shards lie.
        written: shards of synthetic text.
    """
    found = {}
    for lang, name in sorted(files.items()):
        account = PhenomenaAccount.model_validate(json.loads(work.read_bytes(f"{name}.json")))
        kept: list[str] = []
        for file in written:
            if file.kind == "text" and file.lang == lang:
                with corpus.local_copy(file.path) as path:
                    kept += read_table(path).column("provenance").to_pylist()
        added = {kind: counts.total() for kind, counts in after(kept).items()}
        found[lang] = {
            kind: one.model_copy(update={"after": one.before + added.get(kind, 0)})
            for kind, one in account.counts().items()
        }
    return found
