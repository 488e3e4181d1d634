"""Text without a language, made by rule: what a crawler finds where pages hold no prose.

Examples of ``zxx`` for training. Every example follows from its number and the seed.
"""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable, Iterator
from typing import Final

from corpus.hashing import stable_hash


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_LOREM: Final = _words(
    "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore "
    "magna aliqua ut enim ad minim veniam quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea commodo "
    "consequat duis aute irure dolor in reprehenderit in voluptate velit esse cillum dolore eu fugiat nulla "
    "pariatur excepteur sint occaecat cupidatat non proident sunt in culpa qui officia deserunt mollit anim id est "
    "laborum"
)
_WORDS: Final = _words(
    "get set add remove item value name data list index count size user id key node path file open close read write "
    "init parse load save update delete create handle event error message request response config option default "
    "buffer stream token result state view model render click button form input output image src width height color"
)
_KEYWORDS: Final = _words(
    "if else for while return function const let var def class import from public static void int string bool null "
    "true false try catch finally new this self async await export struct enum switch case break"
)
_TAGS: Final = _words("div span a p li ul td tr table img h1 h2 section nav script style br input")
_NAVIGATION: Final = _words(
    "home menu login logout register search about contact faq help cart news next prev previous back top all sitemap "
    "gallery archive rss share tweet like print admin ok cancel jobs weather sports all terms privacy shop account more"
)
_SYMBOLS: Final = "*<>#\\/)(~!|[]{}+=-_$%&?.,:;^@•·…★☆♥♦■□▪►→←↑↓│─┌┐└┘€£§°©®™√∞"
_TEMPLATES: Final = (
    "loading", "please wait", "under construction", "coming soon", "content coming soon", "page not found", "not found",
    "error", "access denied", "permission denied", "forbidden", "internal server error", "bad gateway", "untitled",
    "untitled document", "new page", "test page", "this page is a test", "this is a test", "test", "testing",
    "sample text", "placeholder", "placeholder text", "this page is a placeholder", "this page is under construction",
    "this page is intentionally left blank", "no content", "no results found", "no comments yet", "click here",
    "read more", "skip to content", "back to top", "please enable javascript", "javascript is required",
    "please enable cookies", "enable javascript to view this page", "your browser is not supported", "session expired",
    "redirecting", "you are being redirected", "checking your browser", "default page", "index of", "it works",
    "add your text here", "enter text here", "your text here", "title goes here", "insert text here", "todo", "n a",
    "site under maintenance", "we will be back soon", "service unavailable", "this content is not available",
)  # fmt: skip
_SPAM: Final = _words(
    "buy cheap free online best price discount sale offer deal coupon code promo bonus win cash loan credit payday "
    "mortgage insurance quote rates casino poker slots betting bingo pills pharmacy viagra cialis weight loss diet "
    "seo backlinks traffic followers likes views download torrent crack keygen serial full version hd stream "
    "streaming watch movie movies episode season mp3 converter hack cheats generator apk mod unlimited hotel hotels "
    "flights booking travel cheapest near me top review reviews rated ranking shop store replica watches shoes bags "
    "jewelry dating singles chat webcam sexy adult porn crypto bitcoin forex trading invest money fast easy "
    "guaranteed legit software license activation wholesale outlet clearance shipping delivery essay writing service "
    "plumber lawyer attorney dentist repair rental used cars tickets gift card giveaway vpn hosting domain wordpress "
    "theme plugin template new latest original official site website no deposit instant approval bad"
)
_LONG_TEMPLATES: Final = 0.4
"""Share of the page-template examples that hold several phrases."""
_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "asdfjkl", "qwertzuiop", "azertyuiop")
_UNITS: Final = _words("kg km cm mm ml kb mb gb px pt hz khz mhz usd eur am pm utc gmt")


def examples(count: int, seed: int = 0) -> Iterator[str]:
    """``count`` texts, the kinds in turn: 40 to 240 characters, of page templates sometimes one phrase alone."""
    for number in range(count):
        chance = random.Random(stable_hash("language-id-noise", number, seed=seed))  # noqa: S311 - no secrets here
        kind = _KINDS[number % len(_KINDS)]
        size = chance.randrange(40, 240) if kind is not _template or chance.random() < _LONG_TEMPLATES else 1
        pieces: list[str] = []
        while sum(map(len, pieces)) + len(pieces) < size:
            pieces.append(kind(chance))
        yield " ".join(pieces)[: max(size, len(pieces[0]))]


