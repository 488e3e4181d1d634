"""Near duplicates among what is left after exact ones: verified pairs, their components, what stays of each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.deduplicate.bands import bands_and_rows, curve
from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.earlier.documents import EarlierPart
from pipeline.earlier.filter import NewKeys
from pipeline.prepare.context import Context
from pipeline.prepare.decisions import Decisions
from pipeline.prepare.read import Reading
from pipeline.work import json_files

LINKS_AT_ONCE = 4_000_000
"""Verified pairs whose components one worker finds by itself: about 1 GiB while it does."""
ROUNDS_AT_ONCE = 4
"""Rounds of the search for components in one job; where they do not suffice, another job goes on."""


def near_duplicates(
    context: Context,
    decisions: Decisions,
    reading: Reading,
    earlier: Sequence[EarlierPart],
    keys: NewKeys | None,
) -> dict[str, Any]:
    """Write the last decisions on every piece.

    Args:
        context: of the run.
        decisions: those on exact duplicates, to go on with.
        reading: the staged pieces.
        earlier: documents that are compared as well, and stay.
        keys: of the documents of this run; needed where there are earlier ones.

    Returns:
        the account, see ``near_account``.
    """
    from pipeline.graphs.components import components_job
    from pipeline.graphs.near import near_job
    from pipeline.graphs.near_task import NearTask
    from pipeline.graphs.settle import settle_job

    work, jobs, near, folder = context.work, context.jobs, context.config.deduplicate.near, decisions.folder
    names = tuple(piece.name for piece in reading.pieces)
    task = NearTask(context.work_url, folder, names, near, tuple(earlier), keys)
    if not decisions.is_done("links"):
        with jobs.step("near duplicates (pieces)", context.files_in(f"{folder}/links", ".json", len(names))):
            jobs.run(near_job(task), reading.rows)
        decisions.mark_done("links")
    links = [account for _, account in json_files(work, f"{folder}/links")]
    total = sum(account["links"] for account in links)
    partitions = 1 + total // LINKS_AT_ONCE
    labels, rounds = None, 0
    while partitions > 1:
        left = f"{folder}/rounds/{rounds + ROUNDS_AT_ONCE:03d}.json"
        if not work.exists(left):
            with jobs.step("clusters (links)", lambda: (0, total)):
                jobs.run(components_job(task, partitions, ROUNDS_AT_ONCE, rounds))
        rounds += ROUNDS_AT_ONCE
        labels = f"labels-{rounds:03d}"
        if json.loads(work.read_bytes(left)) == 0:
            break
    if not work.exists(f"{folder}/sketches.json"):
        done = context.files_in(decisions.final, ".arrow", len(names))
        with jobs.step("what stays of duplicates (pieces)", done):
            jobs.run(settle_job(task, partitions, labels, context.config, context.seed), reading.rows)
    unsettled = [count for _, count in json_files(work, f"{folder}/rounds")]
    clusters = [account for _, account in json_files(work, f"{folder}/clusters")]
    return near_account(near, links, clusters, unsettled)


def near_account(
    config: NearDuplicateConfig,
    links: Sequence[Mapping[str, int]],
    clusters: Sequence[Mapping[str, int]],
    unsettled: Sequence[int],
) -> dict[str, Any]:
    """What the search for near duplicates looked for, by which curve, and what it found.

    Args:
        config: settings.
        links: accounts of the verified pairs, by piece.
        clusters: accounts of the clusters, by partition.
        unsettled: nodes not yet pointing to the least of their component, before each round and after the last;
            empty where one worker held all links.
    """
    bands, rows = bands_and_rows(config)
    found = {name: sum(account[name] for account in clusters) for name in ("clusters", "documents", "removed")}
    return {
        "jaccard": config.jaccard,
        "containment": config.containment,
        "own_text": config.own_text,
        "bands": bands,
        "rows": rows,
        "curve": curve(bands, rows),
        "candidates": sum(account["candidates"] for account in links),
        "links": sum(account["links"] for account in links),
        **found,
        "largest_cluster": max((account["largest"] for account in clusters), default=0),
        "checked_again": sum(account["checked_again"] for account in clusters),
        "unsettled_by_round": list(unsettled),
    }
