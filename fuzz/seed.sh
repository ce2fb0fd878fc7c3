#!/bin/sh
# Fills fuzz/corpus/request with one file for each form of command.
set -eu
cd "$(dirname "$0")"
mkdir -p corpus/request
grep -v '^#' ../tests/reference/commands.txt | grep '|' | cut -d '|' -f 1 |
    sed -e 's/[][]//g' -e 's/<user>/bob/g' -e 's/<users>/bob, cecil/g' -e 's/<id>/100002/g' -e 's/<chat>/#alice\/$bob/g' \
        -e 's/<stream>/bob:1/g' -e 's/<app>/demo/g' -e 's/<bool>/TRUE/g' -e 's/<number>/1/g' -e 's/<path>/\/pics\/a.jpg/g' \
        -e 's/<property>/STATUS/g' -e 's/<role>/HELPER/g' -e 's/<[a-z]*>/x/g' |
    awk '{ file = "corpus/request/" NR; printf "%s", $0 > file; close(file) }'
