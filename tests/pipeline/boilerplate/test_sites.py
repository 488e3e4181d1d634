from __future__ import annotations

import pyarrow as pa
import pytest

from pipeline.boilerplate.config import BoilerplateConfig
from pipeline.boilerplate.sites import NO_SITE, site_keys, site_names


def batch(urls: list[str | None]) -> pa.RecordBatch:
    return pa.record_batch({"url": pa.array(urls, pa.string()), "source": ["crawl"] * len(urls)})


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.Example.org/a?b#c", "example.org"),
        ("http://user:secret@news.example.org:8080/x", "news.example.org"),
        ("//example.org", "example.org"),
        ("https://example.org.", "example.org"),
        ("https://[2001:db8::1]/x", "[2001"),
        ("https://пример.рф/я", "пример.рф"),
        ("wwww.example.org/a", None),
        ("mailto:a@example.org", None),
        ("", None),
        (None, None),
    ],
)
def test_site_of_a_url(url: str | None, site: str | None) -> None:
    assert site_names(batch([url]), BoilerplateConfig()).to_pylist() == [site]


def test_documents_without_url_are_a_site_of_their_source_when_asked() -> None:
    config = BoilerplateConfig(without_url="source")
    assert site_names(batch([None, "https://a.example/"]), config).to_pylist() == ["source crawl", "a.example"]
    assert site_names(batch([None]).select(["source"]), config).to_pylist() == ["source crawl"]
    assert site_names(batch([None]).select(["source"]), BoilerplateConfig()).to_pylist() == [None]


def test_keys_tell_sites_apart() -> None:
    keys = site_keys(pa.array(["a", None, "b", "a"], pa.string())).tolist()
    assert keys[0] == keys[3] != keys[2]
    assert keys[1] == NO_SITE
    assert site_keys(pa.array([], pa.string())).tolist() == []
    assert site_keys(pa.nulls(2, pa.string())).tolist() == [NO_SITE, NO_SITE]
