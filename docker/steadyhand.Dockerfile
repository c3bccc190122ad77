# The learner, and the actor with the embedded mock robot. No ROS in either.
# COMPUTE=cuda installs torch with its CUDA libraries, so that the base needs none: the host gives the driver.

FROM python:3.12.8-slim-bookworm AS build
ARG COMPUTE=cpu
# Another index to take torch from; PyTorch's own has CPU-only wheels, much smaller than the default.
ARG TORCH_INDEX=
WORKDIR /source
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY constraints constraints
# Torch alone and first: it is the large layer, and the one that changes least.
RUN pip install --no-cache-dir --constraint "constraints/${COMPUTE}.txt" \
    ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} torch==2.13.0 setuptools==84.2.1
COPY pyproject.toml README.md LICENSE ./
COPY runtime runtime
COPY robot_envs robot_envs
COPY policies policies
COPY transport transport
COPY actor actor
COPY learner learner
COPY calibration calibration
COPY configs configs
COPY steadyhand steadyhand
RUN pip install --no-cache-dir --no-build-isolation --constraint "constraints/${COMPUTE}.txt" ".[sim]"

FROM python:3.12.8-slim-bookworm AS runtime
# Rendering without a display, for the mock's cameras. Debian's archive keeps no old versions to pin.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libegl1 libgl1-mesa-dri libosmesa6 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 steadyhand \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin steadyhand \
    && install --directory --owner 10001 --group 10001 /data/runs
COPY --from=build /opt/venv /opt/venv
COPY docker/health.py /opt/health.py
# The root file system is read-only: whatever wants a home gets the temporary one.
ENV PATH=/opt/venv/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1
WORKDIR /data
USER 10001:10001
ENTRYPOINT ["steadyhand"]

FROM runtime AS learner
CMD ["learn", "run_root=/data/runs"]

FROM runtime AS mock
CMD ["act", "run_root=/data/runs"]
