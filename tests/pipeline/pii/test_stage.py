"""Masking: what goes, what must survive, and the planted cases of the development corpus."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.pii.config import PiiConfig
from pipeline.pii.mask import mask
from pipeline.pii.stage import MaskPiiStage

ON = PiiConfig(enabled=True)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to olga.wei88@mail.example today", "Write to <EMAIL> today"),
        ("пишите на анна@почта.example.", "пишите на <EMAIL>."),
        ("Contact: +91 555 0174 521", "Contact: <PHONE>"),
        ("call (212) 555-0187 or 212-555-0188", "call <PHONE> or <PHONE>"),
        ("Puhelin 09 1234 5678", "Puhelin <PHONE>"),
        ("شماره تلفن: ۰۲۱۸۸۷۷۶۶۵۵ است", "شماره تلفن: <PHONE> است"),
        ("IP 192.0.2.145, 2001:db8::8a2e:370:7334", "IP <IP>, <IP>"),
        ("card 4111 1111 1111 1111!", "card <CARD>!"),
        ("DE89 3704 0044 0532 0130 00 und", "<IBAN> und"),
    ],
)
def test_masked(text: str, masked: str) -> None:
    assert mask(text, ON)[0] == masked


@pytest.mark.parametrize(
    "text",
    [
        "In 1984 and 2024, from 1914-1918",
        "on 2024-01-31 at 12:30:45, 31.12.1999",
        "ISBN 978-3-16-148410-0 and 0-306-40615-2",
        "version 93.184.216.34 of the software",
        "Section 1.2.3.4 and v10.15.7.1",
        "localhost 127.0.0.1 and 192.168.0.1, 10.0.0.7",
        "std::vector, a::b, ::1",
        "icon@2x.png, git@host.example:repo, @handle",
        "1,234,567.89 and 100000000 and 12 345 678",
        "the number 4111 1111 1111 1112",
    ],
)
def test_survives(text: str) -> None:
    assert mask(text, ON) == (text, {})


def test_stage_counts_and_keeps_the_rest() -> None:
    batch = pa.record_batch({"text": ["a@b.example and c@d.example", "nothing", "192.0.2.8"], "key": ["1", "2", "3"]})
    outcome = MaskPiiStage()(batch)
    assert outcome.kept.to_pydict() == {"text": ["<EMAIL> and <EMAIL>", "nothing", "<IP>"], "key": ["1", "2", "3"]}
    assert outcome.counters == {"masked/documents": 2, "masked/email": 2, "masked/ip": 1}
    assert outcome.rejected is None


def test_placeholders_and_kinds_can_be_set() -> None:
    batch = pa.record_batch({"text": ["a@b.example 192.0.2.8"]})
    config = PiiConfig(enabled=True, email="[mail]", ip=None)
    assert MaskPiiStage(config)(batch).kept.column("text").to_pylist() == ["[mail] 192.0.2.8"]
    assert MaskPiiStage(PiiConfig())(batch).kept.equals(batch)
    assert MaskPiiStage()(batch.slice(0, 0)).kept.num_rows == 0


PARTS = (
    "a@b.example",
    "192.0.2.8",
    "2001:db8::8a2e:370:7334",
    "+49 30 123456",
    "4111111111111111",
    "DE89370400440532013000",
    "tel: 030 1234567",
    "12:30",
    "1.2",
)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(
        st.lists(st.one_of(st.sampled_from(PARTS), st.text("0123456789.:+- @a\nज", max_size=8)), max_size=8), max_size=5
    )
)
def test_quick_look_overlooks_nothing(pieces: list[list[str]]) -> None:
    texts = [" ".join(parts) for parts in pieces]
    outcome = MaskPiiStage()(pa.record_batch({"text": pa.array(texts, pa.string())}))
    assert outcome.kept.column("text").to_pylist() == [mask(text, ON)[0] for text in texts]
