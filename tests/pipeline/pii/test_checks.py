"""Check digits and ranges."""

from __future__ import annotations

import pytest

from pipeline.pii import checks


@pytest.mark.parametrize(
    "number", ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005", "6011111111111117"]
)
def test_cards(number: str) -> None:
    assert checks.is_card(number)


@pytest.mark.parametrize(
    "number",
    ["4111 1111 1111 1112", "9780306406157", "978-3-16-148410-0", "0000 0000 0000 0000", "1234567812345670"],
)
def test_no_cards(number: str) -> None:
    assert not checks.is_card(number)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("DE89 3704 0044 0532 0130 00", 27),
        ("GB29NWBK60161331926819", 22),
        ("DE89 3704 0044 0532 0130 00 BIC", 27),
        ("DE88 3704 0044 0532 0130 00", None),
        ("XX89 3704 0044 0532 0130 00", None),
        ("DE89 3704", None),
    ],
)
def test_iban_span(text: str, length: int | None) -> None:
    assert checks.iban_span(text) == length


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("93.184.216.34", True),
        ("192.0.2.145", True),
        ("192.168.1.1", False),
        ("10.0.0.1", False),
        ("127.0.0.1", False),
        ("1.2.3.4", False),
        ("300.1.1.1", False),
    ],
)
def test_ipv4(text: str, public: bool) -> None:
    assert checks.is_public_ipv4(text) is public


@pytest.mark.parametrize(
    ("text", "public"),
    [("2001:db8::8a2e:370:7334", True), ("fe80::1:2:3", False), ("::1", False), ("a::b", False), ("12:30:45", False)],
)
def test_ipv6(text: str, public: bool) -> None:
    assert checks.is_public_ipv6(text) is public


@pytest.mark.parametrize(("text", "phone"), [("+49 30 123456", True), ("2024-01-31", False), ("0000000", False)])
def test_phone(text: str, phone: bool) -> None:
    assert checks.is_phone(text) is phone
