from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.deduplicate.sign import SignStage, near_columns

LONG = " ".join(f"w{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(400))


def sign(*texts: str, **settings: object) -> pa.RecordBatch:
    batch = pa.RecordBatch.from_pydict({"text": pa.array(texts, pa.string())})
    return SignStage(NearDuplicateConfig.model_validate(settings))(batch).kept


def bands(batch: pa.RecordBatch) -> list[list[int] | None]:
    return [None if packed is None else np.frombuffer(packed, "<u8").tolist() for packed in batch["bands"].to_pylist()]


def test_columns() -> None:
    signed = sign(LONG, "ένα δύο", "...", LONG.upper() + "!", bands=3, rows=2)
    assert signed.schema.names == ["text", "text_key", "n_bytes", "bands", "sampled"]
    assert signed["n_bytes"].to_pylist() == [len(LONG), 13, 3, len(LONG) + 1]
    found = bands(signed)
    assert [None if keys is None else len(keys) for keys in found] == [3, 3, None, 3]
    assert found[0] == found[3]
    assert found[0] != found[1]
    sampled = signed["sampled"].to_pylist()
    assert [len(keys) for keys in sampled] == [len(sampled[0]), 0, 0, len(sampled[0])]
    assert 20 < len(sampled[0]) < 50
    assert sampled[0] == sampled[3]
    assert signed["text_key"][0] != signed["text_key"][3]


def test_switched_off_only_the_exact_key_is_made() -> None:
    assert sign(LONG, enabled=False).schema.names == ["text", "text_key", "n_bytes"]


def test_no_rows_have_the_same_columns() -> None:
    assert sign().schema == sign(LONG).schema


def test_rows_do_not_depend_on_each_other() -> None:
    config = NearDuplicateConfig()
    texts = [f"{LONG} {letter * 9}" for letter in "abcdefgh"]
    together = near_columns(pa.array(texts), config)
    alone = [near_columns(pa.array([text]), config) for text in texts]
    for column in (0, 1):
        assert together[column].to_pylist() == [one[column][0].as_py() for one in alone]
