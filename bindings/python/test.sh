#!/usr/bin/env bash
# Tests the Python module as a user gets it: builds the wheel, installs it into a fresh environment and
# runs the tests there, away from the sources. PYTHON names the interpreter, python3 without it; what
# follows on the command line goes to pytest. Works from any directory; needs pip's index.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$python" -m venv "$work/build"
"$work/build/bin/pip" install --quiet --disable-pip-version-check 'maturin>=1.9.4,<2'
# The profile for development: release takes minutes, and differs in nothing that is tested here.
"$work/build/bin/maturin" build --manifest-path "$here/Cargo.toml" --interpreter "$python" \
    --out "$work/wheels" --auditwheel skip --locked

"$python" -m venv "$work/user"
"$work/user/bin/pip" install --quiet --disable-pip-version-check "$work"/wheels/imo2skype-*.whl pytest mypy

mkdir "$work/run"
cp -r "$here/tests" "$work/run/tests"
cp -r "$root/examples/python" "$work/run/examples"
cd "$work/run"
# Python finds modules beside what it runs; nothing may be found but what was installed.
export PYTHONSAFEPATH=1
"$work/user/bin/python" -m pytest -W error --strict-markers -p no:cacheprovider "$@" tests
"$work/user/bin/python" -m mypy.stubtest imo2skype._imo2skype
"$work/user/bin/python" -m mypy --strict tests examples
