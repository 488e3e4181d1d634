"""The example that attaches adapters to an XLM-R runs on its made-up model."""

from __future__ import annotations

import importlib.util
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "attach_to_xlmr.py"


def test_trains_exports_and_loads(tiny_corpus: str, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("attach_to_xlmr", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    losses = module.main([tiny_corpus, "--tokenizer", "bytes", "--output", str(tmp_path), "--steps", "2"])
    assert sorted(losses) == ["ell_Grek", "eng_Latn", "swh_Latn"]
    assert all(2 < loss < 9 for loss in losses.values())
    assert len(set(losses.values())) == 3
