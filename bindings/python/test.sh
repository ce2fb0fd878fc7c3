#!/usr/bin/env bash
# Tests the Python module as a user gets it: builds the wheel, installs it into a fresh environment and
# runs the tests there, away from the sources, with every CPython from 3.9 on that is here. PYTHON names
# the only interpreter to use; what follows on the command line goes to pytest. Works from any directory;
# needs pip's index.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}

# The version of an interpreter that can run the module: 3.11 for one, 3.14t for one without the interpreter lock
# (pyo3 takes those from 3.14 on), nothing for another.
version() {
    "$1" -c 'import sys, platform, sysconfig
free = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
if sys.version_info >= ((3, 14) if free else (3, 9)) and platform.python_implementation() == "CPython":
    print("%d.%d%s" % (*sys.version_info[:2], free))' 2>/dev/null || true
}

"$python" -m venv "$work/build"
"$work/build/bin/pip" install --quiet --disable-pip-version-check 'maturin>=1.9.4,<2' auditwheel
maturin=$work/build/bin/maturin

# The profile for development: release takes minutes, and differs in nothing that is tested here.
"$maturin" build --manifest-path "$here/Cargo.toml" --interpreter "$python" \
    --out "$work/wheels" --auditwheel check --locked
wheel=$(ls "$work"/wheels/imo2skype-*.whl)
if [ "$(uname -s)" = Linux ]; then
    case $wheel in
    *-cp39-abi3-manylinux_*.whl | *-cp39-abi3-musllinux_*.whl) ;;
    *) echo "test.sh: not one wheel for every CPython and many systems: $wheel" >&2 && exit 1 ;;
    esac
    "$work/build/bin/auditwheel" show "$wheel" | grep -E '"(many|musl)linux_'
fi

# Whoever has no wheel builds one from this. A fixed folder, so that cargo's own is not filled by and by;
# with new times, so that cargo sees what is new.
"$maturin" sdist --manifest-path "$here/Cargo.toml" --out "$work/sdist"
unpacked=$CARGO_TARGET_DIR/python-sdist
rm -rf "$unpacked" && mkdir -p "$unpacked"
tar -xzmf "$work"/sdist/imo2skype-*.tar.gz -C "$unpacked" --strip-components 1
PATH="$work/build/bin:$PATH" MATURIN_PEP517_ARGS='--profile dev --locked' "$work/build/bin/pip" wheel --quiet \
    --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir "$work/from-sdist" "$unpacked"
"$python" - "$wheel" "$work"/from-sdist/imo2skype-*.whl <<'PYTHON'
import sys, zipfile
names = [{n for n in zipfile.ZipFile(p).namelist() if ".dist-info" not in n} for p in sys.argv[1:]]
assert names[0] == names[1], f"the wheel from the sdist is another: {names[0] ^ names[1]}"
PYTHON

mkdir "$work/run"
cp -r "$here/tests" "$work/run/tests"
cp -r "$root/examples/python" "$work/run/examples"
cp "$here/api_page.py" "$here/bench.py" "$work/run"
cd "$work/run"
# Python finds modules beside what it runs; nothing may be found but what was installed.
export PYTHONSAFEPATH=1

first=$(version "$python")
interpreters=("$python")
if [ -z "${PYTHON:-}" ]; then
    seen=" $first "
    shopt -s nullglob
    installed=()
    if command -v pyenv >/dev/null; then
        installed=("$(pyenv root)"/versions/*/bin/python3)
    fi
    for candidate in "${installed[@]}" python3.{9,10,11,12,13,14} python3.{14,15}t; do
        found=$(version "$candidate")
        case $seen in *" $found "*) continue ;; esac
        [ -n "$found" ] || continue
        seen="$seen$found "
        interpreters+=("$candidate")
    done
fi

for interpreter in "${interpreters[@]}"; do
    number=$(version "$interpreter")
    user=$work/user-$number
    if ! "$interpreter" -m venv "$user"; then
        [ "$interpreter" != "$python" ] || exit 1
        echo "NOT TESTED: $interpreter ($number) cannot make an environment" >&2
        continue
    fi
    echo "== CPython $number: $interpreter"
    package=$wheel
    if [ "${number%t}" != "$number" ]; then
        # The stable interface has no form without the lock yet: a wheel of its own.
        "$maturin" build --manifest-path "$here/Cargo.toml" --interpreter "$interpreter" \
            --out "$work/wheels-$number" --auditwheel check --locked
        package=$(ls "$work/wheels-$number"/imo2skype-*.whl)
    fi
    "$user/bin/pip" install --quiet --disable-pip-version-check "$package" pytest
    "$user/bin/python" -m pytest -W error --strict-markers -p no:cacheprovider "$@" tests
done

user=$work/user-$first
"$user/bin/pip" install --quiet --disable-pip-version-check mypy
"$user/bin/python" -m mypy.stubtest imo2skype._imo2skype
"$user/bin/python" -m mypy --strict tests examples api_page.py bench.py

"$user/bin/python" api_page.py >"$work/python-api.md"
if [ "$first" != 3.11 ]; then
    # Each version prints types and signatures in its own way.
    echo "NOT CHECKED: docs/python-api.md, which is written with CPython 3.11, not $first" >&2
elif [ -n "${WRITE_API_PAGE:-}" ]; then
    cp "$work/python-api.md" "$root/docs/python-api.md"
elif ! diff -u "$root/docs/python-api.md" "$work/python-api.md"; then
    echo "test.sh: docs/python-api.md is old; write it with: WRITE_API_PAGE=1 $0" >&2
    exit 1
fi
