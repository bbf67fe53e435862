// Verifies an `eth_getProof` answer ($2) against a state root ($1): the account's leaf, then each slot's.
import { decodeRlp, encodeRlp, keccak256, toBeHex, zeroPadValue } from "ethers";
import assert from "node:assert/strict";

/** The value that a Merkle-Patricia proof shows for a key; throws if the proof does not lead there. */
function valueIn(root, key, nodes) {
  let path = keccak256(key).slice(2);
  let expected = root;
  for (const node of nodes) {
    assert.equal(keccak256(node), expected, "a node is not the one its parent names");
    const items = decodeRlp(node);
    if (items.length === 17) {
      expected = items[parseInt(path[0], 16)];
      path = path.slice(1);
      continue;
    }
    const [prefix, next] = items;
    const odd = parseInt(prefix[2], 16) & 1;
    const part = prefix.slice(odd ? 3 : 4);
    assert.ok(path.startsWith(part), "the proof is of another key");
    path = path.slice(part.length);
    if (parseInt(prefix[2], 16) & 2) return next;
    expected = next;
  }
  assert.fail("the proof ends before a leaf");
}

const minimal = (quantity) => (BigInt(quantity) === 0n ? "0x" : toBeHex(BigInt(quantity)));
const [root, text] = process.argv.slice(2);
const proof = JSON.parse(text);
const account = [minimal(proof.nonce), minimal(proof.balance), proof.storageHash, proof.codeHash];
assert.equal(valueIn(root, proof.address, proof.accountProof), encodeRlp(account));
for (const { key, value, proof: nodes } of proof.storageProof) {
  const slot = zeroPadValue(toBeHex(BigInt(key)), 32);
  assert.equal(valueIn(proof.storageHash, slot, nodes), encodeRlp(minimal(value)));
}
