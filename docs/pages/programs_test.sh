#!/bin/bash
# The C++ of the documentation, compiled against an installed tree and nothing else: README's programs and the snippets of
# the pages with g++ and pkg-config, the tour's programs with CMake. README's and the tour's are run.
#
#   programs_test.sh <installer>
set -euo pipefail

here=$PWD
installer=$PWD/$1
frames=$here/docs/pages/frames
work=$(mktemp -d /tmp/weir-programs.XXXXXX)
WEIR_ROOT=$(mktemp -d /dev/shm/weir-programs.XXXXXX)
export WEIR_ROOT
running=()
cleanup() {
  ((${#running[@]} == 0)) || kill -KILL "${running[@]}" 2>/dev/null || true
  wait
  rm -rf "$work" "$WEIR_ROOT"
}
trap cleanup EXIT

cd "$work"
"$installer" --prefix "$work/weir" >/dev/null
export PKG_CONFIG_PATH=$work/weir/lib/pkgconfig

# compile <page> <options...>: its snippets within their frame.
compile() {
  local page=$1 name
  shift
  name=$(basename -- "$page" .md)
  mkdir "$name"
  (cd "$here" && docs/pages/snippets.py "$page" "$frames/$name.cc" "$work/$name")
  g++ -std=c++20 -Wall -Wextra -Werror -I"$name" "$frames/$name.cc" "$@"
}

echo "== README.md: run"
read -ra options < <(pkg-config --cflags --libs weir) # a word each
compile README.md -o readme "${options[@]}" -Wl,-rpath,"$work/weir/lib"
./readme

echo "== Pages: compiled"
read -ra weir < <(pkg-config --cflags weir)
read -ra weir_protobuf < <(pkg-config --cflags weir_protobuf)
printf 'syntax = "proto3";\nmessage Info { int64 id = 1; }\n' >info.proto
protoc --cpp_out=. info.proto
compile docs/tour.md -fsyntax-only "${weir[@]}"
compile docs/iceoryx.md -fsyntax-only "${weir[@]}"
compile docs/request-reply.md -fsyntax-only "${weir[@]}"
compile docs/protobuf.md -fsyntax-only -I. "${weir_protobuf[@]}"
# The archive is complete: all of it is linked, and nothing is missing.
echo 'int main() {}' >nothing.cc
read -ra libraries < <(pkg-config --libs weir_protobuf)
g++ nothing.cc -o nothing -Wl,--whole-archive "$work/weir/lib/libweir_protobuf.a" -Wl,--no-whole-archive "${libraries[@]}"

printf '%s\n' 'cmake_minimum_required(VERSION 3.20)' 'project(tour LANGUAGES CXX)' \
  'find_package(weir REQUIRED COMPONENTS protobuf)' 'add_executable(clock clock.cc)' 'add_executable(watch watch.cc)' \
  'target_link_libraries(clock weir::weir)' 'target_link_libraries(watch weir::weir)' >CMakeLists.txt

echo "== docs/tour.md: run"
cp tour/1.inc clock.cc
cp tour/2.inc watch.cc
for program in clock watch; do
  diff <(tail -n +2 "$program.cc") "$here/examples/tour/$program.cc" || {
    echo "FAILED: examples/tour/$program.cc is not what docs/tour.md shows"
    exit 1
  }
done
cmake -B build -DCMAKE_PREFIX_PATH="$work/weir" >/dev/null
cmake --build build >/dev/null
mkfifo heard
build/clock &
running=($!)
build/watch >heard &
running+=($!)
for ((line = 0; line < 3; ++line)); do
  read -r tick
  echo "$tick"
  [[ $tick =~ ^tick\ [0-9]+\ \ \(sequence\ [0-9]+,\ lost\ 0\)$ ]] || {
    echo "FAILED: that is not what the tour promises"
    exit 1
  }
done <heard
