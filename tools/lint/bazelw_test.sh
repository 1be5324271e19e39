#!/bin/bash
# What `bazelw` installs, what it says of it, and how it fails, with tools of a Debian machine that note what they are asked.
set -euo pipefail

bazelw=$(readlink -f -- "$1")
packages=$(readlink -f -- "$2")
scratch=$(mktemp -d "$TEST_TMPDIR/bazelw.XXXXXX")
failures=0

# shellcheck disable=SC2016  # the tools expand what is quoted
# A checkout with its own list of packages, and a machine on which `installed` names what is there.
prepare() {
  rm -rf "${scratch:?}"/*
  mkdir -p "$scratch/checkout/third_party" "$scratch/tools" "$scratch/elsewhere"
  cp "$bazelw" "$scratch/checkout/bazelw"
  printf '%s\n' '# a comment' 'build  alpha   # why' 'build  beta' 'lint   gamma   # checks' \
    >"$scratch/checkout/third_party/packages.txt"
  : >"$scratch/installed"
  : >"$scratch/asked"
  tool dpkg-query 'while read -r name; do echo "ii  $name"; done <"$scratch/installed"'
  tool apt-get 'echo "apt-get $*" >>"$scratch/asked"
    if [[ -e $scratch/no-lists ]]; then
      for word; do [[ $word == update ]] && rm "$scratch/no-lists" && exit; done
      echo "E: Unable to locate package"; exit 100
    fi
    [[ ! -e $scratch/broken ]] || { echo "E: no such archive"; exit 100; }
    for word; do case $word in alpha | beta | gamma) echo "$word" >>"$scratch/installed" ;; esac; done'
  tool sudo '[[ $1 != --non-interactive ]] || shift
    exec "$@"'
}

tool() {
  printf '#!/bin/bash\nscratch=%q\n%s\n' "$scratch" "$2" >"$scratch/tools/$1"
  chmod +x "$scratch/tools/$1"
}

# Runs bazelw on that machine; sets `said` to its output and `status` to its end.
run() {
  status=0
  said=$(cd "$scratch/elsewhere" && PATH=$scratch/tools:/usr/bin:/bin TMPDIR=$scratch/elsewhere \
    "$scratch/checkout/bazelw" "$@" 2>&1 </dev/null) || status=$?
}

expect() {
  local what=$1
  shift
  if ! "$@"; then
    echo "FAILED: $what: [$*]; it ended with $status and said: $said"
    failures=$((failures + 1))
  fi
}

prepare
run --install build
expect "what is missing is installed" [ "$status" = 0 ]
expect "one line says what" [ "$said" = "bazelw: installing alpha beta" ]
expect "in one go, without what is only recommended" grep -q 'install --yes --no-install-recommends alpha beta$' "$scratch/asked"
expect "the other group stays away" [ "$(sort "$scratch/installed" | tr '\n' ' ')" = "alpha beta " ]
expect "no log is left" [ -z "$(ls -A "$scratch/elsewhere")" ]

prepare
echo beta >"$scratch/installed"
run --install build
expect "only what is missing is named" [ "$said" = "bazelw: installing alpha" ]

prepare
printf 'alpha\nbeta\n' >"$scratch/installed"
run --install build
expect "with all there nothing is said" [ -z "$said$(cat "$scratch/asked")" ]
expect "and it is well" [ "$status" = 0 ]

prepare
touch "$scratch/no-lists"
run --install build
expect "without lists of packages they are fetched first" grep -q ' update$' "$scratch/asked"
expect "and then it installs" [ "$status" = 0 ]

prepare
touch "$scratch/broken"
run --install build
expect "apt's failure is one of bazelw" [ "$status" = 1 ]
expect "with apt's words" [ "${said/no such archive/}" != "$said" ]
expect "and what was wanted" [ "${said/cannot install alpha beta/}" != "$said" ]

prepare
run --install paint
expect "an unknown group is an error" [ "$status" = 1 ]
expect "that names it" [ "$said" = "bazelw: third_party/packages.txt has no group 'paint'" ]

if unshare --user --map-user=12345 true; then
  prepare
  rm "$scratch/tools/sudo"
  ln -s "$(command -v readlink)" "$(command -v dirname)" "$scratch/tools"
  said_as_user=$(cd "$scratch/elsewhere" && unshare --user --map-user=12345 env PATH="$scratch/tools" \
    /bin/bash "$scratch/checkout/bazelw" --install build 2>&1 </dev/null) && status=0 || status=$?
  said=$said_as_user
  expect "without root and sudo it is refused" [ "$status" = 1 ]
  expect "with the command for root" [ "${said/not root and no sudo; as root run: apt-get update/}" != "$said" ]
elif [[ ! ${WEIR_ALLOW_INCONCLUSIVE:-} ]]; then
  echo "INCONCLUSIVE: this machine does not allow user namespaces, so who is neither root nor has sudo was not tested." \
    "Set WEIR_ALLOW_INCONCLUSIVE=1 to let that pass."
  failures=$((failures + 1))
fi

# The real list: every line is a group that somebody installs, and a package.
while read -r group name rest; do
  [[ -z $group || $group == '#'* ]] && continue
  status=0 said="$group $name $rest"
  expect "a package in a group that is installed" [ "${group/lint/build}" = build ]
  expect "and nothing behind it but why" [ -z "${rest%%\#*}" ]
done <"$packages"

exit "$((failures > 0))"
