#!/usr/bin/env bash
# make-pulsar.sh <tag> <folder with the broker's jars>: a stand-in for the official image of Apache Pulsar, of this
# machine's Java and the jars that `npm run pulsar` has fetched.
set -euo pipefail

tag=$1 jars=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(mktemp -d "${TMPDIR:-/tmp}/jobber-stand-in-XXXXXX")
trap 'rm -rf "$root"' EXIT

java=$(dirname "$(dirname "$(readlink -f "$(type -P java)")")")
"$here/copy-programs.sh" "$root" sh bash env cat ls mkdir rm id sed sleep uname curl \
  "$java"/lib/lib{java,jli,jimage,net,nio,zip,verify,management,management_ext,instrument,extnet,prefs}.so "$java/lib/server/libjvm.so" "$java/bin/java"
# Its settings are links to /etc, some of which lead nowhere.
for part in conf lib; do cp -aL --no-preserve=ownership "$java/$part" "$root$java/" 2>/dev/null || true; done
rm -f "$root$java/lib/ct.sym" "$root$java/lib/src.zip"
mkdir -p "$root/pulsar/bin" "$root/pulsar/conf" "$root/pulsar/data" "$root/pulsar/logs"
cp -r "$jars" "$root/pulsar/lib"
cp "$here/pulsar-start.sh" "$root/pulsar/bin/pulsar"
chmod 755 "$root/pulsar/bin/pulsar"
# The cache that the jars come from may be closed to other users.
chmod -R a+rX "$root/pulsar"
chown -R 10000:0 "$root/pulsar/data" "$root/pulsar/conf" "$root/pulsar/logs"
echo 'pulsar:x:10000:0:pulsar:/pulsar/data:/bin/sh' >>"$root/etc/passwd"
[ -e "$root/bin/sh" ] || ln -s "$(type -P sh)" "$root/bin/sh"

tar -C "$root" -c . | docker import \
  --change "ENV PATH=$java/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
  --change "ENV JAVA_HOME=$java" \
  --change 'WORKDIR /pulsar' \
  --change 'USER 10000' \
  --change 'CMD ["bash"]' - "$tag" >/dev/null
