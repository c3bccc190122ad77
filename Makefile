# make install           the environment alone: .venv with the command steadyhand
# make demo              train on the mock robot and watch it learn        SEED=0
# make test              lint, types, import rules and every test          WORKERS=2
# make test-fast         the same without slow tests, faults and ROS       WORKERS=2
# make lint              the same without the tests
# make ros-demo          the same for reach behind ROS 2, in real time    SEED=0
# make teach-demo        a person with page and SpaceMouse teaches the mock  SEED=0
# make faults            the fault matrix, thoroughly; one table          ROWS=F12,F16
# make bench             measure how fast every part is; one table        AREAS=learner,replay
# make bench-learning    measure learning; one table                      SEED=0 JOBS=2
# make bench-tasks       the default recipe beside baselines; one table   TASKS=reach,peg_insert SEEDS=1
# make bench-generality  the defaults on tasks of other projects; one table  TASKS=reach,drawer-open-v3 SEEDS=3
# make docs              the documentation as a site in build/docs, every link checked
# make docs-pictures     the pictures of its pages anew, in Chromium
# make new-task          begin a task of your own                         NAME=cable_insert
# make new-robot         begin a robot that is driven without ROS         NAME=my_arm
# make new-algorithm     begin an algorithm of the learner                NAME=my_algorithm
# make containers-check  install what the Dockerfiles say without an engine, and start it (root, minutes)
# make clean             remove the environment and the caches; runs/ stays
#
# The first call builds .venv from a bare python3. COMPUTE=cuda trains on a GPU. TORCH_INDEX=<url> takes torch from
# another index (PyTorch's own has CPU-only wheels, much smaller than the default). PYTHON=<path> picks the interpreter.

SEED ?= 0
COMPUTE ?= cpu
JOBS ?= 2
WORKERS ?= 2
ROWS ?=
STEPS ?=
FILES ?=
AREAS ?=
NAME ?=
TASKS ?=
SEEDS ?= 3
export PYTHON
export TORCH_INDEX

ifeq ($(filter $(COMPUTE),cpu cuda),)
$(error COMPUTE: expected cpu or cuda, found '$(COMPUTE)')
endif

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready-$(COMPUTE)
# The packages of lint and tests come with the first of them, not with the demo.
DEV_READY := $(VENV)/.dev-ready
# Real rclpy and FastDDS come from the package index, as wheels for Linux on x86_64 alone.
ON_LINUX := $(filter Linux-x86_64,$(shell uname -s)-$(shell uname -m))
ROS_READY := $(if $(ON_LINUX),$(VENV)/.ros-ready)
# Other packages' messages, which have no wheel, are built for the tests.
INTERFACES_READY := $(if $(ON_LINUX),$(VENV)/.interfaces-ready)
INTERFACES := $(shell find ros2_ws/src/actor/test/interfaces ros2_ws/src/actor/test/interfaces_kit.py -type f)

# A file stays on one worker (tests/workers.py). Torch has one thread on each: more would wait for each other.
# Tests over DDS and FCI, and that in a browser, run in real time and mostly wait: no test that computes may run beside them.
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest
PRODUCT = actor calibration configs learner policies robot_envs runtime steadyhand transport ros2_ws/src/actor/actor_ros tools
ALONE = tests/contract/test_franka_fci.py tests/unit/robot_envs/robots/test_franka_fci.py tests/e2e/test_operator_page.py
PARALLEL = tests -n $(WORKERS) --dist loadfile $(ALONE:%=--ignore=%)

.PHONY: install demo ros-demo teach-demo docs-pictures test test-fast lint faults bench bench-learning bench-tasks bench-generality docs new-task new-robot new-algorithm
.PHONY: containers-check clean
.DEFAULT_GOAL := test

install: $(READY)
	@echo 'Installed. In this terminal: . $(BIN)/activate, then: steadyhand doctor'

demo: $(READY)
	@$(BIN)/steadyhand demo seed=$(SEED) learner.device=$(COMPUTE)

ros-demo: $(READY) $(ROS_READY)
	@PYTHONPATH=ros2_ws/src/actor $(BIN)/python -m actor_ros.demo seed=$(SEED) learner.device=$(COMPUTE)

# Needs Chromium and spacenavd (docs/debian-packages.txt), which are those of the tests.
teach-demo: $(DEV_READY)
	@$(BIN)/python -m benchmarks.teach.demo seed=$(SEED) learner.device=$(COMPUTE)

