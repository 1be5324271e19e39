#!/bin/bash
# What ./bazelw run //:install lays down, and how it behaves when it cannot. install_test.sh <installer>
set -euo pipefail

installer=$PWD/$1
header=$PWD/transport/version.h
changelog=$PWD/CHANGELOG.md
cd "$TEST_TMPDIR"
failures=0
fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}
# expect_error <exit status> <word> <arguments...>: it ends so, with a sentence that has the word, on stderr alone.
expect_error() {
  local expected=$1 word=$2 status=0
  shift 2
  "$installer" "$@" >out 2>err || status=$?
  ((status == expected)) || fail "$*: ended with $status, not $expected"
  grep -qF -- "$word" err || fail "$*: no \"$word\" in: $(cat err)"
  [[ ! -s out ]] || fail "$*: it prints $(cat out)"
}
same_tree() { diff -r --no-dereference "$1" "$2" || fail "$1 and $2 differ"; }

echo "== Arguments and places that are wrong"
touch a_file
expect_error 2 "no --prefix"
expect_error 2 "--prefix needs a directory" --prefix
expect_error 2 '"--perfix=tree"' --perfix=tree
expect_error 1 "a_file is not a directory" --prefix a_file
expect_error 1 "cannot make $PWD/a_file/tree" --prefix a_file/tree
expect_error 1 "cannot make /proc/weir" --prefix /proc/weir
expect_error 1 "nothing is installed in $PWD/tree" --prefix tree --uninstall
[[ ! -e tree ]] || fail "a refusal left something"

echo "== Installed, over a first, staged and moved"
BUILD_WORKING_DIRECTORY=$PWD "$installer" --prefix tree >out # relative to where the user is
cp -a tree first
echo include/weir/transport/of_old.h >>tree/share/weir/files # what a former version had
touch tree/include/weir/transport/of_old.h tree/include/weir/of_the_user.h
exec {open}<tree/lib/libweir.so.0 # a program that runs
"$installer" --prefix "$PWD/tree" >out
[[ ! -e tree/include/weir/transport/of_old.h ]] || fail "a header of the former version is still there"
[[ -e tree/include/weir/of_the_user.h ]] || fail "a file that is not weir's is gone"
rm -f tree/include/weir/of_the_user.h
mkdir tree/include/weir/of_old
printf '%s\n' include/weir/of_old/ include/weir/of_old/header.h >>tree/share/weir/files
touch tree/include/weir/of_old/header.h
"$installer" --prefix "$PWD/tree" >out
[[ ! -e tree/include/weir/of_old ]] || fail "a directory of the former version is still there"
"$installer" --prefix "$PWD/tree" >out
cmp -s "/proc/self/fd/$open" first/lib/libweir.so.0 || fail "the library of a program that runs was written over"
same_tree first tree
DESTDIR=$PWD/stage "$installer" --prefix /opt/weir >out
same_tree first stage/opt/weir
"$installer" --destdir stage2 --prefix=/opt/weir >out
same_tree first stage2/opt/weir
! grep -rIlF "$PWD" stage/opt || fail "a file names the place that it was installed to"

echo "== One version"
number() { sed -n "s/^#define WEIR_VERSION_$1 //p" "$header"; }
version=$(number MAJOR).$(number MINOR).$(number PATCH)
series=$(number MAJOR)
((series)) || series=0.$(number MINOR)
moved=$PWD/stage/opt/weir
export PKG_CONFIG_PATH=$moved/lib/pkgconfig
[[ $(pkg-config --modversion weir) == "$version" ]] || fail "pkg-config: another version"
grep -qx "set(PACKAGE_VERSION \"$version\")" "$moved/lib/cmake/weir/weirConfigVersion.cmake" || fail "CMake: another version"
grep -q "^## $version" "$changelog" || fail "CHANGELOG.md does not tell of $version"
library=$moved/lib/libweir.so.$version
[[ -f $library && $(readlink -f "$moved/lib/libweir.so") == "$library" ]] || fail "libweir.so is not of $version"
soname=$(readelf -d "$library" | sed -n 's/.*Library soname: \[\(.*\)\]/\1/p')
[[ $soname == "libweir.so.$(number MAJOR)" && $(readlink -f "$moved/lib/$soname") == "$library" ]] || fail "soname $soname"

echo "== Symbols: weir's, each with its version, and no inside"
nm -DC --defined-only --with-symbol-versions "$library" | sed 's/^[0-9a-f]* *. //' | sort -u >symbols
grep -vE "^((vtable|typeinfo|typeinfo name) for )?weir::.*@@WEIR_$series\$|^WEIR_$series(@@WEIR_$series)?\$" symbols &&
  fail "these are shown too"
grep -E 'weir::(shm|inproc|plugin)::[^ ]*\(' symbols && fail "these are no business of an application"
for shown in 'weir::Node::open' 'weir::WaitSet::add' 'weir::Requester::' 'weir::set_log' 'vtable for weir::spi::PublisherPort'; do
  grep -qF "$shown" symbols || fail "no $shown"
done
readelf -d "$library" | grep -E 'NEEDED.*(zmq|iceoryx|protobuf)' && fail "libweir.so needs what only its plug-ins should"
for plugin in zmq iceoryx; do
  # gold shows, whatever a script says, what libstdc++ has too: weak, and the same.
  shown=$(nm -D --defined-only "$moved/lib/weir/$plugin.so" | sed 's/^[0-9a-f]* *. //' | grep -v '^_ZNK\?St')
  [[ $shown == weir_plugin_entry ]] || fail "$plugin.so shows $shown"
done

echo "== Headers: each is complete, under the strictest warnings"
# shellcheck disable=SC2046  # options, a word each
(cd "$moved/include/weir" && find transport -name '*.h') | sed 's/.*/#include "&"\n#include "&"/' |
  g++ -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror $(pkg-config --cflags weir) -fsyntax-only -x c++ - ||
  fail "headers"

echo "== Removed"
for tree in tree stage/opt/weir; do
  "$installer" --prefix "$PWD/$tree" --uninstall >out
  [[ ! -e $tree || -z $(ls -A "$tree") ]] || fail "still there: $(find "$tree")"
done
mkdir -p theirs/bin theirs/share/weir # which weir did not make
"$installer" --prefix "$PWD/theirs" >out
"$installer" --prefix "$PWD/theirs" >out
"$installer" --prefix "$PWD/theirs" --uninstall >out
left=$(cd theirs && find . | sort | xargs)
[[ $left == ". ./bin ./share ./share/weir" ]] || fail "of the directories of others and ours are left: $left"

((failures == 0))
