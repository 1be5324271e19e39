#!/bin/bash
# Runs the commands of the pages in mounts and processes of its own: a /tmp, a /dev/shm and a host "camera-host", as pages
# name them, a group "robots", and nothing that stays behind.
#
#   commands_test.sh LABEL=PROGRAM...
set -euo pipefail

# The files of the test may lie in /tmp themselves; links lead from one of its folders to another.
kept=$PWD
[[ $kept == /tmp/* ]] && kept=/tmp/$(cut -d/ -f3 <<<"$kept")
as_root=()
((EUID == 0)) || as_root=(--user --map-root-user)
unshare "${as_root[@]}" --mount true || {
  echo "FAILED: mount namespaces are forbidden on this machine"
  exit 1
}
# shellcheck disable=SC2016  # the names are those of the inner shell
exec unshare "${as_root[@]}" --mount --pid --fork --kill-child --mount-proc bash -euc '
  kept=$1
  here=$PWD
  exec {directory}<"$kept"
  mount -t tmpfs -o mode=1777 none /dev/shm
  mount -t tmpfs -o mode=1777 none /tmp
  if [[ $kept == /tmp/* ]]; then
    mkdir -p "$kept"
    mount --no-canonicalize --rbind "/proc/self/fd/$directory" "$kept"
  fi
  exec {directory}<&-
  cd "$here"
  # A group of root, which is the only one that a user can give files to in a namespace.
  { cat /etc/hosts; echo "127.0.0.1 camera-host"; } >/tmp/hosts
  { cat /etc/group; echo "robots:x:0:"; } >/tmp/group
  mount --bind /tmp/hosts /etc/hosts
  mount --bind /tmp/group /etc/group
  unset TEST_TMPDIR TEST_SRCDIR RUNFILES_DIR
  export TMPDIR=/tmp
  docs/pages/commands/commands_test.py "${@:2}"' bash "$kept" "$@"
