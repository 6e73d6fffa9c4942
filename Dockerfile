# One image for every service of docker-compose.yaml, with the locked environment and the code. The build fetches only
# the base image and the locked packages.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS environment
WORKDIR /opt/daybreak
COPY requirements-bootstrap.txt requirements.txt ./
RUN python3 -m venv /opt/uv \
    && /opt/uv/bin/python -m pip install --quiet --no-cache-dir --require-hashes -r requirements-bootstrap.txt \
    && /opt/uv/bin/python -m uv venv --quiet --python python3 .venv \
    && /opt/uv/bin/python -m uv pip install --quiet --no-cache --python .venv/bin/python \
        --require-hashes --compile-bytecode -r requirements.txt
# what a server adds by choice, such as a provider of Airflow: docs/server.md
ARG EXTRA_PACKAGES=""
RUN [ -z "$EXTRA_PACKAGES" ] \
    || /opt/uv/bin/python -m uv pip install --quiet --no-cache --python .venv/bin/python \
        --compile-bytecode $EXTRA_PACKAGES

FROM ${PYTHON_IMAGE}
RUN groupadd --gid 10001 daybreak \
    && useradd --uid 10001 --gid daybreak --home-dir /var/lib/daybreak --no-create-home daybreak \
    && install -d -o daybreak -g daybreak -m 0700 /var/lib/daybreak
WORKDIR /opt/daybreak
COPY --from=environment /opt/daybreak/.venv .venv
COPY . .
# psql comes with the locked packages; the code is compiled now because containers are read-only
RUN .venv/bin/python -m compileall -q bin dags feature_repo include plugins \
    && ln -s "$(.venv/bin/python -c 'from include.adapters.embedded_postgres import binary; print(binary("psql"))')" \
        /usr/local/bin/psql \
    && ln -s /var/lib/daybreak .daybreak  # where feature_repo/feature_store.yaml looks
ENV PATH=/opt/daybreak/.venv/bin:$PATH \
    PYTHONPATH=/opt/daybreak \
    PYTHONUNBUFFERED=1 \
    DAYBREAK_HOME=/var/lib/daybreak \
    HOME=/tmp
USER 10001:10001
ENTRYPOINT ["python", "-m", "include"]
CMD ["status"]
