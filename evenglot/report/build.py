"""Write the report: one HTML file with everything in it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from corpus.storage import write_errors
from evenglot import __version__
from evenglot.report.blocks import Section
from evenglot.report.config import ReportConfig
from evenglot.report.facts import Facts
from evenglot.report.load import load_corpus
from evenglot.report.numbers import percent
from evenglot.report.runs import load_runs
from evenglot.report.sections.added import added
from evenglot.report.sections.balance import balance
from evenglot.report.sections.boilerplate import boilerplate
from evenglot.report.sections.conflict import conflict
from evenglot.report.sections.context import Context, quoted
from evenglot.report.sections.curriculum import curriculum
from evenglot.report.sections.duplicates import duplicates
from evenglot.report.sections.evaluation import evaluation
from evenglot.report.sections.funnel import funnel
from evenglot.report.sections.identification import identification
from evenglot.report.sections.mixed import mixed
from evenglot.report.sections.operations import provenance, times, unreadable
from evenglot.report.sections.overview import overview
from evenglot.report.sections.paths import paths
from evenglot.report.sections.penalties import factors, penalties
from evenglot.report.sections.removed import removed
from evenglot.report.sections.samples import samples
from evenglot.report.sections.speed import speed
from evenglot.report.sections.synthetic import synthetic
from evenglot.report.sections.thresholds import thresholds
from evenglot.report.sections.tokens import tokens
from evenglot.report.sections.training import training
from evenglot.report.sections.translations import translations
from evenglot.report.sections.widening import widening


def build_report(corpus: str, runs: Sequence[str], output: str, config: ReportConfig | None = None) -> Path:
    """Write the report on a corpus and its training runs.

    Args:
        corpus: folder or object-store URL of the corpus.
        runs: directories of training runs, none to several; the first that does not sample in natural
            proportions is the one the report is about, the others are compared with it.
        output: the HTML file to write, or a folder, which then gets a ``report.html``.
        config: how much to show.

    Returns:
        The file written.

    Raises:
        CorpusError: there is no corpus at that place.
        InputError: a directory holds no training run.
        EvenglotError: the file cannot be written.
    """
    chosen = config or ReportConfig()
    facts = Facts(load_corpus(corpus, chosen), load_runs(runs, chosen))
    page = render(facts, chosen)
    target = Path(output)
    if target.is_dir() or not target.suffix:
        target = target / "report.html"
    with write_errors(str(target)):
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.part")
        partial.write_text(page, encoding="utf-8", errors="replace")
        partial.replace(target)
    return target


def render(facts: Facts, config: ReportConfig) -> str:
    """The page, as text.

    The only script it may run is our own, by the hash in its content-security policy: should a document's
    text ever get past the escaping, browsers would still not execute it.
    """
    folder = resources.files("evenglot.report") / "templates"
    script = (folder / "script.js").read_text(encoding="utf-8").strip()
    style = (folder / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; "
        "form-action 'none'"
    )
    environment = Environment(
        loader=PackageLoader("evenglot.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    return environment.get_template("report.html").render(
        title=config.title,
        policy=policy,
        script=Markup(script),  # noqa: S704 - our own file
        style=Markup(style),  # noqa: S704 - our own file
        warnings=warnings(facts),
        sections=sections(facts, config),
        corpus=facts.corpus.url,
        snapshot=facts.corpus.snapshot.number,
    )


def sections(facts: Facts, config: ReportConfig) -> list[Section]:
    """The chapters, in order; those without data are left out or name the command that makes it."""
    context = Context(facts, config)
    found = [
        overview(context),
        funnel(context),
        removed(context),
        synthetic(context),
        balance(context),
        curriculum(context),
        *training(context),
        widening(context),
        conflict(context),
        penalties(context),
        factors(context),
        paths(context),
        translations(context),
        speed(context),
        added(context),
        samples(context),
        duplicates(context),
        boilerplate(context),
        evaluation(context),
        identification(context),
        mixed(context),
        thresholds(context),
        tokens(context),
        times(context),
        unreadable(context),
        provenance(context, __version__),
    ]
    return [section for section in found if section is not None]


def warnings(facts: Facts) -> list[str]:
    """What the reader must know before any number: of the runs, and of the data the report was made from."""
    ledger = facts.corpus.snapshot.ledger
    here = f"inspect {quoted(facts.corpus.url)}"
    found = [warning.replace("inspect CORPUS", here) for warning in facts.corpus.snapshot.warnings]
    found += facts.corpus.problems
    for run in facts.runs:
        found += [f"{run.name}: {problem}" for problem in run.problems]
    if ledger.read and ledger.kept_total < 0.2 * ledger.read:
        found.append(f"Only {percent(ledger.kept_total / ledger.read)} of the documents read were kept.")
    return found


def visible(text: str) -> str:
    """Text with control characters shown by their Unicode pictures; tabs and line breaks stay, and so does markup."""
    return text if isinstance(text, Markup) else text.translate(_PICTURES)


_PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"} | {0x7F: 0x2421}
_PICTURES |= dict.fromkeys(range(0x80, 0xA0), 0xFFFD)
