#!/bin/bash
# with_version.sh <version.h> <template>: the template with the version in place of @VERSION@, and in place of @SERIES@
# what has one binary interface: MAJOR.MINOR before 1.0, MAJOR afterwards.
set -euo pipefail

part() {
  sed -n "s/^#define WEIR_VERSION_$1 \([0-9]*\)$/\1/p" "$header"
}

header=$1
major=$(part MAJOR)
minor=$(part MINOR)
patch=$(part PATCH)
[[ $major && $minor && $patch ]] || {
  echo "with_version.sh: no version in $header" >&2
  exit 1
}
series=$major
((major)) || series=$major.$minor
sed -e "s/@VERSION@/$major.$minor.$patch/g" -e "s/@SERIES@/$series/g" -e "s/@MAJOR@/$major/g" -e "s/@MINOR@/$minor/g" "$2"
