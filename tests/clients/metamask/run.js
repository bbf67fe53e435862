// MetaMask: its network controller and provider, and the requests its wallet makes for adding a network and sending.
//
// What signs is ethers, as the keyring is not what is tested. MetaMask opens no WebSocket: a page's subscription is
// answered by polling, which `logs` below is.
import { Messenger } from "@metamask/messenger";
import { NetworkController, NetworkStatus, RpcEndpointType } from "@metamask/network-controller";
import { ContractFactory, Interface, Wallet, ZeroAddress, getCreateAddress, parseEther, toQuantity } from "ethers";
import assert from "node:assert/strict";
import { KEY, RPC, artifact, check, finish, request, until } from "../lib/checks.js";

const controller = new NetworkController({
  messenger: new Messenger({ namespace: "NetworkController" }),
  infuraProjectId: "none",
  getRpcServiceOptions: () => ({ fetch, btoa }),
  getBlockTrackerOptions: () => ({ pollingInterval: 250 }),
});
const bank = new Wallet(KEY);
// A new account for each run: its nonces start at zero.
const user = new Wallet(Wallet.createRandom().privateKey);
const other = Wallet.createRandom().address;
const counter = new Interface(artifact("Counter").abi);
let provider;
let chainId;
let address; // of the counter, once it is deployed

const ask = (method, ...params) => provider.request({ method, params });
/** What the node answered: MetaMask hands it to the page as the data of an internal error. */
const refusal = (promise) =>
  promise.then(
    () => assert.fail("it was not refused"),
    ({ data }) => data,
  );

/** The fees that the wallet offers: medium of those it makes from the history of the last five blocks. */
async function fees() {
  const { baseFeePerGas, reward } = await ask("eth_feeHistory", "0x5", "latest", [10, 20, 30]);
  const tips = reward.map(([, medium]) => BigInt(medium)).sort((a, b) => (a < b ? -1 : 1));
  const tip = tips[2] > 0n ? tips[2] : 1_000_000_000n;
  return { maxPriorityFeePerGas: tip, maxFeePerGas: (BigInt(baseFeePerGas.at(-1)) * 6n) / 5n + tip };
}

/** What the wallet fills in before it shows a transaction, then signs and sends it. */
async function send(wallet, { type = 2, ...fields }) {
  if (fields.to) await ask("eth_getCode", fields.to, "latest");
  const { gasLimit: blockLimit } = await ask("eth_getBlockByNumber", "latest", false);
  const call = { from: wallet.address, to: fields.to, data: fields.data, value: toQuantity(fields.value ?? 0n) };
  const estimate = fields.gasLimit ?? BigInt(await ask("eth_estimateGas", call));
  assert.ok(estimate < (BigInt(blockLimit) * 9n) / 10n, "the wallet wants room in the block");
  const price = type < 2 ? { gasPrice: BigInt(await ask("eth_gasPrice")) } : await fees();
  const signed = await wallet.signTransaction({
    type,
    chainId,
    gasLimit: type === 2 && fields.to ? (estimate * 3n) / 2n : estimate,
    nonce: Number(await ask("eth_getTransactionCount", wallet.address, "pending")),
    ...price,
    ...fields,
  });
  return ask("eth_sendRawTransaction", signed);
}

/** Polls for the receipt, then asks for its block, as the wallet's pending tracker does. */
async function mined(hash, status = "0x1") {
  let receipt;
  await until(`a receipt of ${hash}`, async () => {
    receipt = await ask("eth_getTransactionReceipt", hash);
    return receipt;
  });
  assert.equal(receipt.status, status);
  const block = await ask("eth_getBlockByHash", receipt.blockHash, false);
  assert.ok(block.baseFeePerGas && block.timestamp);
  return receipt;
}

await check("network: it is added by its chain id, and found to know EIP-1559", async () => {
  ({ result: chainId } = await request("eth_chainId"));
  assert.equal((await request("net_version")).result, String(Number(chainId)));
  const { rpcEndpoints } = controller.addNetwork({
    chainId,
    name: "Atoll",
    nativeCurrency: "ETH",
    blockExplorerUrls: [],
    defaultRpcEndpointIndex: 0,
    rpcEndpoints: [{ type: RpcEndpointType.Custom, url: RPC, name: "shard" }],
  });
  const { networkClientId } = rpcEndpoints[0];
  await controller.setActiveNetwork(networkClientId);
  await controller.lookupNetwork(networkClientId);
  const { status, EIPS } = controller.state.networksMetadata[networkClientId];
  assert.equal(status, NetworkStatus.Available);
  assert.equal(EIPS[1559], true);
  ({ provider } = controller.getNetworkClientById(networkClientId));
  assert.equal(await ask("eth_chainId"), chainId);
});

await check("balance: a transfer is seen once the block tracker has its block", async () => {
  await mined(await send(bank, { to: user.address, value: parseEther("10") }));
  const balance = async () => BigInt(await ask("eth_getBalance", user.address, "latest"));
  await until("the balance is there", async () => (await balance()) === parseEther("10"));
});

for (const type of [0, 1, 2]) {
  await check(`send: type ${type}`, async () => {
    const receipt = await mined(await send(user, { to: other, value: 7n, type }));
    assert.equal(receipt.type, toQuantity(type));
  });
}

