"""The report: one self-contained HTML file on a corpus and the training runs over it.

``load`` and ``runs`` gather facts into frozen dataclasses, ``sections`` turns facts into blocks, ``charts``
and ``rows`` draw them as SVG, ``build`` renders everything through autoescaping templates. Text from
documents is hostile by assumption: it is always escaped, never linked.
"""
