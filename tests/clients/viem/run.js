// viem: everything its users do, over HTTP and WebSocket.
import {
  ContractFunctionRevertedError,
  NonceTooLowError,
  InsufficientFundsError,
  createPublicClient,
  createWalletClient,
  defineChain,
  hexToBigInt,
  http,
  parseEther,
  parseGwei,
  publicActions,
  webSocket,
} from "viem";
import { generatePrivateKey, nonceManager, privateKeyToAccount } from "viem/accounts";
import assert from "node:assert/strict";
import { KEY, RPC, WS, artifact, check, finish, request, sleep, until } from "../lib/checks.js";

const { result: chainId } = await request("eth_chainId");
const chain = defineChain({
  id: Number(hexToBigInt(chainId)),
  name: "Atoll",
  nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
  rpcUrls: { default: { http: [RPC], webSocket: [WS] } },
  blockTime: 500,
});
const client = createPublicClient({ chain, transport: http(), pollingInterval: 200 });
const wallet = (key, options) =>
  createWalletClient({
    account: privateKeyToAccount(key, options),
    chain,
    transport: http(),
    pollingInterval: 200,
  }).extend(publicActions);

const bank = wallet(KEY);
// A new account for each run: its nonces start at zero.
const user = wallet(generatePrivateKey());
const other = privateKeyToAccount(generatePrivateKey()).address;
const counter = artifact("Counter");
const mined = async (hash, status = "success") => {
  const receipt = await client.waitForTransactionReceipt({ hash });
  assert.equal(receipt.status, status);
  return receipt;
};
let address; // of the counter, once it is deployed
const number = () => client.readContract({ ...counter, address, functionName: "number" });

await check("balance: a receipt's effect is in latest at once", async () => {
  await mined(await bank.sendTransaction({ to: user.account.address, value: parseEther("10") }));
  assert.equal(await client.getBalance({ address: user.account.address }), parseEther("10"));
  assert.equal(await client.getBalance({ address: other }), 0n);
});

const types = {
  legacy: { type: "legacy" },
  eip2930: { type: "eip2930", accessList: [{ address: other, storageKeys: [] }] },
  eip1559: { type: "eip1559" },
};
for (const [type, options] of Object.entries(types)) {
  await check(`send: ${type}`, async () => {
    const before = await client.getBalance({ address: other });
    const hash = await user.sendTransaction({ to: other, value: 7n, ...options });
    assert.equal((await mined(hash)).type, type);
    assert.equal((await client.getTransaction({ hash })).type, type);
    assert.equal(await client.getBalance({ address: other }), before + 7n);
  });
}

await check("send: eip7702 sets and clears an account's code", async () => {
  const { abi, bytecode } = artifact("Delegate");
  const deployed = await mined(await user.deployContract({ abi, bytecode }));
  const account = privateKeyToAccount(generatePrivateKey());
  const authority = { account, contractAddress: deployed.contractAddress };
  const to = account.address;
  const set = await user.signAuthorization(authority);
  const receipt = await mined(
    await user.writeContract({
      abi,
      address: to,
      functionName: "mark",
      args: [5n],
      authorizationList: [set],
    }),
  );
  assert.equal(receipt.type, "eip7702");
  assert.equal(receipt.logs[0].address, to.toLowerCase());
  const code = `0xef0100${deployed.contractAddress.slice(2)}`.toLowerCase();
  assert.equal(await client.getCode({ address: to }), code);
  assert.equal(await client.readContract({ abi, address: to, functionName: "isDelegate" }), true);
  const clear = await user.signAuthorization({
    account,
    contractAddress: "0x0000000000000000000000000000000000000000",
  });
  await mined(await user.sendTransaction({ to: other, authorizationList: [clear] }));
  assert.equal(await client.getCode({ address: to }), undefined);
});

await check("deploy, call and write", async () => {
  const { contractAddress } = await mined(await user.deployContract({ ...counter, args: [40n] }));
  address = contractAddress;
  assert.equal(await number(), 40n);
  const increase = { ...counter, address, functionName: "increase", args: [2n] };
  const { request, result } = await client.simulateContract({ ...increase, account: user.account });
  assert.equal(result, 42n);
  await mined(await user.writeContract(request));
  assert.equal(await number(), 42n);
});

await check("call: state and block overrides", async () => {
  const slot = `0x${"0".repeat(64)}`;
  const stateOverride = [{ address, stateDiff: [{ slot, value: `0x${"0".repeat(62)}63` }] }];
  const call = { ...counter, address, functionName: "number", stateOverride };
  assert.equal(await client.readContract(call), 99n);
});

await check("logs: by event, by indexed argument, by range", async () => {
  const event = counter.abi.find(({ name }) => name === "Increased");
  const find = (args) => client.getLogs({ address, event, args, fromBlock: 0n, toBlock: "latest" });
  const [log, ...more] = await find({ by: user.account.address });
  assert.equal(log.args.number, 42n);
  assert.equal(more.length, 0);
  assert.deepEqual(await find({ by: other }), []);
  const block = await client.getBlock({ blockNumber: log.blockNumber });
  assert.equal(block.hash, log.blockHash);
  assert.ok(block.transactions.includes(log.transactionHash));
});

