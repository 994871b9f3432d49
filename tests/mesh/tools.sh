#!/usr/bin/env bash
# Brings a real control plane, built from source by the Go toolchain: kube-apiserver, kubectl, istiod, pilot-agent and
# istioctl, Flux, Envoy Gateway, and what packs, signs and checks; etcd and Prometheus come from Debian. The first run
# takes some 45 minutes on two cores.
# Usage: tools.sh           builds what is missing, and prints the folder
#        tools.sh --check   prints the folder if everything is there, else what is missing, with status 1
# Everything lies in $WEIR_MESH_CACHE (~/.cache/weir-mesh) and Go's own caches, outside the checkout.
set -euo pipefail

cache=${WEIR_MESH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/weir-mesh}
# The proxy for Go modules gives out one version of Istio, the beginning of 1.31.
istio=v0.0.0-20260827124520-eed52ebb66ad
kubernetes=v1.36.3
gateway_api=v1.6.0
flux=v1.9.0
argo=v2.14.21
prometheus_operator=v0.85.0
envoy_gateway=v1.9.1
cosign=v3.1.3
kyverno=v1.19.1

# Where the binary of a tool lies: another version is another file.
declare -A tools=(
    [pilot-discovery]="istio.io/istio/pilot/cmd/pilot-discovery@$istio"
    [pilot-agent]="istio.io/istio/pilot/cmd/pilot-agent@$istio"
    [istioctl]="istio.io/istio/istioctl/cmd/istioctl@$istio"
    [kube-apiserver]="k8s.io/kubernetes/cmd/kube-apiserver@$kubernetes"
    [kubectl]="k8s.io/kubernetes/cmd/kubectl@$kubernetes"
    [crane]="github.com/google/go-containerregistry/cmd/crane@v0.22.1"
    [cosign]="github.com/sigstore/cosign/v3/cmd/cosign@$cosign"
    [kyverno]="github.com/kyverno/kyverno/cmd/cli/kubectl-kyverno@$kyverno"
    [kubeconform]="github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0"
    [helm]="helm.sh/helm/v3/cmd/helm@v3.22.0"
    [source-controller]="github.com/fluxcd/source-controller@$flux"
    [kustomize-controller]="github.com/fluxcd/kustomize-controller@$flux"
    [envoy-gateway]="github.com/envoyproxy/gateway/cmd/envoy-gateway@$envoy_gateway"
    [etcd]="debian:etcd-server"
    [prometheus]="debian:prometheus"
    [promtool]="debian:prometheus"
)

# Which version of a tool is there, as the file beside it says.
have() {
    [[ -x $cache/bin/$1 && -f $cache/bin/$1.from && $(<"$cache/bin/$1.from") == "${tools[$1]}" ]]
}

missing=()
for tool in "${!tools[@]}"; do
    have "$tool" || missing+=("$tool")
done
for file in crds.yaml bootstrap.json gateway-api.yaml gitops.yaml monitoring.yaml envoy-gateway.yaml; do
    [[ -f $cache/istio/$file ]] || missing+=("$file")
