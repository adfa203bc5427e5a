#!/usr/bin/env bash
# What the official image's start does, as far as the compose files rely on it: it begins as root and becomes the user
# postgres; on an empty folder it makes a cluster with the password that is given by value or by file, and runs
# /docker-entrypoint-initdb.d against a server that only its socket reaches.
set -euo pipefail

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  chown -R postgres:postgres "$PGDATA" /var/run/postgresql
  chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi

user=${POSTGRES_USER:-postgres} database=${POSTGRES_DB:-${POSTGRES_USER:-postgres}}
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  password=${POSTGRES_PASSWORD:-}
  [ -z "${POSTGRES_PASSWORD_FILE:-}" ] || password=$(cat "$POSTGRES_PASSWORD_FILE")
  [ -n "$password" ] || { echo 'POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE must be set' >&2; exit 1; }
  # shellcheck disable=SC2086
  initdb --username="$user" --pwfile=<(printf '%s' "$password") --auth-local=trust ${POSTGRES_INITDB_ARGS:-}
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  export PGHOST=/var/run/postgresql
  pg_ctl -w -o "-c listen_addresses= -c unix_socket_directories=$PGHOST" start
  if [ "$database" != postgres ]; then psql --username "$user" --dbname postgres --command "create database \"$database\""; fi
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
      *.sql) psql --set ON_ERROR_STOP=1 --username "$user" --dbname "$database" --file "$file" ;;
    esac
  done
  pg_ctl -w -m fast stop
fi
exec "$@" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql
