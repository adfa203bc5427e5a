#!/usr/bin/env bash
# make-debian.sh <tag>: a stand-in for debian:bookworm-slim, of this machine's shell and libraries.
set -euo pipefail

tag=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(mktemp -d "${TMPDIR:-/tmp}/jobber-stand-in-XXXXXX")
trap 'rm -rf "$root"' EXIT

"$here/copy-programs.sh" "$root" sh bash env cat ls id sleep
mkdir -p "$root/usr/local/bin"
[ -e "$root/bin/sh" ] || ln -s "$(type -P sh)" "$root/bin/sh"

tar -C "$root" -c . | docker import \
  --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
  --change 'CMD ["bash"]' - "$tag" >/dev/null
