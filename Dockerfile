# The daemon. Settings at /etc/cohortd, state at /var/lib/cohortd; the root may be read-only.
ARG BASE_IMAGE=python:3.13-slim-trixie

FROM ${BASE_IMAGE} AS build
WORKDIR /src
# For the native kernel of cohortd/identity; it stays behind in this stage. A base image without apt
# builds without it: slower, to the same bytes.
# hadolint ignore=DL3008
RUN if command -v apt-get; then \
        apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev \
        && rm -rf /var/lib/apt/lists/*; \
    fi
# The same sources give the same files: times that end up in them are this one, compiled code is
# known by its source's hash, and no order depends on chance.
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 \
    SOURCE_DATE_EPOCH=1767225600 PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
RUN python3 -m venv --without-pip /opt/cohortd && python3 -m venv /opt/builder
COPY requirements.lock deploy/runtime_lock.py ./
# Parts of the one lock file: what the product runs on, and what builds it. Every file is checked
# against its hash.
RUN python3 runtime_lock.py requirements.lock > runtime.lock \
    && python3 runtime_lock.py requirements.lock hatchling > builder.lock \
    && /opt/builder/bin/pip install --require-hashes -r builder.lock \
    && /opt/builder/bin/pip --python /opt/cohortd/bin/python install --no-compile --require-hashes -r runtime.lock
COPY pyproject.toml hatch_build.py README.md ./
COPY cohortd cohortd
COPY connectors connectors
COPY clustering clustering
COPY consent consent
COPY config config
RUN /opt/builder/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/builder/bin/pip --python /opt/cohortd/bin/python install --no-compile --no-deps --no-index \
        --find-links /wheels cohortd
COPY deploy/slimming.py deploy/bill_of_materials.py ./
RUN /opt/cohortd/bin/python bill_of_materials.py requirements.lock > /opt/cohortd/sbom.cdx.json \
    && python3 slimming.py /opt/cohortd \
    && /opt/cohortd/bin/python -m compileall -q -f --invalidation-mode unchecked-hash /opt/cohortd/lib

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="cohortd" \
      org.opencontainers.image.description="Keeps ad audiences true: re-clusters, applies consent, diff-syncs Google Ads and Meta"
COPY --from=build /opt/cohortd /opt/cohortd
RUN mkdir -p /etc/cohortd && install -d -o 10001 -g 10001 -m 700 /var/lib/cohortd
ENV PATH=/opt/cohortd/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    JOBLIB_MULTIPROCESSING=0 \
    MPLCONFIGDIR=/var/lib/cohortd/matplotlib \
    COHORTD_CONFIG=/etc/cohortd/cohortd.yaml \
    COHORTD_DATA_DIR=/var/lib/cohortd
USER 10001:10001
WORKDIR /var/lib/cohortd
VOLUME ["/etc/cohortd", "/var/lib/cohortd"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s --retries=3 CMD ["cohortd", "status", "--health"]
ENTRYPOINT ["cohortd"]
CMD ["run"]