await check("filter: an event filter answers what came since it was asked last", async () => {
  const filter = await client.createContractEventFilter({ ...counter, address, eventName: "Increased" });
  await mined(await user.writeContract({ ...counter, address, functionName: "increase", args: [1n] }));
  const changes = await client.getFilterChanges({ filter });
  assert.deepEqual(changes.map(({ args }) => args.number), [await number()]);
  assert.deepEqual(await client.getFilterChanges({ filter }), []);
  assert.equal(await client.uninstallFilter({ filter }), true);
});

await check("subscription: new heads and logs over WebSocket", async () => {
  const live = createPublicClient({ chain, transport: webSocket(WS) });
  const [heads, numbers, errors] = [[], [], []];
  const onError = (error) => errors.push(error);
  const stop = [
    live.watchBlocks({ onBlock: ({ number }) => heads.push(number), onError }),
    live.watchContractEvent({
      ...counter,
      address,
      eventName: "Increased",
      onLogs: (logs) => numbers.push(...logs.map(({ args }) => args.number)),
      onError,
    }),
  ];
  await until("a first head arrives", () => heads.length > 0);
  await mined(await user.writeContract({ ...counter, address, functionName: "increase", args: [1n] }));
  await until("the log arrives", () => numbers.length > 0);
  await until("heads go on", () => heads.length >= 4);
  for (const unwatch of stop) unwatch();
  (await live.transport.getRpcClient()).close();
  assert.deepEqual(errors, []);
  assert.deepEqual(numbers, [await number()]);
  assert.deepEqual(heads, heads.map((_, index) => heads[0] + BigInt(index)));
});

await check("subscription: pending transactions over WebSocket", async () => {
  const live = createPublicClient({ chain, transport: webSocket(WS) });
  const [hashes, errors] = [[], []];
  const unwatch = live.watchPendingTransactions({
    onTransactions: (found) => hashes.push(...found),
    onError: (error) => errors.push(error),
  });
  await live.getBlockNumber(); // the subscription was sent before this request
  const hash = await user.sendTransaction({ to: other, value: 1n });
  await until("the hash arrives, or an error", () => hashes.includes(hash) || errors.length > 0);
  unwatch();
  (await live.transport.getRpcClient()).close();
  assert.deepEqual(errors, []);
  await mined(hash);
});

const revert = async (call) => {
  const error = await call.then(
    () => assert.fail("the call succeeded"),
    (error) => error,
  );
  const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
  assert.ok(reverted, `expected ContractFunctionRevertedError, found ${error}`);
  return reverted;
};
const simulate = (functionName, ...args) =>
  client.simulateContract({ ...counter, address, functionName, args, account: user.account });

await check("revert: custom error, reason, panic", async () => {
  const { data } = await revert(simulate("increase", 101n));
  assert.equal(data.errorName, "TooHigh");
  assert.deepEqual(data.args, [101n, 100n]);
  assert.equal((await revert(simulate("refuse"))).reason, "not today");
  assert.deepEqual((await revert(simulate("divide", 0n))).data.args, [0x12n]);
});

await check("revert: an estimate refuses too, a transaction with gas is mined as reverted", async () => {
  const increase = { ...counter, address, functionName: "increase", args: [101n] };
  const { data } = await revert(client.estimateContractGas({ ...increase, account: user.account }));
  assert.equal(data.errorName, "TooHigh");
  const receipt = await mined(await user.writeContract({ ...increase, gas: 100_000n }), "reverted");
  assert.equal(receipt.logs.length, 0);
});

await check("gas: an estimate is enough, for a contract that catches its callee's failure too", async () => {
  const transfer = { account: user.account, to: other, value: 1n };
  assert.equal(await client.estimateGas(transfer), 21_000n);
  const attempt = artifact("Attempt");
  const { contractAddress } = await mined(await user.deployContract(attempt));
  const increase = { ...attempt, address: contractAddress, functionName: "increase", args: [address, 1n] };
  await mined(await user.writeContract(increase));
  const done = { ...attempt, address: contractAddress, functionName: "done" };
  assert.equal(await client.readContract(done), true);
  const gas = await client.estimateContractGas({ ...increase, account: user.account });
  const { gasUsed } = await mined(await user.writeContract({ ...increase, gas }));
  assert.ok(gasUsed <= gas, `used ${gasUsed} of ${gas}`);
});

await check("fees: history, tip and price", async () => {
  const history = await client.getFeeHistory({ blockCount: 4, rewardPercentiles: [25, 75] });
  assert.equal(history.baseFeePerGas.length, 5);
  assert.deepEqual(history.reward.map((reward) => reward.length), [2, 2, 2, 2]);
  const { maxFeePerGas, maxPriorityFeePerGas } = await client.estimateFeesPerGas();
  assert.ok(maxFeePerGas > maxPriorityFeePerGas);
  assert.ok((await client.getGasPrice()) > 0n);
  const atGenesis = await client.request({ method: "eth_feeHistory", params: ["0x1", "0x0", []] });
  assert.equal(atGenesis.oldestBlock, "0x0");
});

