#!/bin/sh
# Installs into a folder of its own, and builds and runs the example with what is there, in every way that
# bindings/c/README.md tells. The folder has a blank in its name and is moved in between.
set -eu
root=$ROOT
. "$root/bindings/c/names.sh"
. "$root/bindings/c/tests/lib/example.sh"
need "${CC:-cc}" gcc
need "${CXX:-c++}" g++
need cmake cmake
need make make
need pkg-config pkg-config
need readelf binutils

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
example=$root/examples/c/chat.c
cc=${CC:-cc}
install() {
    "$root/bindings/c/install.sh" "$@"
}

# Every file below a folder, and where links lead.
tree() {
    (cd "$1" && find . -type l -exec sh -c 'echo "$1 -> $(readlink "$1")"' - {} \; -o -type f -print) | sed 's|^\./||' | LC_ALL=C sort
}

expected() { # expected LIBDIR
    cat <<EOF
include/imo2skype.h
include/imo2skype.hpp
$1/cmake/imo2skype/imo2skype-config-version.cmake
$1/cmake/imo2skype/imo2skype-config.cmake
$1/cmake/imo2skype/imo2skype-files.cmake
$1/libimo2skype.a
$1/libimo2skype.so -> $shared
$1/$soname -> $shared
$1/$shared
$1/pkgconfig/imo2skype.pc
EOF
}

same() { # same WHAT EXPECTED FOUND, which are files
    diff -u "$2" "$3" || fail "$1 is not as it should be"
}

# The flags of pkg-config quote blanks for a shell.
compile() { # compile PROGRAM FLAGS
    eval "$cc -std=c99 -Wall -Wextra -Wpedantic -Werror \"\$example\" -o \"\$1\" $2"
}

needs_library() {
    readelf -d "$1" | grep -q "NEEDED.*\[$soname\]"
}

by_pkg_config() { # by_pkg_config PREFIX
    PKG_CONFIG_PATH=$1/lib/pkgconfig
    export PKG_CONFIG_PATH
    [ "$(pkg-config --modversion imo2skype)" = "$version" ] || fail "imo2skype.pc has another version than the package"

    compile shared "$(pkg-config --cflags --libs imo2skype)"
    needs_library shared || fail "the shared library was not linked by its SONAME"
    LD_LIBRARY_PATH="$1/lib" chats ./shared

    compile static "$(pkg-config --static --cflags --libs imo2skype | sed 's/-limo2skype/-l:libimo2skype.a/')"
    ! needs_library static || fail "the static library was not linked"
    chats ./static

    eval "${CXX:-c++} -std=c++17 \"\$root/examples/cpp/chat.cpp\" -o cpp $(pkg-config --cflags --libs imo2skype)"
    LD_LIBRARY_PATH="$1/lib" chats ./cpp

    # The C library warns that it loads others to resolve names of hosts.
    if echo 'int main(void) { return 0; }' | "$cc" -static -x c - -o can-be-static 2>/dev/null; then
        compile all-static "-static $(pkg-config --static --cflags --libs imo2skype)" 2>all-static.log ||
            fail "a static program cannot be linked: $(cat all-static.log)"
        ! readelf -d all-static | grep -q NEEDED || fail "a static program needs shared libraries"
        chats ./all-static
    else
        echo "NOT CHECKED: a wholly static program; this machine has no static C library" >&2
    fi
    unset PKG_CONFIG_PATH
}

by_cmake() { # by_cmake PREFIX
    rm -rf project
    mkdir project
    cp "$example" project
    cat >project/CMakeLists.txt <<'EOF'
cmake_minimum_required(VERSION 3.16)
project(chat C)
find_package(imo2skype ${WANTED} REQUIRED CONFIG)
add_executable(shared chat.c)
target_link_libraries(shared imo2skype::imo2skype)
add_executable(static chat.c)
target_link_libraries(static imo2skype::static)
EOF
    configure "$1" "$version" >cmake.log 2>&1 && cmake --build project/build >>cmake.log 2>&1 ||
        fail "CMake: $(cat cmake.log)"
    needs_library project/build/shared || fail "imo2skype::imo2skype is not the shared library"
    chats project/build/shared
    ! needs_library project/build/static || fail "imo2skype::static is not the static library"
    chats project/build/static
}

configure() { # configure PREFIX VERSION
    cmake -S project -B project/build "-DCMAKE_PREFIX_PATH=$1" "-DWANTED=$2"
}

