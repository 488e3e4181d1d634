"""Several processes under torchrun read one global order, over a kill and changes of their number."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import xxhash

from sampler import CurriculumStream, SamplerConfig

pytest.importorskip("torch", reason="torch is not installed")

CONFIG = SamplerConfig(row_tokens=64, block_rows=16, mixture="temperature")
ROWS = 4
READER = """
    import json, os, signal, sys
    from pathlib import Path
    import torch, torch.distributed as dist, xxhash
    from torch.utils.data import DataLoader
    from sampler import SamplerConfig
    from sampler.torch import RowDataset

    corpus, folder, config, name, steps, killed_at, workers = sys.argv[1:]
    folder, steps, killed_at = Path(folder), int(steps), int(killed_at)
    dist.init_process_group("gloo")
    rank, world = dist.get_rank(), dist.get_world_size()
    data = RowDataset(corpus, tokenizer="spm", config=SamplerConfig.model_validate_json(config), seed=3,
                      batch_rows=4, rank=rank, world=world)
    saved = folder / "state.json"
    if saved.exists():
        data.load_state_dict(json.loads(saved.read_text()))
    with (folder / f"{name}-{rank}.jsonl").open("w") as log:
        for step, batch in enumerate(DataLoader(data, batch_size=None, num_workers=int(workers)), start=1):
            first = batch["next_row"] - 4 * world + 4 * rank
            for place, row in enumerate(batch["tokens"].numpy()):
                print(json.dumps([first + place, xxhash.xxh3_64_hexdigest(row.tobytes())]), file=log, flush=True)
            if step == killed_at and rank == world - 1:
                os.kill(os.getpid(), signal.SIGKILL)
            dist.all_reduce(torch.ones(1))
            if step % 3 == 0 and rank == 0:
                partial = saved.with_suffix(".part")
                partial.write_text(json.dumps(data.state_dict(batch["next_row"])))
                partial.replace(saved)
            if step == steps:
                break
    dist.barrier()
    dist.destroy_process_group()
"""


def read(script: Path, corpus: str, folder: Path, name: str, *, ranks: int, steps: int, killed_at: int = 0) -> int:
    """Run the ranks; their exit code."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}", "--"]
    done = subprocess.run(
        [*launch, str(script), corpus, str(folder), CONFIG.model_dump_json(), name, str(steps), str(killed_at), "1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )
    if not killed_at:
        assert done.returncode == 0, done.stderr
    return done.returncode


def rows_of(folder: Path, name: str) -> dict[int, str]:
    """What all ranks of one run read, by global row; no row is read twice."""
    found: dict[int, str] = {}
    for path in sorted(folder.glob(f"{name}-*.jsonl")):
        for line in path.read_text().splitlines():
            row, digest = json.loads(line)
            assert row not in found
            found[row] = digest
    return found


@pytest.mark.slow
def test_ranks_read_the_global_order_over_a_kill_and_under_other_numbers(made_up: Any, tmp_path: Path) -> None:
    corpus = made_up.corpus(tmp_path / "corpus", {"aaa_Latn": [70, 11, 130] * 60, "bbb_Cyrl": [50, 9] * 20})
    stream = CurriculumStream(corpus, tokenizer="spm", config=CONFIG, seed=3)
    expected = [xxhash.xxh3_64_hexdigest(row.tobytes()) for row in stream.rows(range(200)).tokens]
    script = tmp_path / "reader.py"
    script.write_text(textwrap.dedent(READER))

    assert read(script, corpus, tmp_path, "two", ranks=2, steps=99, killed_at=8) != 0
    two = rows_of(tmp_path, "two")
    assert sorted(two)[: 7 * 2 * ROWS] == list(range(7 * 2 * ROWS))
    assert json.loads((tmp_path / "state.json").read_text())["start"] == 6 * 2 * ROWS

    read(script, corpus, tmp_path, "one", ranks=1, steps=3)
    one = rows_of(tmp_path, "one")
    assert list(one) == list(range(48, 60))

    read(script, corpus, tmp_path, "three", ranks=3, steps=6)
    three = rows_of(tmp_path, "three")
    assert sorted(three) == list(range(60, 60 + 6 * 3 * ROWS))

    for part in (two, one, three):
        assert all(digest == expected[row] for row, digest in part.items())
