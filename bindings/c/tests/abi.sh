#!/bin/sh
# Programs that were linked to the last release go on with this library: its interface, as C sees it, is compared
# with the description of that release, bindings/c/libimo2skype.abi (docs/abi.md). `abi.sh --write` writes the
# description anew, which is done at a release and at no other time.
set -eu
: "${ROOT:=$(cd "$(dirname "$0")/../../.." && pwd)}"
root=$ROOT
. "$root/bindings/c/names.sh"
described=$ROOT/bindings/c/libimo2skype.abi

need abidw abigail-tools
need abidiff abigail-tools
need "${CC:=cc}" gcc
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The interface as a compiler reads it from a header: a library of functions without bodies, with its types.
interface() { # interface HEADER LIBRARY
    "$CC" -E -P -x c "$1" |
        awk 'BEGIN { RS = ";" }
             /typedef/ || !/imo2skype_[a-z_]+\(/ { if ($0 ~ /[^ \n]/) print $0 ";"; next }
             { print $0 " { __builtin_trap(); }" }' >"$folder/interface.c"
    (cd "$folder" && "$CC" -w -g -shared -fPIC "-Wl,-soname,$soname" interface.c -o "$2")
}

compatible() { # compatible LIBRARY: what was is still there, and is what it was
    abidiff --no-architecture --no-added-syms "$described" "$1"
}

interface "$ROOT/include/imo2skype.h" "$folder/now.so"
if [ "${1:-}" = --write ]; then
    abidw --no-comp-dir-path --no-corpus-path --no-show-locs --out-file "$described" "$folder/now.so"
    exit
fi
compatible "$folder/now.so"

# The comparison sees what it is there for.
breaks() { # breaks SED-SCRIPT
    sed "$1" "$ROOT/include/imo2skype.h" >"$folder/broken.h"
    interface "$folder/broken.h" "$folder/broken.so"
    if compatible "$folder/broken.so" >/dev/null; then
        fail "not noticed: $1"
    fi
}
breaks 's/^uint32_t imo2skype_abi_version(void);//'
breaks 's/^uint32_t imo2skype_abi_version/uint64_t imo2skype_abi_version/'
breaks 's/int timeout_ms/long timeout_ms/'
breaks 's/IMO2SKYPE_STORE = 7/IMO2SKYPE_STORE = 70/'

# More than there was is fine.
sed 's/^uint32_t imo2skype_abi_version(void);/& void imo2skype_more(void);/' "$ROOT/include/imo2skype.h" >"$folder/more.h"
interface "$folder/more.h" "$folder/more.so"
compatible "$folder/more.so"
