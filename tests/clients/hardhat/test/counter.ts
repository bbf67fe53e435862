// A project's tests as its authors write them, over the network.
import { expect } from "chai";
import { network } from "hardhat";

const { ethers } = await network.create("shard");
const [user, other] = await ethers.getSigners();

describe("Counter", function () {
  let counter: any;

  before(async function () {
    counter = await ethers.deployContract("Counter", [40n]);
    await counter.waitForDeployment();
  });

  it("has the accounts of the configuration, and their balance", async function () {
    expect(await ethers.provider.getBalance(user)).to.be.greaterThan(0n);
  });

  const gasPrice = async () => (await ethers.provider.getFeeData()).gasPrice;
  const types = [
    [0, async () => ({ gasPrice: await gasPrice() })],
    [1, async () => ({ gasPrice: await gasPrice(), accessList: [] })],
    [2, async () => ({})],
  ] as const;
  for (const [type, options] of types) {
    it(`sends type ${type}`, async function () {
      const sent = await user.sendTransaction({ to: other, value: 7n, ...(await options()) });
      const receipt = await sent.wait();
      expect(receipt?.status).to.equal(1);
      expect(receipt?.type).to.equal(type);
    });
  }

  it("sends type 4", async function () {
    const delegate: any = await ethers.deployContract("Delegate");
    await delegate.waitForDeployment();
    const account = ethers.Wallet.createRandom();
    const { chainId } = await ethers.provider.getNetwork();
    const signed = await account.authorize({ address: await delegate.getAddress(), nonce: 0, chainId });
    const wallet = new ethers.Wallet(process.env.USER_KEY!, ethers.provider);
    const sent = await wallet.sendTransaction({
      type: 4,
      to: account.address,
      data: delegate.interface.encodeFunctionData("mark", [5n]),
      authorizationList: [signed],
    });
    expect((await sent.wait())?.status).to.equal(1);
    expect(await delegate.attach(account.address).isDelegate()).to.equal(true);
  });

  it("changes balances by what is sent", async function () {
    await expect(user.sendTransaction({ to: other, value: 9n })).to.changeEtherBalances(
      ethers,
      [user, other],
      [-9n, 9n],
    );
  });

  it("counts, and says so", async function () {
    await expect(counter.increase(2n)).to.emit(counter, "Increased").withArgs(user.address, 42n);
    expect(await counter.number()).to.equal(42n);
  });

  it("finds its logs", async function () {
    const logs = await counter.queryFilter(counter.filters.Increased(user.address), 0);
    expect(logs.map(({ args }: any) => args.number)).to.deep.equal([42n]);
  });

  it("hears its logs over WebSocket", async function () {
    const live = new ethers.WebSocketProvider(process.env.ATOLL_WS!);
    const heard = new Promise((resolve) => {
      void counter.connect(live).once("Increased", (_: string, number: bigint) => resolve(number));
    });
    await live.getBlockNumber();
    await (await counter.increase(1n)).wait();
    expect(await heard).to.equal(await counter.number());
    await live.destroy();
  });

  it("refuses with a custom error, a reason, a panic", async function () {
    await expect(counter.increase(101n)).to.be.revertedWithCustomError(counter, "TooHigh").withArgs(101n, 100n);
    await expect(counter.refuse()).to.be.revertedWith("not today");
    await expect(counter.divide(0n)).to.be.revertedWithPanic(0x12);
  });

  it("estimates what is enough", async function () {
    expect(await ethers.provider.estimateGas({ from: user, to: other, value: 1n })).to.equal(21_000n);
    const gasLimit = await counter.increase.estimateGas(1n);
    expect((await (await counter.increase(1n, { gasLimit })).wait()).status).to.equal(1);
  });

  it("sends twenty in a row, none waited for", async function () {
    const before = await user.getNonce();
    const sent = [];
    for (let index = 0; index < 20; index += 1) {
      sent.push(await user.sendTransaction({ to: other, value: 1n }));
    }
    await Promise.all(sent.map((transaction) => transaction.wait()));
    expect(await user.getNonce()).to.equal(before + 20);
  });

  it("refuses a nonce that was used", async function () {
    const refused = user.sendTransaction({ to: other, value: 3n, nonce: 0, gasLimit: 21_000n });
    await expect(refused).to.be.rejectedWith(/nonce too low/i);
  });
});
