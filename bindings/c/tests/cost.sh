#!/bin/sh
# What the C interface costs, in instructions, which are the same on a busy machine: a call that does nothing beside one
# of an empty function, and a command with its reply beside the same through the Rust interface.
set -eu
: "${ROOT:=$(cd "$(dirname "$0")/../../.." && pwd)}" "${RELEASE:=$ROOT/target/release}"

root=$ROOT
. "$root/bindings/c/names.sh"
need valgrind valgrind
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
RELEASE=$("$ROOT/bindings/c/build.sh")
cp "$RELEASE/install/$shared" "$folder/$soname"
ln -s "$soname" "$folder/libimo2skype.so"
"${CC:-cc}" -O2 -I "$ROOT/include" "$ROOT/bindings/c/tests/roundtrip.c" -o "$folder/roundtrip" \
    -L "$folder" -Wl,-rpath,"$folder" -limo2skype

# Of the same build as the library, and optimized in the same way. Cargo would build another library for an example, with
# what tests need.
rustc --edition 2024 -C lto=fat -C opt-level=s -C codegen-units=1 "$ROOT/bindings/c/tests/roundtrip.rs" \
    -o "$folder/roundtrip-rust" --extern "imo2skype=$RELEASE/libimo2skype.rlib" -L "dependency=$RELEASE/deps"

instructions() { # instructions PROGRAM [ARGUMENT...]
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 | awk '/Collected :/ { print $4 }'
}
# A hundredth of an instruction per round: what begins and ends the program falls out of the difference.
each() { # each PROGRAM [ARGUMENT...]
    few=$(instructions "$@" 1000)
    many=$(instructions "$@" 11000)
    echo $(((many - few) / 100))
}
show() {
    echo "$(($1 / 100)).$(printf %02d $(($1 % 100)))"
}

nothing=$(each "$folder/roundtrip" nothing)
empty=$(each "$folder/roundtrip" empty)
c=$(each "$folder/roundtrip" local)
rust=$(each "$folder/roundtrip-rust")
echo "a call that does nothing: $(show "$nothing") instructions, of an empty function $(show "$empty")"
echo "a command and its reply: $(show "$c") instructions, in Rust $(show "$rust"), ratio $(show $((c * 100 / rust)))"

# Three nanoseconds are ten instructions on the slowest machine that is likely.
[ "$nothing" -le $((empty + 1000)) ] ||
    fail "a call that does nothing costs more than ten instructions over an empty function"
[ $((c * 100)) -le $((rust * 115)) ] ||
    fail "a command through the C interface costs more than 1.15 times the same in Rust"
