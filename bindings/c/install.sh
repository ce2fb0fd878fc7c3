#!/bin/sh
# Installs the library for C and C++; see usage below.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/bindings/c/names.sh"

usage() {
    cat <<EOF
bindings/c/install.sh [OPTIONS] PREFIX

Installs headers, shared and static library, imo2skype.pc and CMake package below PREFIX.

  --destdir DIR   put DIR in front of PREFIX, for those who make packages (or DESTDIR in the environment)
  --libdir DIR    where libraries go, below PREFIX; default: lib
  --programs      install imo2sproxy and imo2skype-gateway too
  --uninstall     remove what the same call without it would install
  --help          this text

Builds in release before, unless RELEASE in the environment is the folder of a build (bindings/c/build.sh prints it).
EOF
}

misuse() {
    echo "install.sh: $*; --help tells more" >&2
    exit 2
}

destdir=${DESTDIR:-}
libdir=lib
programs=
uninstall=
prefix=
while [ $# -gt 0 ]; do
    case $1 in
    --destdir=* | --libdir=*)
        option=${1%%=*}
        value=${1#*=}
        shift
        set -- "$option" "$value" "$@"
        continue
        ;;
    --destdir | --libdir)
        [ $# -gt 1 ] || misuse "$1 wants a folder"
        [ "$1" = --destdir ] && destdir=$2 || libdir=$2
        shift
        ;;
    --programs) programs=yes ;;
    --uninstall) uninstall=yes ;;
    --help)
        usage
        exit
        ;;
    -*) misuse "there is no option $1" ;;
    *)
        [ -z "$prefix" ] || misuse "one PREFIX, not two: $prefix and $1"
        prefix=$1
        ;;
    esac
    shift
done
[ -n "$prefix" ] || misuse "PREFIX is missing: /usr/local or \$HOME/.local for two"
libdir=$(echo "$libdir" | sed 's|//*|/|g; s|/$||')
case /$libdir/ in
// | *//* | */../* | */./* | *[!A-Za-z0-9._/+-]*) misuse "--libdir is a folder below PREFIX such as lib64, not $libdir" ;;
esac
case $destdir:$prefix in
?*:[!/]*) misuse "with --destdir, PREFIX begins with /, not $prefix" ;;
esac
prefix=${prefix%/}
to=$destdir$prefix

if [ -z "$uninstall" ]; then
    RELEASE=$("$root/bindings/c/build.sh")
fi

# put MODE FROM TO: installs a file below PREFIX, or removes it.
put() {
    if [ -n "$uninstall" ]; then
        rm -f "$to/$3"
    else
        [ -f "$2" ] || fail "there is no $2; make a whole build with: bindings/c/build.sh"
        mkdir -p "$(dirname "$to/$3")"
        install -m "$1" "$2" "$to/$3"
    fi
}

# link NAME TO: the same for a link to the name beside it.
link() {
    rm -f "$to/$2"
    [ -n "$uninstall" ] || ln -s "$1" "$to/$2"
}

put 644 "$root/include/imo2skype.h" include/imo2skype.h
put 644 "$root/bindings/cpp/imo2skype.hpp" include/imo2skype.hpp
put 644 "${RELEASE:-}/install/$shared" "$libdir/$shared"
link "$shared" "$libdir/$soname"
link "$shared" "$libdir/libimo2skype.so"
put 644 "${RELEASE:-}/install/libimo2skype.a" "$libdir/libimo2skype.a"

pc=$(mktemp)
trap 'rm -f "$pc"' EXIT
if [ -z "$uninstall" ]; then
    # What is below /usr stays there, and pkg-config leaves out the folders that the compiler knows if they are written
    # as it knows them. Everything else may be moved, and is found from where the file is.
    case $prefix in
    /usr) from=/usr ;;
    *) from='${pcfiledir}/'$(echo "$libdir" | sed 's|[^/][^/]*|..|g')/.. ;;
    esac
    sed -e "s|@PREFIX@|$from|" -e "s|@LIBDIR@|$libdir|" -e "s|@VERSION@|$version|" \
        -e "s|@DESCRIPTION@|$(package description)|" -e "s|@LIBS@|$(cat "$RELEASE/install/libs")|" \
        "$root/bindings/c/imo2skype.pc.in" >"$pc"
fi
put 644 "$pc" "$libdir/pkgconfig/imo2skype.pc"
for file in "$root"/bindings/c/cmake/*.cmake; do
    put 644 "$file" "$libdir/cmake/imo2skype/${file##*/}"
done

if [ -n "$programs" ]; then
    for program in imo2sproxy imo2skype-gateway; do
        put 755 "${RELEASE:-}/$program" "bin/$program"
    done
    for page in "$root"/man/*.[15]; do
        put 644 "$page" "share/man/man${page##*.}/${page##*/}"
    done
fi

if [ -n "$uninstall" ]; then
    rmdir "$to/$libdir/cmake/imo2skype" 2>/dev/null || true
fi
