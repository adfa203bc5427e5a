#!/usr/bin/env bash
# make-node.sh <tag> <node>: a stand-in for node:24-bookworm-slim, of a Node 24 and the npm of this machine.
set -euo pipefail

tag=$1 node=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(mktemp -d "${TMPDIR:-/tmp}/jobber-stand-in-XXXXXX")
trap 'rm -rf "$root"' EXIT

"$here/copy-programs.sh" "$root" sh bash env cat cp ls mkdir mv rm ln chmod chown id uname sed grep true false sleep "$node"
mkdir -p "$root/usr/local/bin" "$root/usr/local/lib/node_modules"
[ "$root$node" -ef "$root/usr/local/bin/node" ] || mv "$root$node" "$root/usr/local/bin/node"
cp -a "$(dirname "$(dirname "$(readlink -f "$(type -P npm)")")")" "$root/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
mkdir -p "$root/etc/ssl/certs"
cp -L "${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" "$root/etc/ssl/certs/ca-certificates.crt"
[ -e "$root/bin/sh" ] || ln -s "$(type -P sh)" "$root/bin/sh"

tar -C "$root" -c . | docker import \
  --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
  --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' \
  --change 'CMD ["node"]' - "$tag" >/dev/null
