# Image for `evenglot prepare`, `augment` and `tokenize`, and for Beam workers that need this code.
ARG BASE=python:3.11-slim-bookworm
FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/evenglot
COPY constraints.txt /src/
# The dependencies change less often than the code: they get a layer of their own.
COPY pyproject.toml README.md LICENSE /src/
COPY docker/requirements.py /src/docker/
RUN python /src/docker/requirements.py /src/pyproject.toml pipeline translate review >/src/requirements.txt \
    && /opt/evenglot/bin/pip install --requirement /src/requirements.txt --constraint /src/constraints.txt
COPY corpus /src/corpus
COPY pipeline /src/pipeline
COPY sampler /src/sampler
COPY trainer /src/trainer
COPY evenglot /src/evenglot
RUN /opt/evenglot/bin/pip install --no-deps /src

FROM ${BASE}
LABEL org.opencontainers.image.title="evenglot pipeline" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --create-home --uid 10001 evenglot \
    && mkdir /data \
    && chown evenglot:evenglot /data
COPY --from=build /opt/evenglot /opt/evenglot
ENV PATH=/opt/evenglot/bin:$PATH PYTHONUNBUFFERED=1 EVENGLOT_MODELS=/data/models
USER 10001
WORKDIR /data
ENTRYPOINT ["evenglot"]
CMD ["--help"]
