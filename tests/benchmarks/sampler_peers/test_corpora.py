"""Made-up corpora."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from benchmarks.sampler_peers import corpora


def test_the_eight_languages_are_those_of_the_settings():
    lengths = corpora.lognormal(200_000, np.random.default_rng(0))

    assert sum(corpora.EIGHT) == 200_000
    assert (lengths.min(), lengths.max()) == (16, 2048)
    assert lengths.mean() == pytest.approx(300, rel=0.01)


def test_zipf_has_a_smallest_language():
    assert corpora.zipf(6, 100, 20) == [100, 50, 33, 25, 20, 20]


def test_documents_are_found_by_language_and_number(tmp_path):
    corpora.write(tmp_path, [3, 2], length=4)
    flat = corpora.Flat(tmp_path)
    source = pickle.loads(pickle.dumps(corpora.Source(tmp_path, 1, 2)))

    assert len(source) == 2
    np.testing.assert_array_equal(source[1], flat.tokens[16:20])
    np.testing.assert_array_equal(flat.language(0)[1], [0, 4, 8, 12])
    assert flat.shares == pytest.approx([0.5304, 0.4696], abs=1e-4)


def test_tags_differ():
    assert [corpora.tag(number) for number in (0, 1, 26, 999)] == ["aaa_Latn", "aab_Latn", "aba_Latn", "bml_Latn"]
