"""web3.py: everything its users do, over HTTP and WebSocket."""

import asyncio
import json
import os
import sys
import time
import traceback
from pathlib import Path

from eth_account import Account
from web3 import AsyncWeb3, HTTPProvider, Web3, WebSocketProvider
from web3.exceptions import ContractCustomError, ContractLogicError, ContractPanicError, Web3RPCError
from web3.utils.subscriptions import LogsSubscription, NewHeadsSubscription, PendingTxSubscription

RPC, WS, KEY = (os.environ[name] for name in ("ATOLL_RPC", "ATOLL_WS", "ATOLL_KEY"))
ZERO = "0x" + "0" * 40
TIMEOUT_S = 30
passed = failed = 0

w3 = Web3(HTTPProvider(RPC))
bank = Account.from_key(KEY)
user = Account.create()  # a new account for each run: its nonces start at zero
other = Account.create().address


def artifact(name):
    return json.loads((Path(__file__).parent.parent / "build" / f"{name}.json").read_text())


def check(name):
    """Runs the function below it at once; it raises where the chain is not what the client expects."""

    def run(body):
        global passed, failed
        try:
            asyncio.run(body()) if asyncio.iscoroutinefunction(body) else body()
            passed += 1
            print(f"ok    {name}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL  {name}\n      " + traceback.format_exc().replace("\n", "\n      "), flush=True)
        return body

    return run


def equal(found, expected):
    assert found == expected, f"expected {expected!r}, found {found!r}"


def refusal(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}, but it succeeded")


def sign(account, **fields):
    """Signs with what is left out filled in by the node."""
    if fields.get("gasPrice") is None and "maxFeePerGas" not in fields:
        tip = w3.eth.max_priority_fee
        base_fee = w3.eth.get_block("latest")["baseFeePerGas"]
        fields |= {"maxPriorityFeePerGas": tip, "maxFeePerGas": 2 * base_fee + tip}
    fields = {"chainId": w3.eth.chain_id, "from": account.address, "value": 0} | fields
    fields.setdefault("nonce", w3.eth.get_transaction_count(account.address, "pending"))
    if "gas" not in fields:
        fields["gas"] = w3.eth.estimate_gas({key: fields[key] for key in fields if key != "nonce"})
    fields.pop("from")
    return account.sign_transaction(fields).raw_transaction


def send(account, **fields):
    return w3.eth.send_raw_transaction(sign(account, **fields))


def mined(tx_hash, status=1):
    receipt = w3.eth.wait_for_transaction_receipt(tx_hash, timeout=TIMEOUT_S, poll_latency=0.1)
    equal(receipt["status"], status)
    return receipt


def deploy(name, *args):
    contract = w3.eth.contract(**artifact(name))
    data = contract.constructor(*args).data_in_transaction
    receipt = mined(send(user, data=data))
    return w3.eth.contract(address=receipt["contractAddress"], abi=artifact(name)["abi"])


def write(call, account=user, **fields):
    return send(account, to=call.address, data=call._encode_transaction_data(), **fields)


@check("balance: a receipt's effect is in latest at once")
def _():
    mined(send(bank, to=user.address, value=Web3.to_wei(10, "ether"), gas=21_000))
    equal(w3.eth.get_balance(user.address), Web3.to_wei(10, "ether"))
    equal(w3.eth.get_balance(other), 0)


def send_type(kind, **fields):
    before = w3.eth.get_balance(other)
    receipt = mined(send(user, to=other, value=7, **fields))
    equal(receipt["type"], kind)
    equal(w3.eth.get_transaction(receipt["transactionHash"])["type"], kind)
    equal(w3.eth.get_balance(other), before + 7)


@check("send: type 0")
def _():
    send_type(0, gasPrice=w3.eth.gas_price)


@check("send: type 1")
def _():
    send_type(1, gasPrice=w3.eth.gas_price, accessList=[{"address": other, "storageKeys": []}])


@check("send: type 2")
def _():
    send_type(2)


@check("send: type 4 sets and clears an account's code")
def _():
    delegate = deploy("Delegate")
    account = Account.create()
    authority = {"chainId": w3.eth.chain_id, "address": delegate.address, "nonce": 0}
    signed = account.sign_authorization(authority)
    as_delegate = w3.eth.contract(address=account.address, abi=delegate.abi)
    receipt = mined(write(as_delegate.functions.mark(5), authorizationList=[signed], gas=200_000))
    equal(receipt["type"], 4)
    equal(receipt["logs"][0]["address"], account.address)
    equal(w3.eth.get_code(account.address).to_0x_hex(), "0xef0100" + delegate.address[2:].lower())
    equal(as_delegate.functions.isDelegate().call(), True)
    clear = account.sign_authorization(authority | {"address": ZERO, "nonce": 1})
    mined(send(user, to=other, authorizationList=[clear], gas=100_000))
    equal(w3.eth.get_code(account.address), b"")