done
if [[ ${1:-} == --check ]]; then
    ((${#missing[@]} == 0)) && echo "$cache" && exit 0
    echo "not built: ${missing[*]} (tests/mesh/tools.sh builds it)"
    exit 1
fi

mkdir -p "$cache/bin" "$cache/istio"
export GOBIN=$cache/bin GOTOOLCHAIN=local GOFLAGS=-buildvcs=false

# Kubernetes replaces its own modules by folders, which `go install` refuses: a module around it names their versions.
kubernetes_module() {
    local folder=$cache/kubernetes proxied staging=v0.${kubernetes#v1.}
    mkdir -p "$folder"
    cd "$folder"
    go mod download "k8s.io/kubernetes@$kubernetes"
    proxied=$(go env GOMODCACHE)/cache/download/k8s.io/kubernetes/@v/$kubernetes.mod
    {
        printf 'module weir.dev/mesh\n\ngo 1.26.0\n\nrequire k8s.io/kubernetes %s\n\nreplace (\n' "$kubernetes"
        sed -n '/^replace (/,/^)/p' "$proxied" | awk -v version="$staging" '/=>/ {print "\t" $1 " => " $1 " " version}'
        echo ')'
    } >go.mod
    printf '//go:build tools\n\npackage tools\n\nimport (\n\t_ "k8s.io/kubernetes/cmd/kube-apiserver"\n\t_ "k8s.io/kubernetes/cmd/kubectl"\n)\n' >tools.go
    GOFLAGS="-buildvcs=false -mod=mod" go mod tidy
}

# Flux and Kyverno replace modules too; what their tests need is not everywhere, so nothing is tidied.
replacing_module() {
    local module=$1 version=$2 package=$3 folder=$cache/${1##*/} proxied
    mkdir -p "$folder"
    cd "$folder"
    go mod download "$module@$version"
    proxied=$(go env GOMODCACHE)/cache/download/$module/@v/$version.mod
    {
        printf 'module weir.dev/mesh\n\ngo 1.26.0\n\nrequire %s %s\n\nreplace (\n' "$module" "$version"
        sed -n '/^replace/,/^)/p' "$proxied" | grep '=>' | grep -v '=> \./' | sed 's/^replace //'
        echo ')'
    } >go.mod
    printf '//go:build tools\n\npackage tools\n\nimport _ "%s"\n' "$package" >tools.go
}

build() {
    local tool=$1 from=${tools[$1]} package version minor
    echo "building $tool" >&2
    case $from in
    debian:*)
        local folder=$cache/${from#debian:}
        mkdir -p "$folder"
        (cd "$folder" && apt-get download --quiet "${from#debian:}" >&2)
        dpkg-deb -x "$folder"/*.deb "$folder"
        cp "$folder/usr/bin/$tool" "$cache/bin/$tool"
        ;;
    k8s.io/kubernetes/*)
        package=${from%@*} version=k8s.io/component-base/version
        minor=${kubernetes#v1.}
        (
            kubernetes_module
            GOFLAGS="-buildvcs=false -mod=mod" go build -o "$cache/bin/$tool" \
                -ldflags "-X $version.gitVersion=$kubernetes -X $version.gitMajor=1 -X $version.gitMinor=${minor%%.*}" "$package"
        )
        ;;
    github.com/fluxcd/* | github.com/kyverno/*)
        package=${from%@*} version=${from#*@}
        (
            replacing_module "$(cut -d/ -f1-3 <<<"$package")" "$version" "$package"
            GOFLAGS="-buildvcs=false -mod=mod" go build -ldflags "-s -w" -o "$cache/bin/$tool" "$package"
        )
        ;;
    *) go install "$from" ;;
    esac
    echo "$from" >"$cache/bin/$tool.from"
}

for tool in "${missing[@]}"; do
    [[ $tool == *.* ]] || build "$tool"
done
# The modules carry the resources' definitions, and the proxy's first configuration.
folder_of() {
    go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'
}
source=$(folder_of "istio.io/istio@$istio")
install -m 644 "$source/manifests/charts/base/files/crd-all.gen.yaml" "$cache/istio/crds.yaml"
install -m 644 "$source/tools/packaging/common/envoy_bootstrap.json" "$cache/istio/bootstrap.json"
together() {
    for file in "$@"; do
        echo ---
        cat "$file"
    done
}
together "$(folder_of "sigs.k8s.io/gateway-api@$gateway_api")"/config/crd/standard/*.yaml >"$cache/istio/gateway-api.yaml"
together "$(folder_of "github.com/argoproj/argo-cd/v2@$argo")/manifests/crds/application-crd.yaml" \
    "$(folder_of "github.com/fluxcd/source-controller@$flux")"/config/crd/bases/*.yaml \
    "$(folder_of "github.com/fluxcd/kustomize-controller@$flux")"/config/crd/bases/*.yaml >"$cache/istio/gitops.yaml"
operator=$(folder_of "github.com/prometheus-operator/prometheus-operator@$prometheus_operator")
together "$operator"/example/prometheus-operator-crd/monitoring.coreos.com_{podmonitors,prometheusrules}.yaml \
    >"$cache/istio/monitoring.yaml"
together "$(folder_of "github.com/envoyproxy/gateway@$envoy_gateway")"/charts/gateway-helm/charts/crds/crds/generated/*.yaml \
    >"$cache/istio/envoy-gateway.yaml"
echo "$cache"
