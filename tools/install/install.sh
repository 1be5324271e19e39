#!/bin/bash
# Lays weir down in a tree: ./bazelw run //:install -- --prefix DIR
#
# Every file is put in place by a rename, so programs that run keep the library that they have open, and an installation
# over another one is never half there to somebody who looks. share/weir/files lists what was laid down, and the
# directories that were made for it (with a slash behind): the next installation removes what it no longer brings, and
# --uninstall removes all.
set -euo pipefail

usage="usage: ./bazelw run //:install -- --prefix DIR [--destdir DIR] [--uninstall]

  --prefix DIR    the tree: headers go to DIR/include/weir, libraries to DIR/lib, programs to DIR/bin
  --destdir DIR   put the tree under this directory, for packages: DIR/prefix/... (also the variable DESTDIR)
  --uninstall     remove what was installed at this prefix"

die() {
  echo "install: $*" >&2
  exit 1
}
wrong() {
  printf 'install: %s\n%s\n' "$*" "$usage" >&2
  exit 2
}

prefix=
destdir=${DESTDIR:-}
uninstall=
while (($#)); do
  case $1 in
    --prefix | --destdir)
      [[ ${2:-} ]] || wrong "$1 needs a directory"
      printf -v "${1#--}" %s "$2"
      shift
      ;;
    --prefix=?*) prefix=${1#*=} ;;
    --destdir=?*) destdir=${1#*=} ;;
    --uninstall) uninstall=yes ;;
    --help | -h)
      echo "$usage"
      exit 0
      ;;
    *) wrong "unknown argument \"$1\"" ;;
  esac
  shift
done
[[ $prefix ]] || wrong "no --prefix: name the tree to install into, for example --prefix \"\$HOME/weir\""

# Bazel starts this in a directory of its own: what is relative is meant from where the user is.
from=${BUILD_WORKING_DIRECTORY:-$PWD}
[[ $prefix == /* ]] || prefix=$from/$prefix
[[ -z $destdir || $destdir == /* ]] || destdir=$from/$destdir
tree=$destdir$prefix
list=share/weir/files

[[ ! -e $tree || -d $tree ]] || die "$tree is not a directory: give another --prefix"

# Removes files of the tree, and then the directories among what is named that are empty.
remove() {
  local entry
  for entry in "$@"; do
    [[ $entry == */ ]] || rm -f -- "$tree/$entry" || die "cannot remove $tree/$entry"
  done
  printf '%s\n' "$@" | LC_ALL=C sort -r | while read -r entry; do # what is inside another comes first
    [[ $entry != */ ]] || rmdir -- "$tree/$entry" 2>/dev/null || true
  done
}

if [[ $uninstall ]]; then
  [[ -f $tree/$list ]] || die "nothing is installed in $tree: there is no $tree/$list"
  mapfile -t former <"$tree/$list"
  remove "${former[@]}" "$list"
  echo "Removed weir from $tree"
  exit
fi

# Where the files are: in a directory of this program, or, among the files of a test, around it.
here=$0.runfiles/weir
[[ -d $here ]] || here=$(dirname -- "$0")/../..
manifest=$here/tools/install/manifest
[[ -f $manifest ]] || die "its files are not here: start it as ./bazelw run //:install"

mkdir -p -- "$tree" || die "cannot make $tree: give another --prefix, or run it as a user who may write there"
[[ -w $tree ]] || die "cannot write in $tree: give another --prefix, or run it as a user who may write there"
former=()
[[ ! -f $tree/$list ]] || mapfile -t former <"$tree/$list"

new=
trap '[[ -z $new ]] || rm -f -- "$new"' EXIT
laid=()
# Makes a directory of the tree, and those above it.
make_directory() {
  [[ ! -d $tree/$1 ]] || return 0
  make_directory "$(dirname -- "$1")"
  mkdir -- "$tree/$1" || die "cannot make the directory $tree/$1"
  laid+=("$1/")
}
# Puts what `make`, called with the name of a new file, has made into the tree.
put() {
  local to=$tree/$1
  make_directory "$(dirname -- "$1")"
  shift
  new=$(dirname -- "$to")/.weir-new-$$
  { "$@" "$new" && mv -fT -- "$new" "$to"; } || die "cannot write $to"
  new=
}

for entry in "${former[@]}"; do
  [[ $entry != */ || ! -d $tree/$entry ]] || laid+=("$entry") # made by the former one: still ours
done
while read -r kind from_or_target to; do
  case $kind in
    link) put "$to" ln -sT -- "$from_or_target" ;;
    *) put "$to" install -m "$kind" -- "$here/$from_or_target" ;;
  esac
  laid+=("$to")
done <"$manifest"
make_directory "$(dirname -- "$list")"
write_list() { printf '%s\n' "${laid[@]}" | LC_ALL=C sort -u >"$1"; }
put "$list" write_list

if ((${#former[@]})); then
  mapfile -t old < <(printf '%s\n' "${former[@]}" | LC_ALL=C sort -u | LC_ALL=C comm -23 - "$tree/$list")
  mapfile -t directories < <(grep '/$' "$tree/$list")
  remove "${old[@]}" "${directories[@]}"
fi

echo "Installed weir in $tree
  g++        PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags --libs weir
  CMake      cmake -DCMAKE_PREFIX_PATH=$prefix
  programs   PATH=$prefix/bin:\$PATH
  at run     -Wl,-rpath,$prefix/lib, or LD_LIBRARY_PATH; in a directory of the system: ldconfig"
