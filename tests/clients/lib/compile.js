// Compiles contracts/ into build/<Contract>.json: `abi` and `bytecode`.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";

const solc = createRequire(import.meta.url)("solc");
const root = new URL("../", import.meta.url);
const read = (name) => ({ content: readFileSync(new URL(`contracts/${name}`, root), "utf8") });
const sources = Object.fromEntries(readdirSync(new URL("contracts/", root)).map((name) => [name, read(name)]));
const settings = {
  optimizer: { enabled: true },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
};
const { contracts, errors = [] } = JSON.parse(
  solc.compile(JSON.stringify({ language: "Solidity", sources, settings })),
);
for (const { formattedMessage } of errors) console.error(formattedMessage);
if (errors.some(({ severity }) => severity === "error")) process.exit(1);
mkdirSync(new URL("build/", root), { recursive: true });
for (const file of Object.values(contracts)) {
  for (const [name, { abi, evm }] of Object.entries(file)) {
    const artifact = { abi, bytecode: `0x${evm.bytecode.object}` };
    writeFileSync(new URL(`build/${name}.json`, root), JSON.stringify(artifact));
  }
}
