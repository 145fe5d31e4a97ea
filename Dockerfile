# The daemon. Settings at /etc/cohortd, state at /var/lib/cohortd; the root may be read-only.
ARG BASE_IMAGE=python:3.13-slim-trixie

FROM ${BASE_IMAGE} AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python3 -m venv /opt/cohortd
COPY requirements.lock deploy/runtime_lock.py ./
# The lock file without the developers' tools; every file is checked against its hash.
RUN python3 runtime_lock.py requirements.lock > runtime.lock \
    && /opt/cohortd/bin/pip install --require-hashes -r runtime.lock
COPY pyproject.toml README.md ./
COPY cohortd cohortd
COPY connectors connectors
COPY clustering clustering
COPY consent consent
COPY config config
RUN /opt/cohortd/bin/pip install --no-deps .

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="cohortd" \
      org.opencontainers.image.description="Keeps ad audiences true: re-clusters, applies consent, diff-syncs Google Ads and Meta"
COPY --from=build /opt/cohortd /opt/cohortd
RUN mkdir -p /etc/cohortd /var/lib/cohortd && chown 10001:10001 /var/lib/cohortd
ENV PATH=/opt/cohortd/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    COHORTD_CONFIG=/etc/cohortd/cohortd.yaml \
    COHORTD_DATA_DIR=/var/lib/cohortd
USER 10001:10001
WORKDIR /var/lib/cohortd
VOLUME ["/etc/cohortd", "/var/lib/cohortd"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s --retries=3 CMD ["cohortd", "status", "--health"]
ENTRYPOINT ["cohortd"]
CMD ["run"]
