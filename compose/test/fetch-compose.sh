#!/usr/bin/env bash
# fetch-compose.sh <folder>: puts Docker Compose 2 of Debian 13 into <folder>/cli-plugins, without installing it. It needs
# nothing but a C library that Debian 12 has too. apt checks the signatures, with lists of its own for this one package, from the
# archive that this machine uses.
set -euo pipefail

folder=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/jobber-fetch-XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$folder/cli-plugins"
archive=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT) $(CODENAME)' 'Created-By: Packages' |
  awk '$2 == "main" && $3 !~ /-/ { print $1; exit }')
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${archive:?apt knows no archive of Debian} trixie main" >"$work/sources.list"
options=(-q
  -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=-
  -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache"
  -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
  -o APT::Sandbox::User=root)
apt-get "${options[@]}" update
cd "$work"
apt-get "${options[@]}" download docker-compose
dpkg-deb --extract docker-compose_*.deb package
cp package/usr/libexec/docker/cli-plugins/docker-compose "$folder/cli-plugins/"
