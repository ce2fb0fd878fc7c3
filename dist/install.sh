#!/bin/sh
# Installs imo2sproxy and imo2skype-gateway with their manual, completions and services; see usage below.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

usage() {
    cat <<EOF
dist/install.sh [OPTIONS]

Installs imo2sproxy and imo2skype-gateway with manual pages, completions for bash, zsh and fish, systemd units, D-Bus
files and examples of a configuration and for logrotate. Nothing is started, and nothing is written to /etc: with
another prefix than /usr, D-Bus finds the rules for the system bus only after
  cp PREFIX/share/dbus-1/system.d/com.Skype.API.conf /etc/dbus-1/system.d/

  --prefix DIR    below which they go; default: /usr/local
  --destdir DIR   put DIR in front of PREFIX, for those who make packages (or DESTDIR in the environment)
  --programs DIR  where the programs are; default: target/release, where cargo build --release puts them
  --uninstall     remove what the same call without it would install
  --help          this text
EOF
}

misuse() {
    echo "install.sh: $*; --help tells more" >&2
    exit 2
}

destdir=${DESTDIR:-}
prefix=/usr/local
programs=$root/target/release
uninstall=
while [ $# -gt 0 ]; do
    case $1 in
    --prefix=* | --destdir=* | --programs=*)
        option=${1%%=*}
        value=${1#*=}
        shift
        set -- "$option" "$value" "$@"
        continue
        ;;
    --prefix | --destdir | --programs)
        [ $# -gt 1 ] || misuse "$1 wants a folder"
        case $1 in
        --prefix) prefix=$2 ;;
        --destdir) destdir=$2 ;;
        --programs) programs=$2 ;;
        esac
        shift
        ;;
    --uninstall) uninstall=yes ;;
    --help)
        usage
        exit
        ;;
    *) misuse "there is no option $1" ;;
    esac
    shift
done
# It is written into files of systemd and D-Bus, which have words of their own for blanks and signs.
case $prefix in
/*[!A-Za-z0-9._/+-]* | [!/]* | '') misuse "--prefix is a folder such as /usr/local, from the root, not $prefix" ;;
esac
prefix=${prefix%/}
to=$destdir$prefix

if [ -z "$uninstall" ]; then
    for program in imo2sproxy imo2skype-gateway; do
        if [ ! -x "$programs/$program" ]; then
            echo "install.sh: there is no $programs/$program; make it with: cargo build --release" >&2
            exit 1
        fi
    done
fi

# put MODE FROM TO: installs a file below PREFIX, or removes it. In text, it says where the programs are.
put() {
    if [ -n "$uninstall" ]; then
        rm -f "$to/$3"
        return
    fi
    mkdir -p "$(dirname "$to/$3")"
    if [ "$1" = 755 ]; then
        install -m 755 "$2" "$to/$3"
    else
        # A new file, so that whoever reads the old one goes on with it.
        rm -f "$to/$3"
        sed "s|@bindir@|$prefix/bin|g; s|@datadir@|$prefix/share|g; s|@libdir@|$prefix/lib|g" "$2" >"$to/$3"
        chmod "$1" "$to/$3"
    fi
}

# put_all FOLDER FILE...: the same for those files that there are, under their names without .in.
put_all() {
    folder=$1
    shift
    for file; do
        [ -f "$file" ] || continue
        name=${file##*/}
        put 644 "$file" "$folder/${name%.in}"
    done
}

for program in imo2sproxy imo2skype-gateway; do
    put 755 "$programs/$program" "bin/$program"
    put 644 "$root/completions/$program.bash" "share/bash-completion/completions/$program"
    put 644 "$root/completions/_$program" "share/zsh/site-functions/_$program"
    put 644 "$root/completions/$program.fish" "share/fish/vendor_completions.d/$program.fish"
done
put_all share/man/man1 "$root"/man/*.1
put_all share/man/man5 "$root"/man/*.5

units="$root/dist/systemd"
put_all lib/systemd/system "$units"/*.service "$units"/*.socket "$units"/*.service.in "$units"/*.socket.in
# Below share, where systemd looks in every prefix, that of a user too.
put_all share/systemd/user "$units"/user/*.service "$units"/user/*.socket "$units"/user/*.service.in
put_all lib/sysusers.d "$units"/sysusers.d/*.conf
put_all lib/tmpfiles.d "$units"/tmpfiles.d/*.conf
put_all share/dbus-1/services "$root"/dist/dbus/com.Skype.API.service*
put_all share/dbus-1/system.d "$root"/dist/dbus/com.Skype.API.conf*
# Examples: what is in /etc belongs to whoever looks after the machine.
put_all share/doc/imo2skype/examples "$root"/dist/*.toml
for file in "$root"/dist/logrotate/*; do
    [ ! -f "$file" ] || put 644 "$file" "share/doc/imo2skype/examples/${file##*/}.logrotate"
done

if [ -n "$uninstall" ]; then
    rmdir "$to/share/doc/imo2skype/examples" "$to/share/doc/imo2skype" 2>/dev/null || true
fi