counter = None


@check("deploy, call and write")
def _():
    global counter
    counter = deploy("Counter", 40)
    equal(counter.functions.number().call(), 40)
    equal(counter.functions.increase(2).call({"from": user.address}), 42)
    mined(write(counter.functions.increase(2)))
    equal(counter.functions.number().call(), 42)


@check("call: state override")
def _():
    slot = "0x" + "0" * 64
    override = {counter.address: {"stateDiff": {slot: "0x" + "0" * 62 + "63"}}}
    equal(counter.functions.number().call(state_override=override), 99)


@check("logs: by event, by indexed argument, by range")
def _():
    logs = counter.events.Increased().get_logs(from_block=0, argument_filters={"by": user.address})
    equal([log["args"]["number"] for log in logs], [42])
    equal(counter.events.Increased().get_logs(from_block=0, argument_filters={"by": other}), [])
    equal(w3.eth.get_block(logs[0]["blockNumber"])["hash"], logs[0]["blockHash"])


@check("filter: events, blocks and pending transactions since they were asked for last")
def _():
    events = counter.events.Increased().create_filter(from_block="latest")
    blocks, pending = w3.eth.filter("latest"), w3.eth.filter("pending")
    tx_hash = write(counter.functions.increase(1))
    receipt = mined(tx_hash)
    equal([log["args"]["number"] for log in events.get_new_entries()], [counter.functions.number().call()])
    equal(events.get_new_entries(), [])
    assert receipt["blockHash"] in blocks.get_new_entries(), "the block's hash is missing"
    assert tx_hash in pending.get_new_entries(), "the transaction's hash is missing"
    for each in (events, blocks, pending):
        equal(w3.eth.uninstall_filter(each.filter_id), True)


@check("subscription: new heads, logs and pending transactions over WebSocket")
async def _():
    heads, numbers, pending = [], [], []

    async def on_head(context):
        heads.append(context.result["number"])

    async def on_log(context):
        numbers.append(int.from_bytes(context.result["data"], "big"))

    async def on_pending(context):
        pending.append(context.result)

    async def until(what, done):
        deadline = time.monotonic() + TIMEOUT_S
        while not done():
            assert time.monotonic() < deadline, f"did not happen within {TIMEOUT_S} s: {what}"
            await asyncio.sleep(0.1)

    async with AsyncWeb3(WebSocketProvider(WS)) as live:
        await live.subscription_manager.subscribe(
            [
                NewHeadsSubscription(handler=on_head),
                LogsSubscription(address=counter.address, handler=on_log),
                PendingTxSubscription(handler=on_pending),
            ]
        )
        task = asyncio.create_task(live.subscription_manager.handle_subscriptions())
        await until("a first head arrives", lambda: heads)
        tx_hash = await asyncio.to_thread(write, counter.functions.increase(1))
        await until("the log arrives", lambda: numbers)
        await until("the pending transaction's hash arrives", lambda: tx_hash in pending)
        await until("heads go on", lambda: len(heads) >= 4)
        task.cancel()
    equal(numbers, [counter.functions.number().call()])
    equal(heads, list(range(heads[0], heads[0] + len(heads))))


@check("revert: custom error, reason, panic")
def _():
    error = refusal(ContractCustomError, lambda: counter.functions.increase(101).call())
    selector, words = error.data[:10], error.data[10:]
    equal(selector, Web3.keccak(text="TooHigh(uint256,uint256)")[:4].to_0x_hex())
    equal([int(words[:64], 16), int(words[64:], 16)], [101, 100])
    reason = refusal(ContractLogicError, lambda: counter.functions.refuse().call())
    assert "not today" in str(reason), reason
    panic = refusal(ContractPanicError, lambda: counter.functions.divide(0).call())
    assert "0x12" in str(panic), panic


@check("revert: an estimate refuses too, a transaction with gas is mined as reverted")
def _():
    call = counter.functions.increase(101)
    refusal(ContractCustomError, lambda: call.estimate_gas({"from": user.address}))
    equal(mined(write(call, gas=100_000), status=0)["logs"], [])