def _identifier(chance: random.Random) -> str:
    words = chance.choices(_WORDS, k=chance.randrange(1, 4))
    style = chance.randrange(3)
    if style == 0:
        return "_".join(words)
    return (
        words[0] + "".join(word.capitalize() for word in words[1:]) + (str(chance.randrange(99)) if style > 1 else "")
    )


def _code(chance: random.Random) -> str:
    name, other = _identifier(chance), _identifier(chance)
    return chance.choice(
        (
            f"{chance.choice(_KEYWORDS)} ({name} > {chance.randrange(999)}) {{ return {other}({name}); }}",
            f"{chance.choice(('const', 'let', 'var', 'int'))} {name} = {other}.{_identifier(chance)}();",
            f"def {name}(self, {other}): return self.{_identifier(chance)}[{other}]",
            f"{name}.{other} = {chance.choice(_KEYWORDS)};",
            f'"{name}": "{chance.randrange(10**6)}", "{other}": [{chance.random():.3f}]',
            f".{name} {{ {chance.choice(('color', 'width', 'margin', 'height'))}: {chance.randrange(99)}px; }}",
            f"SELECT {name} FROM {other} WHERE {_identifier(chance)} = {chance.randrange(999)};",  # noqa: S608 - never run
            f"$ {chance.choice(('sudo', 'git', 'npm', 'pip', 'cd', 'ls'))} {name} --{other}",
            f"x{chance.randrange(99)} = foo({name}, bar{chance.randrange(99)})",
        )
    )


def _markup(chance: random.Random) -> str:
    tag = chance.choice(_TAGS)
    return f'{tag} class="{_identifier(chance)}" id="{_identifier(chance)}" /{tag}'


def _random_base64(chance: random.Random) -> str:
    return base64.b64encode(chance.randbytes(chance.randrange(12, 90))).decode()


def _hexadecimal(chance: random.Random) -> str:
    return chance.randbytes(chance.randrange(2, 20)).hex()


def _random_letters(chance: random.Random) -> str:
    return "".join(chance.choices(string.ascii_letters + string.digits, k=chance.randrange(4, 24)))


def _keyboard(chance: random.Random) -> str:
    """Fingers running along the rows of a keyboard."""
    row = chance.choice(_ROWS)
    start = chance.randrange(len(row) - 2)
    run = row[start : start + chance.randrange(3, 7)] * chance.randrange(1, 3)
    return "".join(chance.sample(run, len(run))) if chance.random() < 0.5 else run


def _address(chance: random.Random) -> str:
    host = ".".join(chance.choices(_WORDS, k=2)) + chance.choice((".com", ".net", ".org", ".html", ".php"))
    return f"{host}/{_identifier(chance)}/{chance.randrange(10**5)}?{chance.choice(_WORDS)}={chance.randrange(99)}"


def _numbers(chance: random.Random) -> str:
    return f"{chance.random() * 10 ** chance.randrange(1, 6):.2f} {chance.choice(_UNITS)}"


def _lorem(chance: random.Random) -> str:
    start = chance.randrange(len(_LOREM))
    if chance.random() < 0.3:
        return " ".join(chance.choices(_LOREM, k=12))
    return " ".join((_LOREM * 2)[start : start + chance.randrange(6, 40)])


def _menu(chance: random.Random) -> str:
    entry = chance.choice(_NAVIGATION)
    return f"{entry} ({chance.randrange(9)})" if chance.random() < 0.2 else entry


def _template(chance: random.Random) -> str:
    """What a page without content says: messages of servers and page builders, in English all over the web."""
    phrase = chance.choice(_TEMPLATES)
    return chance.choice(("{}", "{}...", "404 {}", "{} | {}", "{}. {}.")).format(phrase, chance.choice(_TEMPLATES))


def _keywords(chance: random.Random) -> str:
    """Search words in no order, as pages for search engines repeat them."""
    words = chance.choices(_SPAM, k=chance.randrange(6, 20))
    return " ".join(f"{word} {chance.randrange(2010, 2030)}" if chance.random() < 0.08 else word for word in words)


def _symbols(chance: random.Random) -> str:
    return "".join(chance.choices(_SYMBOLS, k=chance.randrange(3, 12))) + chance.choice(string.ascii_letters)


_KINDS: Final[tuple[Callable[[random.Random], str], ...]] = (
    _code,
    _random_base64,
    _lorem,
    _markup,
    _hexadecimal,
    _code,
    _menu,
    _random_letters,
    _lorem,
    _address,
    _numbers,
    _symbols,
    _keywords,
    _template,
    _keyboard,
    _keywords,
    _template,
)
