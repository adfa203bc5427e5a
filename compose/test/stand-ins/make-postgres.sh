#!/usr/bin/env bash
# make-postgres.sh <tag> <folder with bin, lib and share>: a stand-in for the official image of PostgreSQL, of the server
# that npm installs and this machine's psql.
set -euo pipefail

tag=$1 native=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(mktemp -d "${TMPDIR:-/tmp}/jobber-stand-in-XXXXXX")
trap 'rm -rf "$root"' EXIT

# Debian's psql itself, not the script that looks for one.
client=$(dirname "$(ls /usr/lib/postgresql/*/bin/pg_isready 2>/dev/null | tail -n 1)")
[ -x "$client/psql" ] || { echo 'make-postgres.sh: psql is missing: apt-get install postgresql-client' >&2; exit 1; }
PATH=$client:$PATH "$here/copy-programs.sh" "$root" sh bash env cat ls mkdir rm chmod chown id sed sleep setpriv psql pg_isready
mkdir -p "$root/usr/local/bin" "$root/opt" "$root/docker-entrypoint-initdb.d" "$root/var/lib/postgresql" "$root/run/postgresql"
ln -s "$client/psql" "$client/pg_isready" "$root/usr/local/bin/"
cp -a "$native" "$root/opt/postgres"
cp "$here/postgres-entrypoint.sh" "$root/usr/local/bin/docker-entrypoint.sh"
chmod 755 "$root/usr/local/bin/docker-entrypoint.sh"
echo 'postgres:x:999:999:postgres:/var/lib/postgresql:/bin/sh' >>"$root/etc/passwd"
echo 'postgres:x:999:' >>"$root/etc/group"
chown 999:999 "$root/var/lib/postgresql" "$root/run/postgresql"
[ -e "$root/bin/sh" ] || ln -s "$(type -P sh)" "$root/bin/sh"

tar -C "$root" -c . | docker import \
  --change 'ENV PATH=/usr/local/bin:/opt/postgres/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
  --change 'ENV PGDATA=/var/lib/postgresql/18/docker' \
  --change 'VOLUME /var/lib/postgresql' \
  --change 'EXPOSE 5432' \
  --change 'ENTRYPOINT ["docker-entrypoint.sh"]' \
  --change 'CMD ["postgres"]' - "$tag" >/dev/null
