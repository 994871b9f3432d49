#!/usr/bin/env bash
# Optimizes a module, puts the result in place by rename, and holds it to its size limit.
# Usage: optimize.sh WASM_OPT INPUT OUTPUT [LIMIT]
# A stamp beside OUTPUT names what it was made of, so an unchanged module is not optimized again.
set -euo pipefail

# The features that rustc 1.95 uses by default, and simd128; V8 in Envoy 1.36 and later has them all. Never --all-features: V8 refuses the result.
# A second round after merging what differs in constants only: 1% smaller than one round, as fast; -Oz is 1% smaller still, but slower.
flags=(
    -O3
    --merge-similar-functions
    -O3
    --strip-debug
    --strip-producers
    --enable-bulk-memory
    --enable-multivalue
    --enable-mutable-globals
    --enable-nontrapping-float-to-int
    --enable-reference-types
    --enable-sign-ext
    --enable-simd
)
wasm_opt=$1 input=$2 output=$3
# Bytes. About 34 MB of resident memory come with each MB of module.
limit=${4:-$((900 * 1024))}
stamp="$output.stamp"

digest() {
    git hash-object --no-filters -- "$1"
}

made="$(digest "$input") $(digest "${BASH_SOURCE[0]}") $("$wasm_opt" --version)"
if [[ ! -f $output || ! -f $stamp || $(<"$stamp") != "$made $(digest "$output")" ]]; then
    mkdir -p "$(dirname -- "$output")"
    fresh=$(mktemp "$output.XXXXXX")
    trap 'rm -f "$fresh"' EXIT
    "$wasm_opt" "${flags[@]}" "$input" -o "$fresh"
    chmod 644 "$fresh"
    mv -f "$fresh" "$output"
    echo "$made $(digest "$output")" >"$stamp"
fi

size=$(($(wc -c <"$output")))
echo "$output: $size bytes ($((limit - size)) under the limit of $limit)" >&2
if ((size > limit)); then
    echo "the module is over its size limit" >&2
    exit 1
fi