await check("nonce: twenty sends in a row, none waited for", async () => {
  const { address: from } = user.account;
  const before = await client.getTransactionCount({ address: from, blockTag: "pending" });
  const hashes = [];
  for (let index = 0; index < 20; index += 1) {
    hashes.push(await user.sendTransaction({ to: other, value: 1n }));
  }
  const receipts = await Promise.all(hashes.map((hash) => mined(hash)));
  assert.equal(new Set(receipts.map(({ transactionHash }) => transactionHash)).size, 20);
  assert.equal(await client.getTransactionCount({ address: from }), before + 20);
});

await check("nonce: twenty sends at once, with viem's nonce manager", async () => {
  const key = generatePrivateKey();
  const managed = wallet(key, { nonceManager });
  await mined(await user.sendTransaction({ to: managed.account.address, value: parseEther("1") }));
  const send = () => managed.sendTransaction({ to: other, value: 1n });
  const hashes = await Promise.all(Array.from({ length: 20 }, send));
  await Promise.all(hashes.map((hash) => mined(hash)));
  assert.equal(await client.getTransactionCount({ address: managed.account.address }), 20);
});

await check("nonce: a replacement pays more, and viem sees it replaced", async () => {
  const { address: from } = user.account;
  const next = await client.getTransactionCount({ address: from });
  // One above the next: it waits in the pool until the gap is filled.
  const waiting = { to: other, nonce: next + 1, maxPriorityFeePerGas: parseGwei("2") };
  const first = await user.sendTransaction({ ...waiting, value: 1n, maxFeePerGas: parseGwei("20") });
  await assert.rejects(
    user.sendTransaction({ ...waiting, value: 2n, maxFeePerGas: parseGwei("20") }),
    /replacement transaction underpriced/,
  );
  const dearer = { maxFeePerGas: parseGwei("40"), maxPriorityFeePerGas: parseGwei("4") };
  let replacement;
  const receipt = client.waitForTransactionReceipt({
    hash: first,
    onReplaced: (found) => (replacement = found),
  });
  await sleep(1_000); // viem knows only a replacement of what it has seen
  const second = await user.sendTransaction({ ...waiting, ...dearer, value: 2n });
  await user.sendTransaction({ to: other, value: 1n, nonce: next });
  assert.equal((await receipt).transactionHash, second);
  assert.equal(replacement?.reason, "replaced");
});

await check("nonce: what was used is refused as NonceTooLowError", async () => {
  const error = await user.sendTransaction({ to: other, nonce: 0 }).catch((error) => error);
  const cause = error.walk((cause) => cause instanceof NonceTooLowError);
  assert.ok(cause, `expected NonceTooLowError, found ${error}`);
});

await check("funds: too much is refused as InsufficientFundsError", async () => {
  const value = parseEther("1000000");
  const error = await user.sendTransaction({ to: other, value, gas: 21_000n }).catch((error) => error);
  const cause = error.walk((cause) => cause instanceof InsufficientFundsError);
  assert.ok(cause, `expected InsufficientFundsError, found ${error}`);
});

await check("blocks: pending is never null, safe and finalized are behind latest", async () => {
  const height = async (blockTag) => (await client.getBlock({ blockTag })).number;
  const [finalized, safe, latest] = [await height("finalized"), await height("safe"), await height("latest")];
  assert.ok(finalized <= safe && safe <= latest, `${finalized} ≤ ${safe} ≤ ${latest}`);
  const pending = await client.request({ method: "eth_getBlockByNumber", params: ["pending", false] });
  assert.ok(pending, "the pending block is null");
  const { hash } = await client.getBlock();
  const atHash = [user.account.address, { blockHash: hash, requireCanonical: true }];
  assert.ok(await client.request({ method: "eth_getBalance", params: atHash }));
});

await check("proof: an account and a word of its storage", async () => {
  const proof = await client.getProof({ address, storageKeys: [`0x${"0".repeat(64)}`] });
  assert.ok(proof.accountProof.length > 0);
  assert.equal(proof.storageProof[0].value, await number());
});

await check("access list: what a call touches", async () => {
  const { accessList, gasUsed } = await client.createAccessList({
    account: user.account.address,
    to: address,
    data: "0x8381f58a", // number()
  });
  assert.deepEqual(accessList, [{ address: address.toLowerCase(), storageKeys: [`0x${"0".repeat(64)}`] }]);
  assert.ok(gasUsed > 21_000n);
});

await check("simulate: calls in blocks that are never made", async () => {
  const [block] = await client.simulateBlocks({
    blocks: [{ calls: [{ from: user.account.address, to: other, value: 1n }] }],
  });
  assert.equal(block.calls[0].status, "success");
  assert.equal(block.calls[0].gasUsed, 21_000n);
});

finish();
