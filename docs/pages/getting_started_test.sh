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
    echo "startup --output_user_root=$HOME/bazel --batch" >"$HOME/.bazelrc"
    if [[ $2 == analyse ]]; then
      "$here/docs/pages/run_page.py" "$page" --only-files
      third_party/weir/bazelw build --nobuild //:publisher //:subscriber
    else
      "$here/docs/pages/run_page.py" "$page" --only "With Bazel"
    fi
    ;;
  *)
    # shellcheck disable=SC2016  # for the script that is written
    printf '#!/bin/bash\n[[ $1 == run && $2 == //:install && $3 == -- ]] && exec %q "${@:4}"\n' "$here/$2" >bazelw
    chmod +x bazelw
    "$here/docs/pages/run_page.py" "$page" --without "With Bazel"
    ;;
esac
