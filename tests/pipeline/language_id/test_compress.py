from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import EvenglotError
from pipeline.language_id.compress import refit_output


def test_refitting_lowers_the_loss_and_keeps_the_rest(tmp_path: Path, foreign_lines: list[str]) -> None:
    import fasttext

    lines = tmp_path / "lines.txt"
    lines.write_text("\n".join(foreign_lines) + "\n", encoding="utf-8")
    model = fasttext.train_supervised(
        str(lines), dim=8, epoch=6, lr=0.3, minn=1, maxn=3, bucket=2_000, thread=1, verbose=0
    )
    model.quantize(qnorm=True, dsub=4, thread=1)
    path = tmp_path / "small.ftz"
    model.save_model(str(path))
    before = path.read_bytes()
    loss_before = _loss(path, foreign_lines)
    refit_output(path, foreign_lines, epochs=20, rate=0.3, batch=16)
    after = path.read_bytes()
    tail = 4 * 8 * 4
    assert len(before) == len(after)
    assert before[:-tail] == after[:-tail]
    assert before[-tail:] != after[-tail:]
    assert _loss(path, foreign_lines) < 0.5 * loss_before
    again = tmp_path / "again.ftz"
    again.write_bytes(before)
    refit_output(again, foreign_lines, epochs=20, rate=0.3, batch=16)
    assert again.read_bytes() == after


def test_a_model_with_another_end_is_refused(tmp_path: Path, foreign_model: Path, foreign_lines: list[str]) -> None:
    path = tmp_path / "padded.bin"
    path.write_bytes(foreign_model.read_bytes() + b"\0" * 12)
    with pytest.raises(EvenglotError, match="does not end in a dense output matrix"):
        refit_output(path, foreign_lines)


def _loss(path: Path, lines: list[str]) -> float:
    import fasttext

    model = fasttext.load_model(str(path))
    total = 0.0
    for line in lines:
        label, text = line.split(" ", 1)
        labels, probabilities = model.predict(text, k=-1)
        total += 1.0 - float(dict(zip(labels, probabilities, strict=True)).get(label, 0.0))
    return total / len(lines)
