#!/bin/sh
# Builds what install.sh installs, and prints the folder that it is in, last.
#
#   bindings/c/build.sh                 builds in release
#   RELEASE=DIR bindings/c/build.sh     takes what a cargo build left in DIR
#
# Cargo's own libimo2skype.so has no SONAME, so that one can link with it where it lies, and is not optimized as a whole:
# that cannot be had of a crate that is a library for Rust as well. Both forms to be installed are made here of
# libimo2skype.rlib, that is of the same code, once more optimized and for C alone. They lie in DIR/install.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/bindings/c/names.sh"

case $(uname -s) in
Darwin | MINGW* | MSYS* | CYGWIN*) fail "only for systems with ELF libraries; elsewhere take cargo-c: cargo cinstall --release" ;;
esac
need "${CC:-cc}" gcc
need strip binutils

if [ -z "${RELEASE:-}" ]; then
    command -v cargo >/dev/null 2>&1 || fail "cargo is missing here: https://rustup.rs. For root, build as yourself," \
        "then call with RELEASE=DIR, where DIR is what bindings/c/build.sh printed"
    cd "$root"
    # No examples: with what they need, cargo would build the library in another way.
    cargo build --release --locked --lib --bins >&2
    RELEASE=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release
fi
crate=$RELEASE/libimo2skype.rlib
[ -f "$crate" ] || fail "there is no $crate; make it with: cargo build --release --lib"

made=$RELEASE/install
# Whether a file is there and no older than what it is made of.
fresh() { # fresh FILE
    [ -f "$1" ] && [ -z "$(find "$crate" "$root/bindings/c/build.sh" -newer "$1")" ]
}
if fresh "$made/$shared"; then
    echo "$RELEASE"
    exit
fi

work=$(mktemp -d "$RELEASE/install-XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

need rustc rustc
# Thousands of addresses have to be adjusted when the library is loaded: a list of 170 KB, or packed, of two. Loaders know
# that from glibc 2.36 on, and linkers are older.
packed=
if getconf GNU_LIBC_VERSION 2>/dev/null | awk '{ split($2, version, "."); new = version[1] * 1000 + version[2] >= 2036 } END { exit !new }'; then
    packed=,-z,pack-relative-relocs
fi
echo 'pub use imo2skype_for_rust::*;' >"$work/imo2skype.rs"
# The metadata tells it from the crate of the same name.
(cd "$work" && rustc --edition 2024 --crate-name imo2skype --crate-type cdylib,staticlib imo2skype.rs \
    -C metadata=install -C lto=fat -C opt-level=s -C codegen-units=1 -C "linker=${CC:-cc}" \
    -C "link-arg=-Wl,-soname,$soname,-z,nodelete$packed" \
    --extern "imo2skype_for_rust=$crate" -L "dependency=$RELEASE/deps" --print native-static-libs 2>log) ||
    fail "rustc fails: $(cat "$work/log")"
# What a static library needs of the system. The compiler brings its unwinder itself, as a shared or a static library,
# whichever fits; by the name of libgcc_s it could not be linked into a static program.
sed -n 's/.*native-static-libs: *//p' "$work/log" | tr ' ' '\n' | awk '!/^-lgcc_s$/ && !seen[$0]++' | tr '\n' ' ' | sed 's/ $//' >"$work/libs"
[ -s "$work/libs" ] || fail "rustc does not say what the library needs: $(cat "$work/log")"
strip --strip-debug "$work/libimo2skype.a"
mv "$work/libimo2skype.so" "$work/$shared"
rm "$work/imo2skype.rs" "$work/log"
rm -rf "$made"
mv "$work" "$made"
echo "$RELEASE"
