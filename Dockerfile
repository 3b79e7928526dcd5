# One image for every process of the site; the command says which (compose.yaml, Procfile).
# Built and linted from the repository's root: docker build --tag convoscope .

# --- packages: whatever pip needs stays behind in this stage -------------------------------------------------
FROM python:3.11-slim-bookworm AS packages

COPY requirements-serve.txt /build/requirements.txt
# Wheels only: nothing is compiled, so that no compiler is needed. pip leaves once it has done its work.
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: \
        --requirement /build/requirements.txt \
    && /opt/venv/bin/pip uninstall --yes pip setuptools

# --- the site ------------------------------------------------------------------------------------------------
FROM python:3.11-slim-bookworm

ARG RELEASE=unknown
LABEL org.opencontainers.image.title="Convoscope" \
      org.opencontainers.image.description="A site on which students learn how convolutional networks see" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.revision="${RELEASE}"

# Nothing is installed into a running container, by nobody. The folder below is the only one that the site writes to.
RUN rm -rf /usr/local/lib/python3.11/ensurepip /usr/local/lib/python3.11/site-packages/* \
        /usr/local/bin/pip* /usr/local/bin/wheel \
    && groupadd --system --gid 10001 site \
    && useradd --system --uid 10001 --gid site --home-dir /var/lib/convoscope --shell /usr/sbin/nologin site \
    && install -d -o site -g site -m 750 /var/lib/convoscope /var/lib/convoscope/tmp

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ENVIRONMENT=production \
    DATA_DIR=/var/lib/convoscope \
    TMPDIR=/var/lib/convoscope/tmp \
    REMAP_SIGTERM=SIGQUIT

WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
# What changes seldom first: the networks are most of the image.
COPY ml ml
COPY static static
COPY samples samples
COPY locale locale
COPY deploy/bin deploy/bin
COPY deploy/__init__.py deploy/backup.py deploy/
COPY templates templates
COPY accounts accounts
COPY predictions predictions
COPY learn learn
COPY classifier_site classifier_site
COPY manage.py manage.py

# With hashed names, into the image: they are the same wherever it runs. What is said of keys here is kept nowhere.
RUN DATA_DIR=/tmp/collecting TMPDIR=/tmp python manage.py collectstatic --noinput --verbosity 0 \
    && rm -rf /tmp/collecting

USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "deploy/bin/healthy.py", "web"]
CMD ["gunicorn", "classifier_site.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", \
     "--threads", "8", "--timeout", "60", "--graceful-timeout", "20", "--worker-tmp-dir", "/dev/shm", \
     "--no-control-socket"]
