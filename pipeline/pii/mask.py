"""Finding personal data in one text and masking it."""

from __future__ import annotations

import re
from collections.abc import Callable

from pipeline.pii import checks
from pipeline.pii.config import PiiConfig

_EMAIL = re.compile(r"[\w.%+'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w@])")
_FILE_ENDING = re.compile(r"png|jpe?g|gif|svg|webp|ico|bmp|css|m?js|tsx?|jsx|json|html|md|py|exe|zip", re.IGNORECASE)
_MACHINE_ACCOUNTS = frozenset({"git", "svn", "hg"})
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,32}")
_CARD = re.compile(r"(?<![\w.+-])\d(?:[ -]?\d){11,18}(?![\w-]|\.\d)")
_INTERNATIONAL = re.compile(
    r"(?<![\w.])(?:\+|00(?=[1-9]))\d{1,3}(?:[\s.()/\-\u2010-\u2015]{0,3}\d){6,13}(?![\w-]|\.\d)"
)
_NORTH_AMERICAN = re.compile(
    r"(?<![\w.+/-])(?:1[-. ])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-.])[2-9]?\d\d[-. ]\d{4}(?![\w-]|\.\d)"
)
_ANNOUNCED = re.compile(
    r"(?i:\b(?:tel|telefon\w*|tél\w*|teléfono|telefone|phone|fax|mobile?|mobil|handy|cell|whatsapp|puhelin|simu|telepon"
    r"|тел|телефон\w*|факс|τηλ|هاتف|تلفن|फ़ोन|फोन|電話|电话|전화)\b\.?\s{0,2}(?:no\.?|nr\.?|number)?\s?[:：.]?\s{0,2})"
    r"(\(?\d(?:[\s.()/\-\u2010-\u2015]{0,2}\d){6,14})(?![\w-]|\.\d)"
)
_IPV4 = re.compile(r"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)")
_VERSION = re.compile(r"(?i:(?:\bv|version|ver|release|rev|build|firmware|§|section|chapter)\s*[:.]?\s*)$")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4})?(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])")


def mask(text: str, config: PiiConfig) -> tuple[str, dict[str, int]]:
    """The text with personal data replaced, and how often each kind was.

    Longer forms come first: the digits of an account must not be taken for a card or a phone.
    """
    found: dict[str, int] = {}
    for kind, mask_kind in _KINDS:
        placeholder: str | None = getattr(config, kind)
        if placeholder is not None:
            text, count = mask_kind(text, placeholder)
            if count:
                found[kind] = count
    return text, found


def _substitute(
    pattern: re.Pattern[str], text: str, placeholder: str, check: Callable[[re.Match[str]], bool], group: int = 0
) -> tuple[str, int]:
    parts, done, count = [], 0, 0
    for match in pattern.finditer(text):
        if check(match):
            parts += [text[done : match.start(group)], placeholder]
            done = match.end(group)
            count += 1
    return ("".join([*parts, text[done:]]), count) if count else (text, 0)


def _email(text: str, placeholder: str) -> tuple[str, int]:
    if "@" not in text:
        return text, 0
    return _substitute(_EMAIL, text, placeholder, _is_email)


def _is_email(match: re.Match[str]) -> bool:
    """Neither an account of a machine (`git@host`) nor a file's name (`icon@2x.png`)."""
    local, _, domain = match[0].partition("@")
    return local.lower() not in _MACHINE_ACCOUNTS and not _FILE_ENDING.fullmatch(domain.rpartition(".")[2])


def _iban(text: str, placeholder: str) -> tuple[str, int]:
    parts, done, count = [], 0, 0
    for match in _IBAN.finditer(text):
        length = checks.iban_span(match[0])
        if length is not None and not text[match.start() + length : match.start() + length + 1].isalnum():
            parts += [text[done : match.start()], placeholder]
            done = match.start() + length
            count += 1
    return "".join([*parts, text[done:]]), count


def _card(text: str, placeholder: str) -> tuple[str, int]:
    return _substitute(_CARD, text, placeholder, lambda match: checks.is_card(match[0]))


def _phone(text: str, placeholder: str) -> tuple[str, int]:
    total = 0
    for pattern, group in ((_INTERNATIONAL, 0), (_ANNOUNCED, 1), (_NORTH_AMERICAN, 0)):
        text, count = _substitute(pattern, text, placeholder, _is_phone, group)
        total += count
    return text, total


def _is_phone(match: re.Match[str]) -> bool:
    return checks.is_phone(match[match.lastindex or 0])


def _ip(text: str, placeholder: str) -> tuple[str, int]:
    text, four = _substitute(
        _IPV4,
        text,
        placeholder,
        lambda match: (
            checks.is_public_ipv4(match[0])
            and not _VERSION.search(match.string, max(match.start() - 20, 0), match.start())
        ),
    )
    if text.count(":") < 3:
        return text, four
    text, six = _substitute(_IPV6, text, placeholder, lambda match: checks.is_public_ipv6(match[0]))
    return text, four + six


_KINDS: tuple[tuple[str, Callable[[str, str], tuple[str, int]]], ...] = (
    ("email", _email),
    ("iban", _iban),
    ("card", _card),
    ("phone", _phone),
    ("ip", _ip),
)
