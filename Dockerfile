# syntax=docker/dockerfile:1
# promptvision as a container. Two targets:
#   docker build --target cpu -t promptvision:cpu .     the light tools, the web page and MCP
#   docker build --target gpu -t promptvision:gpu .     the neural tools as well: torch with CUDA
# Both run as user 10001 with a read-only root file system; all data lies in /data.
ARG PYTHON=3.11-slim-bookworm
ARG NODE=22-bookworm-slim

# The web page
FROM node:${NODE} AS page
WORKDIR /src/frontends/web/ui
COPY frontends/web/ui/package.json ./
RUN npm install --no-package-lock --ignore-scripts --no-audit --no-fund
COPY frontends/web/ui ./
RUN npm run build

# Wheels of every distribution, and the pinned versions of what they need
FROM python:${PYTHON} AS wheels
ENV PIP_ROOT_USER_ACTION=ignore
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /src
COPY . .
COPY --from=page /src/frontends/web/src/promptvision_web/static frontends/web/src/promptvision_web/static
RUN python scripts/constraints.py > /constraints.txt \
    && uv build --all-packages --wheel --out-dir /wheels

# A virtual environment with the light tools
FROM wheels AS cpu-environment
WORKDIR /wheels
RUN uv venv /opt/promptvision \
    && uv pip install --python /opt/promptvision --no-cache --compile-bytecode --constraint /constraints.txt \
        "psycopg[binary]" pillow-heif promptvision-[0-9]*.whl \
        promptvision_basics-*.whl promptvision_bw-*.whl promptvision_opencv-*.whl promptvision_rapidocr-*.whl \
        promptvision_tesseract-*.whl promptvision_web-*.whl promptvision_mcp-*.whl promptvision_groq-*.whl \
        promptvision_openai-*.whl promptvision_s3-*.whl promptvision_telemetry-*.whl

# The same with the neural tools; the wheels of torch bring CUDA
FROM cpu-environment AS gpu-environment
RUN uv pip install --python /opt/promptvision --no-cache --compile-bytecode --constraint /constraints.txt \
        promptvision-[0-9]*.whl promptvision_grounding_dino-*.whl promptvision_sam-*.whl \
        promptvision_sd_inpaint-*.whl promptvision_sdxl_inpaint-*.whl \
        promptvision_florence-*.whl

# What both targets share
FROM python:${PYTHON} AS runtime
RUN apt-get update \
    && apt-get install -y --no-install-recommends tesseract-ocr fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 promptvision \
    && useradd --uid 10001 --gid 10001 --home-dir /data --shell /usr/sbin/nologin promptvision \
    && install -d -o 10001 -g 10001 /data
ENV PATH=/opt/promptvision/bin:$PATH \
    PROMPTVISION_HOME=/data \
    HOME=/data \
    XDG_CACHE_HOME=/data/cache \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /data
VOLUME /data
EXPOSE 5000
STOPSIGNAL SIGTERM
# Not /ready: a database that is away for a while must not restart the server
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5000/health', timeout=4)"]
ENTRYPOINT ["promptvision"]
CMD ["serve", "--host", "0.0.0.0", "--port", "5000"]

FROM runtime AS gpu
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=gpu-environment /opt/promptvision /opt/promptvision
USER 10001:10001

# Last, so that `docker build .` makes it
FROM runtime AS cpu
COPY --from=cpu-environment /opt/promptvision /opt/promptvision
USER 10001:10001
