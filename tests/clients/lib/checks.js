// Runs a client's checks one after the other; each throws where the chain is not what the client expects.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const TIMEOUT_MS = 60_000;
let passed = 0;
let failed = 0;
let fail = () => {}; // ends the check that runs

// What a client throws where nobody waits for it is a failure of the check that runs.
for (const event of ["uncaughtException", "unhandledRejection"]) process.on(event, (error) => fail(error));

export const RPC = required("ATOLL_RPC");
export const WS = required("ATOLL_WS");
export const KEY = required("ATOLL_KEY");
export { sleep };

function required(name) {
  const value = process.env[name];
  if (!value) {
    console.error(`${name} must be set: see tests/clients/run`);
    process.exit(2);
  }
  return value;
}

/** `abi` and `bytecode` of a contract in contracts/. */
export function artifact(name) {
  return JSON.parse(readFileSync(new URL(`../build/${name}.json`, import.meta.url), "utf8"));
}

/** One thing that must hold; says so if it does. */
export async function check(name, body) {
  let timer;
  const failure = new Promise((_, reject) => {
    fail = reject;
    timer = setTimeout(() => reject(new Error(`not done within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  });
  try {
    await Promise.race([body(), failure]);
    passed += 1;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n      ${String(error.stack ?? error).replaceAll("\n", "\n      ")}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again until the answer is true; names what did not happen. */
export async function until(what, ask, timeoutMs = 20_000) {
  const deadline = Date.now() + timeoutMs;
  while (!(await ask())) {
    if (Date.now() > deadline) throw new Error(`did not happen within ${timeoutMs} ms: ${what}`);
    await sleep(100);
  }
}

/** One JSON-RPC request without any library: the whole answer, be it a result or an error. */
export async function request(method, params = []) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const answer = await fetch(RPC, { method: "POST", headers: { "content-type": "application/json" }, body });
  return answer.json();
}

/** Prints the sum and ends the process, open connections or not. */
export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
