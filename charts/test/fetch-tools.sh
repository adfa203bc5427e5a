#!/usr/bin/env bash
# Gets what `npm run test:chart` needs, without a registry of images or charts: Helm by Go (which compiles it, for minutes the first
# time) and kubernetes-validate by pip.
#   charts/test/fetch-tools.sh FOLDER && PATH=FOLDER/bin:$PATH npm run test:chart
set -euo pipefail
[ $# -eq 1 ] || { echo 'Usage: charts/test/fetch-tools.sh FOLDER' >&2; exit 2; }
mkdir -p "$1/bin"
folder=$(cd "$1" && pwd)

if ! command -v "$folder/bin/helm" >/dev/null; then
  GOBIN=$folder/bin GOFLAGS=-trimpath CGO_ENABLED=0 go install helm.sh/helm/v4/cmd/helm@v4.3.1
fi
if ! command -v "$folder/bin/kubernetes-validate" >/dev/null; then
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet kubernetes-validate==1.37.0
  ln -sf ../venv/bin/kubernetes-validate "$folder/bin/kubernetes-validate"
fi
"$folder/bin/helm" version --short
"$folder/bin/kubernetes-validate" --version
