FROM python:3.11-slim

# Address of an index with torch's CPU wheels. Left empty, pip takes torch from where it is configured to, which on x86-64
# may be the CUDA build of several GB.
ARG TORCH_INDEX=""

RUN useradd --create-home --uid 1000 user
USER user
WORKDIR /home/user/app
ENV HOME=/home/user \
    PATH=/home/user/.local/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    OMP_WAIT_POLICY=PASSIVE \
    HF_HUB_OFFLINE=1 \
    GRADIO_ANALYTICS_ENABLED=False \
    HABN_HOST=0.0.0.0 \
    PORT=7860

COPY --chown=user requirements.txt constraints.txt overrides.txt ./
RUN pip install --user --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} \
        -c constraints.txt -r requirements.txt \
    && pip install --user --no-cache-dir --no-deps -r overrides.txt

COPY --chown=user LICENSE app.py ./
COPY --chown=user habn habn
COPY --chown=user assets assets
COPY --chown=user checkpoints checkpoints
COPY --chown=user results results

EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=4)"]
CMD ["python", "app.py"]
