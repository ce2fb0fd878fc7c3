#!/bin/sh
# The plugin for libpurple of examples/c/purple in a headless client, on a gateway with sessions of the Python
# module on the other side (purple.py): plain with strict warnings, with sanitizers, and under valgrind.
#
#   ROOT=checkout RELEASE=folder-of-libimo2skype.so sh bindings/c/tests/purple.sh
#
# The Python module is the wheel that WHEEL names, or the newest one in the target folder unless the sources are newer, or
# one that is built for this; building needs pip's index.
set -eu

: "${ROOT:?names the checkout}" "${RELEASE:?names the folder with libimo2skype.so}"
python=${PYTHON:-python3}

missing=
need() { # need WHAT HOW-TO-SEE-IT HOW-TO-GET-IT
    sh -c "$2" >/dev/null 2>&1 || missing="$missing
  $1: $3"
}
need cc "command -v cc" "Debian: apt-get install gcc"
need make "command -v make" "Debian: apt-get install make"
need valgrind "command -v valgrind" "Debian: apt-get install valgrind"
need libpurple "pkg-config purple glib-2.0" "Debian: apt-get install pkg-config libpurple-dev"
need "$python with venv" "'$python' -c 'import venv, ensurepip'" "Debian: apt-get install python3-venv"
need libimo2skype.so "test -e '$RELEASE/libimo2skype.so'" "cargo build --release"
if [ -n "$missing" ]; then
    echo "purple: these are missing:$missing" >&2
    exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The other side.
wheels=$ROOT/target/purple-wheels
wheel=${WHEEL:-$(ls -t "$wheels"/imo2skype-*.whl "$ROOT"/target/wheels/imo2skype-*.whl 2>/dev/null | head -n 1)}
sources="$ROOT/src $ROOT/Cargo.lock $ROOT/bindings/python/src $ROOT/bindings/python/python"
"$python" -m venv "$work/venv"
# shellcheck disable=SC2086 # several words
if [ -z "$wheel" ] || { [ -z "${WHEEL:-}" ] && [ -n "$(find $sources -type f -newer "$wheel" | head -n 1)" ]; }; then
    echo "== the Python module"
    CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target} MATURIN_PEP517_ARGS='--profile dev --locked' \
        "$work/venv/bin/pip" wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$wheels" \
        "$ROOT/bindings/python"
    wheel=$(ls -t "$wheels"/imo2skype-*.whl | head -n 1)
fi
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps "$wheel"

# build FOLDER [VARIABLE=VALUE ...]
build() {
    folder=$work/$1
    shift
    cp -r "$ROOT/examples/c/purple" "$folder"
    # The soname is a name only where the library is installed.
    make -s -C "$folder" clean all WARNINGS="-Wall -Wextra -Wpedantic -Werror" \
        IMO2SKYPE_CFLAGS="-I$ROOT/include" IMO2SKYPE_LIBS="-L$work/lib -limo2skype" "$@"
}

mkdir "$work/lib" "$work/none" "$work/user"
cp "$RELEASE/libimo2skype.so" "$work/lib/libimo2skype.so"
soname=$(objdump -p "$work/lib/libimo2skype.so" | sed -n 's/^ *SONAME *//p')
[ -z "$soname" ] || [ "$soname" = libimo2skype.so ] || ln -s libimo2skype.so "$work/lib/$soname"
export LD_LIBRARY_PATH="$work/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
# libpurple looks for a desktop, which has nothing to do with this.
export DBUS_SESSION_BUS_ADDRESS=disabled:

drive() { # drive FOLDER [WRAPPER ...]
    folder=$work/$1
    shift
    "$work/venv/bin/python" "$ROOT/bindings/c/tests/purple.py" "$folder" "$folder/headless" "$@"
}

echo "== plain"
build plain
drive plain

echo "== with AddressSanitizer and UndefinedBehaviorSanitizer"
build sanitized CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
# Leaks are valgrind's part: what GLib keeps on purpose would hide them here.
ASAN_OPTIONS=detect_leaks=0 drive sanitized

echo "== under valgrind"
memcheck="valgrind --quiet --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite
    --keep-debuginfo=yes --num-callers=24 --error-exitcode=9"
# What libpurple loses by itself: that is what the same client loses without the plugin, without an account, when it
# ends at once. Nothing else is overlooked.
# shellcheck disable=SC2086 # several words, here and below
echo quit | $memcheck --gen-suppressions=all --log-file="$work/bare" \
    "$work/plain/headless" "$work/none" "$work/user" >/dev/null || [ -s "$work/bare" ]
sed -n '/^{/,/^}/p' "$work/bare" >"$work/libpurple.supp"
if grep -q imo2skype "$work/libpurple.supp"; then
    echo "purple: a plugin is loaded that is not this one" >&2
    exit 1
fi
# shellcheck disable=SC2086
if ! drive plain $memcheck --suppressions="$work/libpurple.supp" --log-file="$work/log"; then
    cat "$work/log" >&2
    exit 1
fi
