"""The training loop: a corpus in, a run directory out.

What decides the result is a function of the step's number: which rows (their global indices), which tokens are
hidden (a hash of those indices), the learning rate, the strengths, and the seed of whatever a layer may draw.
A checkpoint therefore holds weights, optimiser moments and counters, and a run that was killed goes on from it
to the same weights, to the last bit on the same machine.
"""

from __future__ import annotations

from pathlib import Path

import torch

from corpus.storage import write_errors
from sampler.config import SamplerConfig
from trainer.config import TrainConfig
from trainer.distributed import world
from trainer.reproducible import reproducible
from trainer.run import checkpoint as checkpoints
from trainer.run.outcome import Summary
from trainer.run.resume import clear
from trainer.run.session import Progress, Session
from trainer.run.signals import terminated


def train(
    corpus: str,
    run: str,
    config: TrainConfig,
    sampler: SamplerConfig,
    *,
    tokenizer: str,
    seed: int,
    resume: bool = True,
    stop_after: int | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Train a model on a corpus, or go on with a run that was stopped.

    Args:
        corpus: corpus root, path or URL, with token shards.
        run: the run's folder, local.
        config: the recipe's ``train`` section.
        sampler: the recipe's ``sampler`` section; its token budget is set to the run's unless it is given.
        tokenizer: name of the tokenizer in the corpus.
        seed: of initial weights, order of rows, and masks.
        resume: go on from the newest whole checkpoint; otherwise what training wrote into the folder before is
            removed and the run begins anew.
        stop_after: steps after which to save and return, even if the budget is not spent.
        progress: called with ``train``, steps done and steps in all.

    Returns:
        What was done. SIGTERM ends the run early after saving; ``finished`` is then false.

    Raises:
        CorpusError: there is no such corpus or tokenizer, or it is damaged.
        ConfigurationError: a checkpoint in the folder belongs to other settings.
        InputError: there are checkpoints, but all are damaged.
        TrainingError: too many steps in a row had no finite gradient.
    """
    folder = Path(run)
    processes = world(config.device, config.parallelism)
    if processes.leads:
        with write_errors(run):
            folder.mkdir(parents=True, exist_ok=True)
    processes.barrier()
    saved = checkpoints.newest(folder) if resume else None
    threads = saved.state["threads"] if saved else config.threads or torch.get_num_threads()
    with reproducible(threads), terminated() as stopping:
        # A run keeps to the snapshot that it began with, whatever was committed since.
        snapshot = saved.state["sampler"]["snapshot"] if saved else None
        session = Session(
            corpus,
            folder,
            config,
            sampler,
            tokenizer,
            seed,
            threads=threads,
            snapshot=snapshot,
            processes=processes,
            described=saved.state.get("base") if saved else None,
        )
        if saved is not None:
            session.restore(saved)
        if not resume:
            # Only now that the settings are known to fit: a mistyped recipe must not cost the old run.
            if processes.leads:
                with write_errors(run):
                    clear(folder)
            processes.barrier()
        return session.run(stop_after, stopping, progress)
