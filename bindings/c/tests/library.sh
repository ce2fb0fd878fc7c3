#!/bin/sh
# The library as a file: what it exports, what it needs, how it is protected, how large it is. Both forms of it: cargo's
# libimo2skype.so, whose size is only told, and the one to be installed.
set -eu
root=$ROOT
. "$root/bindings/c/names.sh"
need nm binutils

limit=$((5 * 1024 * 1024))

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
RELEASE=$("$root/bindings/c/build.sh")
symbols | LC_ALL=C sort >"$work/promised"

same() { # same FILE, whose exports are in $work/found
    diff -u "$work/promised" "$work/found" || fail "$1 does not export what bindings/c/symbols.txt lists"
}

# Whether a line of $work/read is like PATTERN.
has() {
    grep -Eq "$1" "$work/read"
}

for library in "$RELEASE/libimo2skype.so" "$RELEASE/install/$shared"; do
    nm -D --defined-only "$library" | sed 's/.* //' | LC_ALL=C sort >"$work/found"
    same "$library"

    readelf -dlW "$library" >"$work/read"
    # What every machine with a C library has.
    others=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' "$work/read" |
        grep -Ev '^(lib(c|m|dl|rt|util|pthread|gcc_s)\.so\.[0-9]+|libc\.so|libc\.musl-.*|ld-linux.*|ld64?\.so.*)$' || true)
    [ -z "$others" ] || fail "$library needs other libraries: $others"
    ! has '\((RPATH|RUNPATH)\)' || fail "$library looks for libraries in folders of this machine"
    ! has '\(TEXTREL\)|FLAGS\).*TEXTREL' || fail "$library writes into its code while it is loaded"
    has 'GNU_RELRO' && has 'BIND_NOW|Flags:.*NOW' || fail "$library can be written to where it keeps addresses"
    has 'GNU_STACK .* RW ' || fail "$library wants an executable stack"
    ! has '^ *LOAD .* RWE ' || fail "$library has memory to be written and executed"
    ! has '\(SONAME\)' || [ "$library" != "$RELEASE/libimo2skype.so" ] ||
        fail "$library has a SONAME, so that programs would not find it where it lies"

    strip -o "$work/stripped" "$library"
    size=$(wc -c <"$work/stripped")
    echo "${library##*/}: $size bytes when stripped"
    [ "$size" -lt "$limit" ] || [ "$library" = "$RELEASE/libimo2skype.so" ] ||
        fail "$limit bytes is the most for a stripped library"
done

# The archive has much besides, by names of Rust and of other libraries; of ours the same.
nm -g --defined-only "$RELEASE/install/libimo2skype.a" 2>"$work/errors" |
    sed -n 's/^[0-9a-f]* [A-Z] \(imo2skype_.*\)/\1/p' | LC_ALL=C sort >"$work/found"
same "$RELEASE/install/libimo2skype.a"
! grep -q LLVM "$work/errors" || fail "libimo2skype.a has bitcode: $(grep -m 1 LLVM "$work/errors")"