@check("gas: an estimate is enough, for a contract that catches its callee's failure too")
def _():
    transfer = {"from": user.address, "to": other, "value": 1}
    equal(w3.eth.estimate_gas(transfer), 21_000)
    attempt = deploy("Attempt")
    mined(write(attempt.functions.increase(counter.address, 1)))
    equal(attempt.functions.done().call(), True)


@check("fees: history at genesis, at pending, with and without percentiles")
def _():
    history = w3.eth.fee_history(4, "latest", [25, 75])
    equal(len(history["baseFeePerGas"]), 5)
    equal([len(reward) for reward in history["reward"]], [2] * 4)
    equal(w3.eth.fee_history(1, 0)["oldestBlock"], 0)
    equal(len(w3.eth.fee_history(2, "pending")["baseFeePerGas"]), 3)


@check("nonce: twenty sends in a row, none waited for")
def _():
    before = w3.eth.get_transaction_count(user.address, "pending")
    hashes = [send(user, to=other, value=1, gas=21_000) for _ in range(20)]
    for tx_hash in hashes:
        mined(tx_hash)
    equal(w3.eth.get_transaction_count(user.address), before + 20)


@check("nonce: a replacement pays more")
def _():
    following = w3.eth.get_transaction_count(user.address)
    gwei = Web3.to_wei(1, "gwei")

    def waiting(value, tip):
        # One above the next: it waits in the pool until the gap is filled.
        fees = {"maxPriorityFeePerGas": tip * gwei, "maxFeePerGas": 10 * tip * gwei}
        return send(user, to=other, value=value, gas=21_000, nonce=following + 1, **fees)

    first = waiting(1, 2)
    error = refusal(Web3RPCError, lambda: waiting(2, 2))
    assert "replacement transaction underpriced" in str(error), error
    second = waiting(2, 4)
    send(user, to=other, value=1, gas=21_000, nonce=following)
    mined(second)
    found = w3.provider.make_request("eth_getTransactionReceipt", [first.to_0x_hex()])
    equal(found["result"], None)


@check("nonce and funds: refused in geth's words")
def _():
    error = refusal(Web3RPCError, lambda: send(user, to=other, value=3, gas=21_000, nonce=0))
    assert "nonce too low" in str(error), error
    value = Web3.to_wei(1_000_000, "ether")
    error = refusal(Web3RPCError, lambda: send(user, to=other, value=value, gas=21_000))
    assert "insufficient funds for gas * price + value" in str(error), error
    raw = sign(user, to=other, value=4, gas=21_000, nonce=w3.eth.get_transaction_count(user.address) + 1)
    w3.eth.send_raw_transaction(raw)
    error = refusal(Web3RPCError, lambda: w3.eth.send_raw_transaction(raw))
    assert "already known" in str(error), error
    mined(send(user, to=other, gas=21_000, nonce=w3.eth.get_transaction_count(user.address)))


@check("blocks: by tag, by hash, with their receipts")
def _():
    numbers = [w3.eth.get_block(tag)["number"] for tag in ("finalized", "safe", "latest")]
    equal(numbers, sorted(numbers))
    assert w3.eth.get_block("pending"), "the pending block is null"
    receipt = mined(send(user, to=other, value=1, gas=21_000))
    block = receipt["blockNumber"]
    equal(w3.eth.get_block_transaction_count(block), 1)
    equal(w3.eth.get_transaction_by_block(block, 0)["hash"], receipt["transactionHash"])
    equal(w3.provider.make_request("eth_getUncleCountByBlockNumber", [hex(block)])["result"], "0x0")
    equal([each["transactionHash"] for each in w3.eth.get_block_receipts(block)], [receipt["transactionHash"]])


@check("proof and access list")
def _():
    proof = w3.eth.get_proof(counter.address, [0], "latest")
    equal(int.from_bytes(proof["storageProof"][0]["value"], "big"), counter.functions.number().call())
    touched = w3.eth.create_access_list({"to": counter.address, "data": "0x8381f58a"})
    equal([entry["address"] for entry in touched["accessList"]], [counter.address])


@check("trace and pool")
def _():
    tx_hash = write(counter.functions.increase(1))
    mined(tx_hash)
    trace = w3.geth.debug.trace_transaction(tx_hash, {"tracer": "callTracer"})
    equal(Web3.to_checksum_address(trace["to"]), counter.address)
    assert "pending" in w3.geth.txpool.status()


print(f"{passed} passed, {failed} failed")
sys.exit(0 if failed == 0 else 1)
