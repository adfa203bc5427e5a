#!/usr/bin/env bash
# copy-programs.sh <folder> <program or path…>: makes a root file system of this machine's own programs and the libraries that
# they need; for base images that stand in, in tests, for those of a registry.
set -euo pipefail

root=$1
shift
mkdir -p "$root"/{bin,dev,etc,lib,proc,root,run,sys,tmp,usr,var}
mkdir -p "$root"/usr/{bin,lib} "$root"/var/{lib,tmp}
chmod 1777 "$root/tmp" "$root/var/tmp"
[ -e "$root/var/run" ] || ln -s ../run "$root/var/run"

# As it is named, and what it is a link to.
copy() {
  local path=$1
  mkdir -p "$root$(dirname "$path")"
  cp -aL --no-preserve=ownership "$path" "$root$path"
}

copy_with_libraries() {
  [ -e "$root$1" ] || copy "$1"
  local library
  while read -r library; do
    [ -e "$root$library" ] || copy "$library"
  done < <(ldd "$1" 2>/dev/null | grep -oE '/[^ ]+')
}

for program in "$@"; do
  path=$program
  [[ $program = */* ]] || path=$(type -P "$program") || { echo "copy-programs.sh: there is no $program on this machine" >&2; exit 1; }
  copy_with_libraries "$path"
done
# What is asked for by name, and what native packages link to.
for library in libnss_files.so.2 libnss_dns.so.2 libresolv.so.2 librt.so.1 libdl.so.2 libpthread.so.0 libm.so.6 libgcc_s.so.1 libstdc++.so.6; do
  path=$(ldconfig -p | awk -v name="$library" '$1 == name && !found { print $NF; found = 1 }')
  [ -z "$path" ] || copy_with_libraries "$path"
done
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
