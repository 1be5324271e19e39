#!/bin/bash
# Lays weir down in a tree: ./bazelw run //:install -- --prefix DIR
#
# Every file is put in place by a rename, so programs that run keep the library that they have open, and an installation
# over another one is never half there to somebody who looks. share/weir/files lists what was laid down: the next
# installation removes what it no longer brings, and --uninstall removes all.
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

# Removes a file of the tree, and the directories that it leaves empty.
remove() {
  rm -f -- "$tree/$1" || die "cannot remove $tree/$1"
  local directory
  directory=$(dirname -- "$1")
  while [[ $directory != . ]] && rmdir -- "$tree/$directory" 2>/dev/null; do
    directory=$(dirname -- "$directory")
  done
}

if [[ $uninstall ]]; then
  [[ -f $tree/$list ]] || die "nothing is installed in $tree: there is no $tree/$list"
  mapfile -t former <"$tree/$list"
  for file in "${former[@]}" "$list"; do remove "$file"; done
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
# Puts what `make`, called with the name of a new file, has made into the tree.
put() {
  local to=$tree/$1
  shift
  mkdir -p -- "$(dirname -- "$to")" || die "cannot make the directory of $to"
  new=$(dirname -- "$to")/.weir-new-$$
  { "$@" "$new" && mv -fT -- "$new" "$to"; } || die "cannot write $to"
  new=
}

laid=()
while read -r kind from_or_target to; do
  case $kind in
    link) put "$to" ln -sT -- "$from_or_target" ;;
    *) put "$to" install -m "$kind" -- "$here/$from_or_target" ;;
  esac
  laid+=("$to")
done <"$manifest"
write_list() { printf '%s\n' "${laid[@]}" >"$1"; }
put "$list" write_list

for file in "${former[@]}"; do
  [[ $'\n'$(printf '%s\n' "${laid[@]}")$'\n' == *$'\n'"$file"$'\n'* ]] || remove "$file"
done

echo "Installed weir in $tree
  g++        PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags --libs weir
  CMake      cmake -DCMAKE_PREFIX_PATH=$prefix
  programs   PATH=$prefix/bin:\$PATH
  at run     -Wl,-rpath,$prefix/lib, or LD_LIBRARY_PATH; in a directory of the system: ldconfig"
