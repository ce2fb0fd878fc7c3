#!/bin/sh
# Builds what install.sh installs, and prints the folder that it is in, last.
#
#   bindings/c/build.sh                 builds in release
#   RELEASE=DIR bindings/c/build.sh     takes what a cargo build left in DIR
#
# Cargo's own libimo2skype.so has no SONAME, so that one can link with it where it lies. The library to be installed is
# linked here from libimo2skype.a, with a SONAME: the same objects, without compiling them again. It lies in DIR/install,
# with what else is not taken as cargo made it.
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
archive=$RELEASE/libimo2skype.a
[ -f "$archive" ] || fail "there is no $archive; make it with: cargo build --release --lib"

made=$RELEASE/install
# Whether a file is there and no older than what it is made of.
fresh() { # fresh FILE
    [ -f "$1" ] && [ -z "$(find "$archive" "$root/bindings/c/build.sh" "$root/bindings/c/symbols.txt" -newer "$1")" ]
}
if fresh "$made/$shared"; then
    echo "$RELEASE"
    exit
fi

work=$(mktemp -d "$RELEASE/install-XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

# What Rust's own library needs of the system; our dependencies need nothing besides, or the linker would say so below.
# The compiler brings its unwinder itself, as a shared or a static library, whichever fits; by the name of libgcc_s it
# could not be linked into a static program.
need rustc rustc
: >"$work/empty.rs"
rustc --crate-type staticlib --print native-static-libs --out-dir "$work" "$work/empty.rs" 2>&1 |
    sed -n 's/.*native-static-libs: *//p' | sed 's/-lgcc_s *//' >"$work/libs"
[ -s "$work/libs" ] || fail "rustc does not say what its library needs"
rm "$work/empty.rs" "$work/libempty.a"

# Without the bitcode that rustc leaves in the objects: half of the size, and another LLVM's linker fails on it.
strip --strip-debug --remove-section=.llvmbc --remove-section=.llvmcmd -o "$work/libimo2skype.a" "$archive"

{
    echo '{ global:'
    symbols | sed 's/$/;/'
    echo 'local: *; };'
} >"$work/exports"
# By name, or the linker would leave them in the archive.
set --
for symbol in $(symbols); do
    set -- "$@" "-Wl,--undefined=$symbol"
done
# shellcheck disable=SC2046 # several libraries
"${CC:-cc}" -shared -o "$work/$shared" "$@" "-Wl,-soname,$soname" "-Wl,--version-script,$work/exports" \
    -Wl,--gc-sections,--no-undefined,-O1 -Wl,-z,relro,-z,now,-z,noexecstack \
    "$work/libimo2skype.a" -Wl,--as-needed $(cat "$work/libs")
rm "$work/exports"
rm -rf "$made"
mv "$work" "$made"
echo "$RELEASE"
