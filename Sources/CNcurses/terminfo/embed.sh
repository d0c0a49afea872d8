#!/bin/sh
# Compiles vise-xterm.ti with tic (package ncurses-bin, 6.1 or later) and writes
# ../embedded_entry.h, which holds it in the form that the TERMINFO variable takes.
set -eu
cd "$(dirname "$0")"
compiled=$(mktemp -d)
trap 'rm -r "$compiled"' EXIT
tic -x -o "$compiled" vise-xterm.ti
{
  echo '// Made by terminfo/embed.sh from terminfo/vise-xterm.ti; do not edit.'
  echo 'static const char embedded_entry[] ='
  printf '    "b64:"\n'
  base64 -w 88 "$compiled/v/vise-xterm" | sed 's/.*/    "&"/; $s/$/;/'
} >../embedded_entry.h