# A later version, another series and a range that ends before are refused; the series and a range around are taken.
versions_by_cmake() { # versions_by_cmake PREFIX
    major=${version%%.*}
    minor=${version#*.}
    minor=${minor%%.*}
    for wanted in "$major" "$major.$minor" "$major.$minor...<99" "0...$version" ''; do
        configure "$1" "$wanted" >cmake.log 2>&1 || fail "find_package(imo2skype $wanted) finds nothing: $(cat cmake.log)"
    done
    for wanted in "$version.1" "$((major + 1))" "$major.$((minor + 1))" 99 "0...<$version" "99...100"; do
        ! configure "$1" "$wanted" >cmake.log 2>&1 || fail "find_package(imo2skype $wanted) is content with $version"
        grep -q "version: $version" cmake.log || fail "find_package does not say what it found: $(cat cmake.log)"
    done
}

prefix=$work/in\ stalled
install "$prefix"
expected lib | LC_ALL=C sort >expected
tree "$prefix" >found
same "what is installed" expected found
readelf -d "$prefix/lib/libimo2skype.so" | grep -q "SONAME.*\[$soname\]" || fail "libimo2skype.so has not the SONAME $soname"
by_pkg_config "$prefix"
by_cmake "$prefix"
versions_by_cmake "$prefix"

moved=$work/moved\ away
mv "$prefix" "$moved"
by_pkg_config "$moved"
by_cmake "$moved"

# An incomplete package is named as such.
mv "$moved/lib/libimo2skype.a" "$work"
! configure "$moved" "$version" >cmake.log 2>&1 || fail "CMake does not miss libimo2skype.a"
grep -q 'There is no .*libimo2skype\.a' cmake.log || fail "CMake does not say what is missing: $(cat cmake.log)"

install --uninstall "$moved"
tree "$moved" >found
: >expected
same "what is left" expected found

# For a package of a distribution: the folders that it uses, in a folder in front of them.
multiarch=lib/x86_64-linux-gnu
DESTDIR=$work/dest install --programs --libdir "$multiarch" /usr
{
    expected "$multiarch"
    printf 'bin/%s\n' imo2skype-gateway imo2sproxy
    find "$root/man" -name '*.[15]' | sed 's|.*/\(.*\)\.\(.\)$|share/man/man\2/\1.\2|'
} | LC_ALL=C sort >expected
tree dest/usr >found
same "what is installed into DESTDIR" expected found
[ "$(dest/usr/bin/imo2sproxy --version)" = "imo2sproxy $version" ] || fail "imo2sproxy does not say its version"
flags=$(PKG_CONFIG_LIBDIR=dest/usr/$multiarch/pkgconfig pkg-config --cflags --libs imo2skype)
[ "${flags% }" = -limo2skype ] || fail "the compiler is told of its own folders: $flags"
prefix=$work/dest/usr
compile multiarch "$(PKG_CONFIG_SYSROOT_DIR=$work/dest PKG_CONFIG_SYSTEM_LIBRARY_PATH="" PKG_CONFIG_SYSTEM_INCLUDE_PATH="" \
    PKG_CONFIG_LIBDIR=dest/usr/$multiarch/pkgconfig pkg-config --cflags --libs imo2skype)"
LD_LIBRARY_PATH=dest/usr/$multiarch chats ./multiarch
rm -rf project/build
cmake -S project -B project/build "-DCMAKE_PREFIX_PATH=$prefix" -DCMAKE_LIBRARY_ARCHITECTURE=x86_64-linux-gnu \
    "-DWANTED=$version" >cmake.log 2>&1 || fail "CMake: $(cat cmake.log)"

# Wrong use: status 2 and the way out.
for wrong in '' '--prefix /usr' '/usr /opt' '--libdir ../lib /usr' '--libdir /lib /usr' '--destdir /tmp usr' '--libdir'; do
    status=0
    # shellcheck disable=SC2086 # several words
    install $wrong 2>errors || status=$?
    [ "$status" = 2 ] && grep -q -- --help errors || fail "install.sh $wrong: status $status, $(cat errors)"
done
status=0
RELEASE=$work/nowhere install "$work/nowhere" 2>errors || status=$?
[ "$status" = 1 ] && grep -q 'cargo build' errors || fail "install.sh without a build: status $status, $(cat errors)"

# cargo-c makes the same of Cargo.toml.
if ! command -v cargo-cinstall >/dev/null 2>&1; then
    echo "NOT CHECKED: cargo-c is not installed" >&2
    exit
fi
install "$work/ours"
(cd "$root" && cargo cinstall --release --locked --prefix="$work/theirs" --libdir=lib) >cinstall.log 2>&1 ||
    fail "cargo cinstall: $(cat cinstall.log)"
# It puts data into share.
tree ours | sed 's|^lib/cmake|share/cmake|' | LC_ALL=C sort >expected
tree theirs >found
same "what cargo cinstall installs" expected found
for what in --modversion '--cflags --libs' '--static --libs'; do
    for who in ours theirs; do
        # shellcheck disable=SC2086 # several words
        PKG_CONFIG_PATH=$who/lib/pkgconfig pkg-config $what imo2skype | sed 's|-\([IL]\)[^ ]*/|-\1|g' >"$who.says"
    done
    # It keeps -lgcc_s, which build.sh leaves to the compiler.
    sed 's/-lgcc_s //' theirs.says >expected
    same "pkg-config $what, which cargo-c says otherwise," expected ours.says
done
readelf -d theirs/lib/libimo2skype.so | grep -q "SONAME.*\[$soname\]" || fail "cargo-c gives another SONAME than $soname"
by_cmake "$work/theirs"
