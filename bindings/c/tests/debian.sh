#!/bin/sh
# Builds the Debian packages, installs them with dpkg, and uses them: compiles the example, runs the programs, removes
# all again. They go into a folder of their own with a database of its own, in which the packages of this machine that
# they depend on are installed; the machine itself stays as it is.
set -eu
root=$ROOT
. "$root/bindings/c/names.sh"
. "$root/bindings/c/tests/lib/example.sh"
if ! command -v dpkg >/dev/null 2>&1; then
    echo "NOT CHECKED: Debian packages; this is no Debian" >&2
    exit
fi
need "${CC:-cc}" gcc
need cmake cmake
need make make
need pkg-config pkg-config
need dpkg-shlibdeps dpkg-dev

as_root() {
    "$@"
}
if [ "$(id -u)" != 0 ]; then
    need fakeroot fakeroot
    as_root() {
        fakeroot -- "$@"
    }
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# ldconfig is where only root looks.
PATH=$PATH:/usr/sbin:/sbin
runtime=libimo2skype${soname##*.}
libraries=usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)

# Packing well takes a minute.
DPKG_DEB_COMPRESSOR_TYPE=gzip DPKG_DEB_COMPRESSOR_LEVEL=1 "$root/bindings/c/debian/build.sh" packages >build.log 2>&1 ||
    fail "no packages: $(cat build.log)"
[ "$(ls packages | sed 's/_.*//' | tr '\n' ' ')" = "imo2sproxy libimo2skype-dev $runtime " ] ||
    fail "other packages than expected: $(ls packages)"

for package in "$runtime" imo2sproxy; do
    [ -z "$(dpkg-deb -f packages/"$package"_*.deb Depends | tr ',' '\n' | grep -Ev '^ *(libc6|libgcc-s1)( \(.*\))?$')" ] ||
        fail "$package depends on more than the C library: $(dpkg-deb -f packages/"$package"_*.deb Depends)"
done

machine=$work/machine
mkdir -p machine database/info database/updates database/triggers
dpkg-query --status libc6 libgcc-s1 >database/status
echo 1 >database/info/format
for package in libc6 libgcc-s1; do
    : >"database/info/$package:$(dpkg --print-architecture).list"
done
system() { # system DPKG-ARGUMENTS
    as_root dpkg --instdir="$machine" --admindir="$work/database" --log="$work/dpkg.log" --force-script-chrootless "$@" \
        >dpkg.out 2>&1
}

# In place of the package that runs ldconfig: it notes that it was asked to.
mkdir -p listener/DEBIAN
cat >listener/DEBIAN/control <<EOF
Package: listener
Version: 1
Architecture: all
Maintainer: nobody <nobody@packages.invalid>
Description: hears of new libraries
EOF
echo 'interest-noawait ldconfig' >listener/DEBIAN/triggers
cat >listener/DEBIAN/postinst <<'EOF'
#!/bin/sh
[ "$1" != triggered ] || echo "$2" >"$DPKG_ROOT/triggered"
EOF
chmod 755 listener/DEBIAN/postinst
dpkg-deb --root-owner-group --build listener listener.deb >/dev/null
system -i listener.deb || fail "dpkg does not work in a folder here: $(cat dpkg.out)"

# The header is of no use without the library, and of another version it is wrong.
! system -i packages/libimo2skype-dev_*.deb || fail "libimo2skype-dev is content without $runtime"
grep -q "libimo2skype-dev.* depends on $runtime (= " dpkg.out || fail "libimo2skype-dev misses: $(cat dpkg.out)"

system -i packages/*.deb || fail "dpkg -i: $(cat dpkg.out)"
[ "$(cat machine/triggered)" = ldconfig ] || fail "ldconfig was not asked for"
rm machine/triggered
system --verify && [ ! -s dpkg.out ] || fail "dpkg --verify: $(cat dpkg.out)"
ldconfig -n -v "machine/$libraries" 2>/dev/null | grep -q "$soname -> $shared\$" || fail "ldconfig makes other links"

# Against the shared library, with the dependency that a package of the program would get.
PKG_CONFIG_SYSROOT_DIR=$machine
PKG_CONFIG_LIBDIR=$machine/$libraries/pkgconfig
PKG_CONFIG_SYSTEM_LIBRARY_PATH=
PKG_CONFIG_SYSTEM_INCLUDE_PATH=
export PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_LIBDIR PKG_CONFIG_SYSTEM_LIBRARY_PATH PKG_CONFIG_SYSTEM_INCLUDE_PATH
# shellcheck disable=SC2046 # several flags
"${CC:-cc}" "$root/examples/c/chat.c" -o shared $(pkg-config --cflags --libs imo2skype)
LD_LIBRARY_PATH="machine/$libraries" chats ./shared
mkdir debian
: >debian/control
dpkg-deb -R packages/"$runtime"_*.deb extracted
dpkg-shlibdeps -Sextracted -O shared 2>shlibdeps.log | grep -q "$runtime (>= 0\.1\.0)" ||
    fail "a program does not come to depend on $runtime: $(cat shlibdeps.log)"

# Against the static one, which has been stripped.
mkdir project
cat >project/CMakeLists.txt <<EOF
cmake_minimum_required(VERSION 3.16)
project(chat C)
find_package(imo2skype $version REQUIRED CONFIG)
add_executable(static "$root/examples/c/chat.c")
target_link_libraries(static imo2skype::static)
EOF
cmake -S project -B project/build "-DCMAKE_PREFIX_PATH=$machine/usr" >cmake.log 2>&1 &&
    cmake --build project/build >>cmake.log 2>&1 || fail "CMake: $(cat cmake.log)"
chats project/build/static

# The programs.
[ "$(machine/usr/bin/imo2skype-gateway --version)" = "imo2skype-gateway $version" ] || fail "imo2skype-gateway is another"
echo 'MESSAGE echo123 hello' | IMO2SKYPE_PASSWORD=secret machine/usr/bin/imo2sproxy -m c --data-dir data alice >proxy.log 2>&1 ||
    fail "imo2sproxy ends with status $?: $(cat proxy.log)"
grep -q 'STATUS RECEIVED' proxy.log || fail "imo2sproxy does not hear the echo: $(cat proxy.log)"

system -P imo2sproxy libimo2skype-dev "$runtime" || fail "dpkg -P: $(cat dpkg.out)"
[ "$(cat machine/triggered)" = ldconfig ] || fail "ldconfig was not asked for when the library went"
left=$(find machine ! -type d ! -name triggered)
[ -z "$left" ] || fail "not removed: $left"
