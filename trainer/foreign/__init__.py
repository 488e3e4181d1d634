"""Models of Hugging Face ``transformers`` with language adapters of this project: loaded, trained, and exported again.

``transformers`` is imported only when such a model is built, and only by modules of this package and of
:mod:`trainer.export`. A base's own Python code (``trust_remote_code``) is never run.
"""
