#!/bin/sh
# Create or refresh the virtual environment that `make` uses, from a bare python3 and the package index alone.
#   tools/bootstrap.sh FOLDER cpu|cuda [dev]
# With `dev` the packages of the tests are added; they are several hundred MB more.
# PYTHON names the base interpreter; TORCH_INDEX names an extra index for torch.
set -eu

venv=$1
compute=$2
extras=sim,export,run,pretrained,web
[ "${3:-}" = dev ] && extras=$extras,dev

fail() {
    echo "make: $*" >&2
    exit 1
}

is_suitable() {
    "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1
}

python=
for candidate in ${PYTHON:-python3 python3.12 python3.11 python3.10}; do
    if is_suitable "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    found=$("${PYTHON:-python3}" --version 2>&1) || found="no working ${PYTHON:-python3}"
    fail "expected Python 3.10, 3.11 or 3.12, found $found; install one, or name it with PYTHON=/path/to/python3.11"
fi
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python cannot make a virtual environment (no ensurepip); on Debian and Ubuntu: sudo apt-get install python3-venv"

# An environment that is broken, too old or for the other kind of compute is created again.
clear=
if ! is_suitable "$venv/bin/python" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    clear=--clear
fi
for stamp in "$venv"/.ready-*; do
    case $stamp in
    *"/.ready-$compute" | *'*') ;;
    *) clear=--clear ;;
    esac
done

echo "Installing into $venv ($("$python" --version 2>&1), $compute); the first time takes some minutes: torch is large."
"$python" -m venv $clear "$venv"

install() {
    PIP_ROOT_USER_ACTION=ignore "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --retries 10 --constraint "constraints/$compute.txt" "$@" ||
        fail "pip could not install the packages (see above); check the connection to the package index, then run make again"
}

# Torch is installed first and alone, so that the extra index is used only for torch. With setuptools in the environment
# the rest needs no isolated build environments, so that pip installs only versions that the constraints pin.
install ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} torch==2.13.0 setuptools
install --use-pep517 --no-build-isolation --editable ".[$extras]"
