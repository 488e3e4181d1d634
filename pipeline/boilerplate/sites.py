"""Which site a document belongs to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from pipeline.boilerplate.config import BoilerplateConfig

_HOST = r"^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/?#@]*@)?(?P<host>[^/?#:@]+)"
NO_SITE = 0
"""Key of documents that belong to no site."""


def site_names(batch: pa.RecordBatch, config: BoilerplateConfig) -> pa.Array:
    """The site of every row: the host of its URL in small letters, without port and ``www.``; null without one.

    Args:
        batch: n rows with ``source`` and perhaps ``url``.
        config: what to do with rows without a host.
    """
    if batch.schema.get_field_index("url") < 0:
        hosts = pa.nulls(batch.num_rows, pa.string())
    else:
        matched = pc.extract_regex(batch.column("url").cast(pa.string()), _HOST)
        hosts = pc.replace_substring_regex(pc.utf8_lower(pc.struct_field(matched, "host")), r"^www\.|\.$", "")
        hosts = pc.if_else(pc.equal(hosts, ""), None, hosts)
    if config.without_url == "source":
        # No host holds a blank, so that a source is never taken for one.
        sources = pc.binary_join_element_wise("source", batch.column("source").cast(pa.string()), " ")
        hosts = pc.coalesce(hosts, sources)
    return hosts


def site_keys(names: pa.Array) -> npt.NDArray[np.uint64]:
    """A 64-bit key for every site's name, ``NO_SITE`` for null; shape (n,)."""
    encoded = names.dictionary_encode()
    keys = [xxhash.xxh3_64_intdigest(name.encode()) or 1 for name in encoded.dictionary.to_pylist()]
    codes = encoded.indices.fill_null(len(keys)).to_numpy(zero_copy_only=False)
    result: npt.NDArray[np.uint64] = np.array([*keys, NO_SITE], dtype=np.uint64)[codes]
    return result
