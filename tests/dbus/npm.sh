#!/bin/sh
# Puts skype-dbus 0.0.1 of npm, the real one, into target/npm-skype-dbus, unless it is there: tests/dbus.rs runs it.
# Needs node and npm (Debian: apt-get install nodejs npm), and the internet the first time.
set -eu
cd "$(dirname "$0")/../.."
place=target/npm-skype-dbus
if [ -d "$place/node_modules/skype-dbus" ]; then
    exit 0
fi
mkdir -p "$place"
npm install --silent --no-audit --no-fund --ignore-scripts --no-save --prefix "$place" skype-dbus@0.0.1