await check("send: type 4 sets and clears an account's code", async () => {
  const { abi, bytecode } = artifact("Delegate");
  const { contractAddress } = await mined(await send(user, { data: bytecode }));
  const account = new Wallet(Wallet.createRandom().privateKey);
  const set = await account.authorize({ address: contractAddress, nonce: 0, chainId });
  const data = new Interface(abi).encodeFunctionData("mark", [5n]);
  const gasLimit = 200_000n;
  const upgrade = { type: 4, to: account.address, data, gasLimit, authorizationList: [set] };
  assert.equal((await mined(await send(user, upgrade))).type, "0x4");
  const code = () => ask("eth_getCode", account.address, "latest");
  await until("the account has its code", async () => (await code()) === `0xef0100${contractAddress.slice(2)}`);
  const clear = await account.authorize({ address: ZeroAddress, nonce: 1, chainId });
  await mined(await send(user, { type: 4, to: other, gasLimit, authorizationList: [clear] }));
  await until("the account has no code", async () => (await code()) === "0x");
});

await check("deploy and call", async () => {
  const { abi, bytecode } = artifact("Counter");
  const { data } = await new ContractFactory(abi, bytecode).getDeployTransaction(40n);
  const nonce = Number(await ask("eth_getTransactionCount", user.address, "pending"));
  const receipt = await mined(await send(user, { data }));
  address = receipt.contractAddress;
  assert.equal(address, getCreateAddress({ from: user.address, nonce }).toLowerCase());
  await mined(await send(user, { to: address, data: counter.encodeFunctionData("increase", [2n]) }));
  const number = () => ask("eth_call", { to: address, data: counter.encodeFunctionData("number") }, "latest");
  await until("the counter is at 42", async () => BigInt(await number()) === 42n);
});

await check("logs: found by polling, as a page's subscription is answered", async () => {
  const topics = [counter.getEvent("Increased").topicHash];
  const { blockNumber } = await mined(
    await send(user, { to: address, data: counter.encodeFunctionData("increase", [1n]) }),
  );
  const range = { address, topics, fromBlock: blockNumber, toBlock: blockNumber };
  const logs = await ask("eth_getLogs", range);
  assert.deepEqual(logs.map(({ data }) => BigInt(data)), [43n]);
});

await check("revert: the custom error's bytes reach the page", async () => {
  const call = { from: user.address, to: address, data: counter.encodeFunctionData("increase", [101n]) };
  for (const method of ["eth_call", "eth_estimateGas"]) {
    const error = await refusal(ask(method, call));
    assert.equal(error.code, 3);
    assert.match(error.message, /^execution reverted/);
    assert.deepEqual([...counter.parseError(error.data).args], [101n, 100n]);
  }
  const refuse = { from: user.address, to: address, data: counter.encodeFunctionData("refuse") };
  assert.equal((await refusal(ask("eth_call", refuse))).message, "execution reverted: not today");
  await mined(await send(user, { to: address, data: call.data, gasLimit: 100_000n }), "0x0");
});

await check("gas: an estimate is enough", async () => {
  const transfer = { from: user.address, to: other, value: "0x1" };
  assert.equal(await ask("eth_estimateGas", transfer), "0x5208");
  const { bytecode } = artifact("Attempt");
  const { contractAddress: to } = await mined(await send(user, { data: bytecode }));
  const attempt = new Interface(artifact("Attempt").abi);
  const data = attempt.encodeFunctionData("increase", [address, 1n]);
  const gasLimit = BigInt(await ask("eth_estimateGas", { from: user.address, to, data }));
  const { gasUsed } = await mined(await send(user, { to, data, gasLimit }));
  assert.ok(BigInt(gasUsed) <= gasLimit);
});

await check("nonce: twenty sends in a row, none waited for", async () => {
  const before = Number(await ask("eth_getTransactionCount", user.address, "pending"));
  const hashes = [];
  for (let index = 0; index < 20; index += 1) {
    hashes.push(await send(user, { to: other, value: 1n, nonce: before + index, gasLimit: 21_000n }));
  }
  await Promise.all(hashes.map((hash) => mined(hash)));
  assert.equal(Number((await request("eth_getTransactionCount", [user.address, "latest"])).result), before + 20);
});

await check("nonce: speeding up costs a tenth more", async () => {
  const { result } = await request("eth_getTransactionCount", [user.address, "latest"]);
  const nonce = Number(result) + 1; // one above the next: it waits in the pool until the gap is filled
  const offer = await fees();
  const waiting = { to: other, value: 1n, nonce, gasLimit: 21_000n };
  const first = await send(user, { ...waiting, ...offer });
  const pending = await ask("eth_getTransactionByHash", first);
  assert.equal(pending.blockNumber, null);
  const dearer = (fee) => (fee * 11n + 9n) / 10n;
  const faster = {
    maxFeePerGas: dearer(offer.maxFeePerGas),
    maxPriorityFeePerGas: dearer(offer.maxPriorityFeePerGas),
  };
  const second = await send(user, { ...waiting, ...faster });
  await send(user, { to: other, value: 1n, nonce: nonce - 1, gasLimit: 21_000n });
  await mined(second);
  assert.equal(await ask("eth_getTransactionReceipt", first), null);
});

await check("refusals: their code and words reach the wallet", async () => {
  const low = await refusal(send(user, { to: other, value: 3n, nonce: 0, gasLimit: 21_000n }));
  assert.equal(low.code, -32000);
  assert.match(low.message, /^nonce too low/);
  const poor = await refusal(send(user, { to: other, value: parseEther("1000000"), gasLimit: 21_000n }));
  assert.match(poor.message, /^insufficient funds for gas \* price \+ value/);
});

finish();
