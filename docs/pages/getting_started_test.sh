#!/bin/bash
# Does what docs/getting-started.md says, with a home of its own. The page's commands for Bazel are those of a second
# workspace, which is a test by itself.
#
#   getting_started_test.sh PAGE INSTALLER        all but Bazel
#   getting_started_test.sh PAGE analyse|build    Bazel: only as far as Bazel understands all files, or all of it
set -euo pipefail

here=$PWD
page=$here/$1
HOME=$(mktemp -d /tmp/weir-page.XXXXXX)
WEIR_ROOT=$(mktemp -d /dev/shm/weir-page.XXXXXX)
export HOME WEIR_ROOT
trap 'chmod -R u+w "$HOME"; rm -rf "$HOME" "$WEIR_ROOT"' EXIT

mkdir "$HOME/checkout"
cd "$HOME/checkout"
case $2 in
  analyse | build)
    # The checkout, which Bazel's links lead to.
    checkout=$(dirname -- "$(readlink -f -- "$here/WORKSPACE")")
    mkdir -p "$HOME/greetings/third_party"
    ln -s "$checkout" "$HOME/greetings/third_party/weir"
    cd "$HOME/greetings"
    # What docs/protobuf.md says of Bazel.
    mkdir messages
    printf 'syntax = "proto3";\nmessage Info { int64 id = 1; }\n' >messages/info.proto
    printf '%s\n' '#include "adapters/protobuf/message.h"' '#include "messages/info.pb.h"' \
      'int main() { Info info; return weir::protobuf::parse(weir::Sample(), info) ? 1 : 0; }' >messages/infos.cc
    cat >messages/BUILD <<'END'
load("@rules_cc//cc:defs.bzl", "cc_binary")
load("@weir//third_party:proto.bzl", "cc_proto")

cc_proto(name = "info_proto", src = "info.proto")
cc_binary(name = "infos", srcs = ["infos.cc"], deps = [":info_proto", "@weir//adapters/protobuf", "@weir//transport/shm"])
END
    echo "startup --output_user_root=$HOME/bazel --batch" >"$HOME/.bazelrc"
    if [[ $2 == analyse ]]; then
      "$here/docs/pages/run_page.py" "$page" --only-files
      third_party/weir/bazelw build --nobuild //:publisher //:subscriber //messages:infos
    else
      "$here/docs/pages/run_page.py" "$page" --only "With Bazel"
      third_party/weir/bazelw build //messages:infos
    fi
    ;;
  *)
    # shellcheck disable=SC2016  # for the script that is written
    printf '#!/bin/bash\n[[ $1 == run && $2 == //:install && $3 == -- ]] && exec %q "${@:4}"\n' "$here/$2" >bazelw
    chmod +x bazelw
    "$here/docs/pages/run_page.py" "$page" --without "With Bazel"
    ;;
esac