# The pictures in docs/media, of runs that are made for them.
docs-pictures: $(DEV_READY)
	@$(BIN)/python -m tools.doc_pictures

test: lint $(ROS_READY) $(INTERFACES_READY)
	@$(PYTEST) $(PARALLEL)
	@$(PYTEST) ros2_ws $(ALONE) --force-reruns 2

test-fast: lint
	@$(PYTEST) $(PARALLEL) -m 'not slow' --ignore=tests/faults

lint: $(DEV_READY)
	@$(BIN)/ruff check .
	@$(BIN)/bandit -q -ll -c pyproject.toml -r $(PRODUCT)
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

faults: $(DEV_READY) $(ROS_READY) $(INTERFACES_READY)
	@$(BIN)/python -m benchmarks.faults --rows=$(ROWS) $(if $(STEPS),--steps $(STEPS)) $(if $(FILES),--files $(FILES))

bench: $(READY) $(if $(findstring twin,$(AREAS)),.venv-jax/.jax-ready)
	@$(BIN)/python -m benchmarks.bench --areas=$(AREAS)

bench-learning: $(READY)
	@$(BIN)/python -m benchmarks.learning --jobs $(JOBS) seed=$(SEED) learner.device=$(COMPUTE)

# gym-hil comes alone: what it needs besides is for its own gamepad and keyboard.
GYM_HIL := gym-hil==0.1.14

# Meta-World needs an older MuJoCo than ours, and so an environment of its own. Ours leaves first: its newer wheels have
# a plugin library in a package of its own, which an older one would load.
bench-generality bench-tasks: .venv-foreign/.foreign-ready
	@.venv-foreign/bin/python -m benchmarks.$(@:bench-%=%) --jobs $(JOBS) --seeds $(SEEDS) \
		$(if $(TASKS),--tasks $(TASKS)) seed=$(SEED) learner.device=$(COMPUTE)

docs: $(VENV)/.docs-ready
	@$(BIN)/python -m sphinx --fail-on-warning --keep-going -q -b html -c docs . build/docs
	@echo 'documentation: build/docs/index.html'

new-task new-robot new-algorithm: $(DEV_READY)
	@$(BIN)/python tools/new_component.py $(@:new-%=%) '$(NAME)'

containers-check: $(DEV_READY) $(ROS_READY)
	@$(BIN)/python -m tests.docker.containers_check

clean:
	rm -rf $(VENV) .venv-foreign .venv-jax build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints/cpu.txt constraints/cuda.txt tools/bootstrap.sh
	@tools/bootstrap.sh $(VENV) $(COMPUTE)
	@touch $@

$(DEV_READY): $(READY)
	@tools/bootstrap.sh $(VENV) $(COMPUTE) dev
	@touch $@

$(VENV)/.docs-ready: $(READY) constraints/docs.txt
	@PIP_ROOT_USER_ACTION=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --retries 10 \
		--constraint constraints/cpu.txt --constraint constraints/docs.txt --no-build-isolation --editable '.[docs]'
	@touch $@

.venv-foreign/.foreign-ready: pyproject.toml constraints/cpu.txt constraints/foreign.txt tools/bootstrap.sh
	@tools/bootstrap.sh .venv-foreign cpu
	@PIP_ROOT_USER_ACTION=ignore .venv-foreign/bin/python -m pip uninstall --quiet --yes mujoco mujoco-core mujoco-studio
	@PIP_ROOT_USER_ACTION=ignore .venv-foreign/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
		--retries 10 --requirement constraints/foreign.txt
	@PIP_ROOT_USER_ACTION=ignore .venv-foreign/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
		--retries 10 --no-deps $(GYM_HIL)
	@touch $@

.venv-jax/.jax-ready: constraints/jax.txt
	@python3 -m venv .venv-jax
	@.venv-jax/bin/python -m pip install --quiet --disable-pip-version-check --no-input --retries 10 \
		--requirement constraints/jax.txt
	@touch $@

$(VENV)/.ros-ready: $(READY) constraints/ros.txt tools/bootstrap_ros.sh
	@tools/bootstrap_ros.sh $(VENV)
	@touch $@

$(VENV)/.interfaces-ready: $(VENV)/.ros-ready constraints/interfaces.txt tools/bootstrap_interfaces.sh $(INTERFACES)
	@tools/bootstrap_interfaces.sh $(VENV)
	@touch $@
