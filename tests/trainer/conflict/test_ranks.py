from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from tests.trainer.conflict.test_measure import CONFLICT, SETTINGS, run, weights

SCRIPT = """
    import sys
    from sampler.config import SamplerConfig
    from trainer.config import TrainConfig
    from trainer.loop import train

    corpus, folder, settings = sys.argv[1:]
    train(corpus, folder, TrainConfig.model_validate_json(settings),
          SamplerConfig(row_tokens=32, block_rows=8, mixture="uniform"), tokenizer="bytes", seed=0)
"""


@pytest.mark.slow
def test_two_processes_measure_and_operate_as_one_does(tiny_corpus: str, tmp_path: Path) -> None:
    surgery = {"kind": "gradvac", "groups": {"by": "language"}, "every": 2}
    more = {"conflict": CONFLICT, "surgery": surgery}
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    done = subprocess.run(
        [*command, tiny_corpus, str(tmp_path / "two"), json.dumps({**SETTINGS, **more})],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    run(tiny_corpus, tmp_path / "one", **more)
    for file in ("model", "methods"):
        one, two = weights(tmp_path / "one", file), weights(tmp_path / "two", file)
        for name, value in one.items():
            torch.testing.assert_close(two[name], value, atol=1e-4, rtol=1e-3)
