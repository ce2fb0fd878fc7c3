#!/bin/sh
# Makes the Debian packages libimo2skype0, libimo2skype-dev and imo2sproxy of what install.sh installs.
#
#   bindings/c/debian/build.sh OUTDIR
#
# Builds in release before, unless RELEASE names the folder of a build. DEBFULLNAME and DEBEMAIL are the maintainer,
# SOURCE_DATE_EPOCH the time, which is that of the last commit otherwise: the same build gives the same packages.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
. "$root/bindings/c/names.sh"
umask 022

case ${1:-} in
'' | -*)
    sed -n 's/^# \{0,1\}//; 2,7p' "$0"
    [ "${1:-}" = --help ] && exit || exit 2
    ;;
esac
need cargo cargo
need strip binutils
need dpkg-deb dpkg
need dpkg-shlibdeps dpkg-dev
need dpkg-gensymbols dpkg-dev

architecture=$(dpkg --print-architecture)
multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
libraries=usr/lib/$multiarch
# 1.0.0-rc.1 is before 1.0.0.
debian=$(echo "$version" | sed 's/-/~/')
maintainer="${DEBFULLNAME:-The imo2skype developers} <${DEBEMAIL:-imo2skype@packages.invalid}>"
: "${SOURCE_DATE_EPOCH:=$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)}"
export SOURCE_DATE_EPOCH

mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$root/bindings/c/install.sh" --destdir "$work/all" --libdir "lib/$multiarch" --programs /usr
cd "$work"
# What the tools of dpkg-dev take for a source package.
mkdir debian
: >debian/control

# take PACKAGE FILE...: moves what there is of it into the package.
take() {
    package=$1
    shift
    for file in "$@"; do
        mkdir -p "$package/$(dirname "$file")"
        mv "all/$file" "$package/$file"
    done
}

runtime=libimo2skype${soname##*.}
take "$runtime" "$libraries/$soname" "$libraries/$shared"
take imo2sproxy usr/bin
[ ! -d all/usr/share/man ] || take imo2sproxy usr/share/man
# Whatever else install.sh installs is for those who compile.
mv all libimo2skype-dev

strip --strip-unneeded --remove-section=.comment "$runtime/$libraries/$shared" imo2sproxy/usr/bin/*
strip --strip-debug --enable-deterministic-archives --remove-section=.comment "libimo2skype-dev/$libraries/libimo2skype.a"
[ ! -d imo2sproxy/usr/share/man ] || find imo2sproxy/usr/share/man -type f -exec gzip -9n {} +

{
    cat <<EOF
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: imo2skype

Files: *
Copyright: $(sed -n 's/^Copyright (c) //p' "$root/LICENSE-MIT")
License: MIT or Apache-2.0
Comment: Contains these Rust packages, each under the licence behind its name:
EOF
    (cd "$root" && cargo tree --locked --offline --edges normal --prefix none --format '{p}: {l}') |
        sed -n '/^imo2skype /d; s/ (\*)$//; s/^\(..*\) (proc-macro)/\1/; s/^/ /p' | LC_ALL=C sort -u
    echo ' .'
    echo ' and SQLite, which is in the public domain.'
    echo
    echo 'License: MIT'
    sed -n '/^Permission/,$p' "$root/LICENSE-MIT" | sed 's/^$/./; s/^/ /'
    echo
    echo 'License: Apache-2.0'
    echo ' /usr/share/common-licenses/Apache-2.0 on Debian systems.'
} >copyright

cat >changelog <<EOF
imo2skype ($debian) unstable; urgency=medium

  * Version $version; CHANGELOG.md tells what is new.

 -- $maintainer  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
EOF

# needs FILE...: the packages that have the libraries which the files need.
needs() {
    dpkg-shlibdeps -O "$@" 2>shlibdeps.log | sed -n 's/^shlibs:Depends=//p' | grep . ||
        fail "dpkg-shlibdeps: $(cat shlibdeps.log)"
}

# pack PACKAGE: makes a package; what is peculiar to it is on standard input.
pack() {
    mkdir -p "$1/DEBIAN" "$1/usr/share/doc/$1"
    cp copyright "$1/usr/share/doc/$1/copyright"
    gzip -9nc changelog >"$1/usr/share/doc/$1/changelog.gz"
    gzip -9nc "$root/CHANGELOG.md" >"$1/usr/share/doc/$1/CHANGELOG.md.gz"
    (cd "$1" && find usr -type f -exec md5sum {} + | LC_ALL=C sort -k 2) >md5sums
    {
        cat <<EOF
Package: $1
Source: imo2skype
Version: $debian
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -k -s --apparent-size "$1" | cut -f 1)
Priority: optional
EOF
        cat
    } >"$1/DEBIAN/control"
    mv md5sums "$1/DEBIAN/md5sums"
    dpkg-deb --root-owner-group --build "$1" "$out" >&2
}

# A program gets its dependency from the functions that it uses: each since the version that had it first.
{
    echo "$soname $runtime #MINVER#"
    echo "* Build-Depends-Package: libimo2skype-dev"
    sed -n 's/^\(imo2skype_[a-z0-9_]*\) \(.*\)/ \1@Base \2/p' "$root/bindings/c/symbols.txt"
} >symbols
mkdir "$runtime/DEBIAN"
dpkg-gensymbols -c4 "-p$runtime" "-v$debian" "-P$runtime" -Isymbols "-e$runtime/$libraries/$shared" \
    "-O$runtime/DEBIAN/symbols" >gensymbols.log 2>&1 || fail "dpkg-gensymbols: $(cat gensymbols.log)"
# For tools that do not read symbols.
echo "libimo2skype ${soname##*.} $runtime (>= $debian)" >"$runtime/DEBIAN/shlibs"
echo 'activate-noawait ldconfig' >"$runtime/DEBIAN/triggers"

pack "$runtime" <<EOF
Section: libs
Multi-Arch: same
Depends: $(needs "$runtime/$libraries/$shared")
Description: $(package description) (library)
 imo2skype logs in to a chat network and behaves, line by line, as Skype did
 for plugins: it takes commands of the Skype API and gives replies and
 notifications.
 .
 This package has the library for programs written in C or C++.
EOF

pack libimo2skype-dev <<EOF
Section: libdevel
Multi-Arch: same
Depends: $runtime (= $debian)
Description: $(package description) (development)
 imo2skype logs in to a chat network and behaves, line by line, as Skype did
 for plugins: it takes commands of the Skype API and gives replies and
 notifications.
 .
 This package has the header, the static library, and what pkg-config and
 CMake need to find them.
EOF

pack imo2sproxy <<EOF
Section: net
Depends: $(needs imo2sproxy/usr/bin/*)
Description: $(package description) (programs)
 imo2skype logs in to a chat network and behaves, line by line, as Skype did
 for plugins: it takes commands of the Skype API and gives replies and
 notifications.
 .
 This package has imo2sproxy, which serves programs written for Skype over the
 SkypeProxy socket or the console, and imo2skype-gateway, a chat server for it.
EOF
