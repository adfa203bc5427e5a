#!/bin/sh
# install.sh <node_modules>: adds the official client of Apache Pulsar, as the lock file beside this says, and its binary,
# which no registry has: it is downloaded from archive.apache.org, or from PULSAR_CLIENT_MIRROR.
set -eu

target=$1
cd "${0%/*}"
npm ci --ignore-scripts
if [ -n "${PULSAR_CLIENT_MIRROR:-}" ]; then export npm_config_pulsar_binary_host_mirror="$PULSAR_CLIENT_MIRROR"; fi
# Its own install script would then try to compile it, which needs Pulsar's C++ library.
if ! (cd node_modules/pulsar-client && ../.bin/node-pre-gyp install && node GenCertFile.js && node --eval 'require(".")'); then
  echo 'The binary of pulsar-client can be neither downloaded nor used here; why stands above. JOBBER_BROKER=ws needs none.' >&2
  echo 'PULSAR_CLIENT_MIRROR names a mirror of https://archive.apache.org/dist/pulsar/pulsar-client-node/.' >&2
  exit 1
fi
# With its own packages beneath it: the daemons' stay as they are.
rm -rf node_modules/.bin node_modules/.package-lock.json
mv node_modules/pulsar-client "$target/"
mv node_modules "$target/pulsar-client/"
