#!/bin/bash
# Runs the commands of the pages in mounts and processes of its own: a /tmp, a /dev/shm and a host "camera-host", as pages
# name them, a group "robots", and nothing that stays behind.
#
#   commands_test.sh LABEL=PROGRAM...
set -euo pipefail

# The files of the test, and those that they are links to, may lie in /tmp themselves: those folders of it stay.
kept=()
for place in "$PWD" "$(readlink -f docs/pages/commands/commands_test.py)"; do
  [[ $place != /tmp/* ]] || kept+=("/tmp/$(cut -d/ -f3 <<<"$place")")
done
as_root=()
((EUID == 0)) || as_root=(--user --map-root-user)
unshare "${as_root[@]}" --mount true || {
  echo "FAILED: mount namespaces are forbidden on this machine"
  exit 1
}
# shellcheck disable=SC2016  # the names are those of the inner shell
exec unshare "${as_root[@]}" --mount --pid --fork --kill-child --mount-proc bash -euc '
  here=$PWD
  # As long as they are open they can be reached, though the new /tmp covers them.
  kept=()
  while [[ $1 != -- ]]; do
    exec {directory}<"$1"
    kept+=("$directory:$1")
    shift
  done
  shift
  mount -t tmpfs -o mode=1777 none /dev/shm
  mount -t tmpfs -o mode=1777 none /tmp
  for folder in "${kept[@]}"; do
    directory=${folder%%:*}
    mkdir -p "${folder#*:}"
    mount --no-canonicalize --rbind "/proc/self/fd/$directory" "${folder#*:}"
    exec {directory}<&-
  done
  cd "$here"
  # A group of root, which is the only one that a user can give files to in a namespace.
  { cat /etc/hosts; echo "127.0.0.1 camera-host"; } >/tmp/hosts
  { cat /etc/group; echo "robots:x:0:"; } >/tmp/group
  mount --bind /tmp/hosts /etc/hosts
  mount --bind /tmp/group /etc/group
  unset TEST_TMPDIR TEST_SRCDIR RUNFILES_DIR
  export TMPDIR=/tmp
  docs/pages/commands/commands_test.py "$@"' bash "${kept[@]}" -- "$@"
