"""Is a string of the right form really a card, an account, an address of a machine, a phone?

A form alone would mask ISBNs, dates and version numbers; check digits and address ranges leave few of those.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

_SEPARATORS = re.compile(r"[\s.()/\-\u2010-\u2015]+")


def digits(text: str) -> str:
    """The text without what may stand between groups of digits; digits of any script become ASCII."""
    return "".join(str(int(char)) if char.isdecimal() else char for char in _SEPARATORS.sub("", text))


def luhn(number: str) -> bool:
    """The check digit of ISO/IEC 7812: every second digit from the right doubled, digit sums, divisible by ten."""
    total = 0
    for place, digit in enumerate(map(int, reversed(number))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


_ISSUERS: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|(?:6011|65\d\d|64[4-9]\d)\d{12}"  # Discover
    r"|62\d{14,17}"  # UnionPay
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    r"|3(?:0[0-5]|[68]\d)\d{11}"  # Diners Club
    r"|220[0-4]\d{12}"  # Mir
)


def is_card(text: str) -> bool:
    """A number of a known issuer with a right check digit, and not one digit throughout."""
    number = digits(text)
    return bool(_ISSUERS.fullmatch(number)) and len(set(number)) > 1 and luhn(number)


IBAN_LENGTHS: Final[dict[str, int]] = {
    name: int(length)
    for name, length in re.findall(
        r"([A-Z]{2})(\d\d)",
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22"
        "GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19"
        "MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24"
        "TR26UA29VA22VG24XK20YE30",
    )
}
"""Characters of an IBAN by country (ISO 13616 registry)."""


def iban_span(text: str) -> int | None:
    """Length of the IBAN that a text begins with, blanks counted; None where there is none."""
    wanted = IBAN_LENGTHS.get(text[:2])
    if wanted is None:
        return None
    seen = ""
    for place, char in enumerate(text):
        if char != " ":
            seen += char
        if len(seen) == wanted:
            value = int("".join(str(int(symbol, 36)) for symbol in seen[4:] + seen[:4]))
            return place + 1 if value % 97 == 1 else None
    return None


def is_phone(text: str) -> bool:
    """Eight to fifteen digits (E.164), not all the same and no date such as 2024-01-31."""
    number = digits(text).lstrip("+")
    return number.isdecimal() and 7 <= len(number) <= 15 and len(set(number)) > 2 and not _DATE.fullmatch(text.strip())


_DATE = re.compile(r"(?:1\d|20)\d\d[-./ ]\d\d?[-./ ]\d\d?|\d\d?[-./ ]\d\d?[-./ ](?:1\d|20)\d\d")


def is_public_ipv4(text: str) -> bool:
    """An address that could lead to someone: private, local, multicast and reserved ranges cannot."""
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    # 0.0.0.0 to 9.9.9.9 are chapters and versions far more often than machines.
    return not any(address in network for network in _LOCAL_V4) and max(address.packed) > 9


_LOCAL_RANGES = "0.0.0.0/8 10.0.0.0/8 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 224.0.0.0/3"
_LOCAL_V4 = [ipaddress.IPv4Network(network) for network in _LOCAL_RANGES.split()]


def is_public_ipv6(text: str) -> bool:
    """The same for IPv6; names of programs such as ``a::b`` have too few groups."""
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    groups = [group for group in text.split(":") if group]
    local = address.is_link_local or address.is_loopback or address.is_multicast or address in _UNIQUE_LOCAL
    return len(groups) >= 3 and any(char.isdigit() for char in text) and not local


_UNIQUE_LOCAL = ipaddress.IPv6Network("fc00::/7")
