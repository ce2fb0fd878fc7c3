#!/bin/sh
# The test programs in C under valgrind, with the library of a release: no error, no leak.
#
#   ROOT=$PWD RELEASE=$PWD/target/release sh bindings/c/tests/valgrind.sh [PROGRAM...]
set -eu
root=$ROOT
. "$root/bindings/c/names.sh"
need valgrind valgrind
[ $# -gt 0 ] || set -- arguments unload network reentry storm process threads callback api fd log
if [ $# -gt 1 ]; then
    # Two at a time.
    printf '%s\n' "$@" | xargs -n 1 -P 2 sh "$0"
    exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The library under the name by which it was linked, and by that for linking with it.
cp "$RELEASE/libimo2skype.so" "$work/$soname"
ln -s "$soname" "$work/libimo2skype.so"
export LD_LIBRARY_PATH="$work"

# Everything is counted as a leak but what is still reachable: what the process holds in statics until it ends (the
# texts of the help, the places that log, the thread-locals of the main thread). It does not grow.
cat >"$work/suppressions" <<'END'
# What Rust's library knows of a thread of the program, for as long as that lives. At the end the main thread's is
# still there, but found by a pointer into its middle only.
{
   the main thread
   Memcheck:Leak
   match-leak-kinds: possible
   fun:malloc
   ...
   fun:*std*thread*current*init_current*
}
END

memcheck() { # memcheck LEAKS PROGRAM [ARGUMENT...]
    leaks=$1
    shift
    valgrind --quiet --error-exitcode=9 --fair-sched=try --suppressions="$work/suppressions" --leak-check="$leaks" \
        --show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect,possible "$@"
}

check() { # check LEAKS PROGRAM [ARGUMENT...]
    leaks=$1
    name=$2
    shift 2
    mkdir "$work/$name"
    "${CC:-cc}" -std=c11 -D_GNU_SOURCE -g -O1 -I "$ROOT/include" "$ROOT/tests/c/$name.c" -o "$work/$name/program" \
        -L "$work" -Wl,--as-needed -limo2skype -pthread
    start=$(date +%s)
    if (cd "$work/$name" && memcheck "$leaks" ./program "$@") >"$work/$name/output" 2>&1; then
        echo "valgrind: $name: ok ($(($(date +%s) - start)) s)"
    else
        cat "$work/$name/output" >&2
        echo "valgrind: $name: failed" >&2
        return 1
    fi
}

# A share of the rounds: every access is looked at here.
export IMO2SKYPE_TEST_SHARE=10
case $1 in
    # Its children would count what the threads of their parent have as lost.
    process) check no process ;;
    # It leaves a session open on purpose.
    unload) check no unload "$work/$soname" 1 ;;
    *) check full "$1" ;;
esac
