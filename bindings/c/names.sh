# Sourced by the scripts for C: what things are called, all of it taken from where it is said first.
# Wants the checkout in `root`.

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

need() { # need PROGRAM DEBIAN-PACKAGE
    command -v "$1" >/dev/null 2>&1 || fail "$1 is missing here; on Debian: apt-get install $2"
}

# What the package says of itself.
package() { # package KEY
    sed -n "/^\[package\]/,/^\[/s/^$1 = \"\(.*\)\"\$/\1/p" "$root/Cargo.toml"
}

version=$(package version)
[ -n "$version" ] || fail "$root/Cargo.toml says no version"
soname=libimo2skype.so.${version%%.*}
# The file behind the SONAME. An 1.2.0-rc.1 is the library 1.2.0.
shared=libimo2skype.so.${version%%[-+]*}

# The functions that a library exports, one a line.
symbols() {
    sed -n 's/^\(imo2skype_[a-z0-9_]*\) .*/\1/p' "$root/bindings/c/symbols.txt"
}
