// Cargo's runner for tests built for wasm32-wasip1: runs one test program in Node's own WASI, on the same engine as Envoy.
// Usage: node --no-warnings wasi-runner.mjs PROGRAM.wasm [ARGUMENT...]
import { readFile } from "node:fs/promises";
import process from "node:process";
import { WASI } from "node:wasi";

const WASI_MODULE = "wasi_snapshot_preview1";

/** The imports of a module that WASI does not give, each as a function that fails when it is called. */
function missingHost(module) {
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (from === WASI_MODULE || kind !== "function") continue;
    imports[from] ??= {};
    imports[from][name] = () => {
      throw new Error(`${from}.${name} was called, but a test has no proxy around it`);
    };
  }
  return imports;
}

const [program, ...rest] = process.argv.slice(2);
const wasi = new WASI({
  version: "preview1",
  args: [program, ...rest],
  env: process.env,
  preopens: { "/": "/", ".": process.cwd() },
});
const module = await WebAssembly.compile(await readFile(program));
const host = { ...missingHost(module), [WASI_MODULE]: wasi.wasiImport };
const instance = await WebAssembly.instantiate(module, host);
// The module's own entry points are among the exports of its test program; WASI takes a program without them.
const { memory, _start } = instance.exports;
process.exitCode = wasi.start({ exports: { memory, _start } });
