//! Makes up parameters: by their kinds in the reference, then broken in one way or another.

use alloy_primitives::{Address, B256, Bytes};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rpc::method::Signature;
use serde_json::{Value, json};

/// How deep made-up JSON is nested.
const DEPTH_MAX: usize = 4;

/// What the chain has, so that some questions have an answer.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) addresses: Vec<Address>,
    pub(super) blocks: Vec<B256>,
    pub(super) transactions: Vec<B256>,
    pub(super) encoded: Vec<Bytes>,
    /// Ids of filters that were made.
    pub(super) filters: Vec<Value>,
}

#[derive(Debug)]
pub(super) struct Parameters {
    random: StdRng,
    known: Known,
    /// Which hash it is the turn of; any, if none.
    turn: Option<usize>,
}

impl Parameters {
    pub(super) fn new(seed: u64, known: Known) -> Self {
        Self { random: StdRng::seed_from_u64(seed), known, turn: None }
    }

    /// How many rounds it takes to ask for every hash.
    pub(super) fn rounds(&self) -> usize {
        self.hashes().len()
    }

    /// From now on asks for the hash whose turn it is in a round.
    pub(super) fn of_round(&mut self, round: usize) -> &mut Self {
        self.turn = Some(round);
        self
    }

    fn hashes(&self) -> Vec<B256> {
        [&self.known.blocks[..], &self.known.transactions].concat()
    }

    /// What the method takes.
    pub(super) fn valid(&mut self, method: &Signature) -> Value {
        let is_filter = method.name.contains("Filter");
        let params = method.params.iter().map(|param| match param.name {
            "id" if is_filter => self.filter(),
            _ => self.sample(param.kind),
        });
        Value::Array(params.collect())
    }

    /// What the method takes, but for something.
    pub(super) fn mutated(&mut self, method: &Signature) -> Value {
        self.turn = None;
        let mut params = self.valid(method);
        match self.random.random_range(0..10) {
            0 => return self.anything(0),
            1 => drop(params.as_array_mut().and_then(Vec::pop)),
            2 => {
                let more = self.anything(0);
                params.as_array_mut().expect("made as one").push(more);
            }
            _ => {
                for _ in 0..self.random.random_range(1..3) {
                    self.mutate(&mut params);
                }
            }
        }
        params
    }

    /// Takes note of what may be asked for later.
    pub(super) fn learn(&mut self, method: &Signature, result: &Value) {
        if method.name.starts_with("eth_new") && self.known.filters.len() < 100 {
            self.known.filters.push(result.clone());
        }
    }

    fn filter(&mut self) -> Value {
        // The oldest tells of logs.
        self.known.filters.first().cloned().unwrap_or_else(|| json!("0x1"))
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.random.random_range(0..of.len())].clone()
    }

    fn address(&mut self) -> Value {
        let known = self.known.addresses.clone();
        if known.is_empty() { json!(Address::ZERO) } else { json!(self.one(&known)) }
    }

    fn block_hash(&mut self) -> Value {
        let known = self.known.blocks.clone();
        if known.is_empty() { json!(B256::ZERO) } else { json!(self.one(&known)) }
    }

    fn number_or_tag(&mut self) -> Value {
        let names = ["latest", "pending", "safe", "finalized", "earliest", "0x0", "0x1", "0x2", "0xffffffff"];
        json!(self.one(&names))
    }

    /// A value of a kind that the reference names.
    pub(super) fn sample(&mut self, kind: &str) -> Value {
        match kind {
            "address" => self.address(),
            "hash" => {
                let hashes = self.hashes();
                match self.turn {
                    _ if hashes.is_empty() => json!(B256::ZERO),
                    Some(turn) => json!(hashes[turn % hashes.len()]),
                    None => json!(self.one(&hashes)),
                }
            }
            "block" => match self.random.random_range(0..4) {
                0 => {
                    json!({ "blockHash": self.block_hash(), "requireCanonical": self.random.random::<bool>() })
                }
                1 => json!({ "blockNumber": self.number_or_tag() }),
                2 => self.block_hash(),
                _ => self.number_or_tag(),
            },
            "block number or tag" => self.number_or_tag(),
            "block overrides" => json!({
                "number": "0x10", "time": "0x20", "gasLimit": "0x100000", "feeRecipient": self.address(),
                "prevRandao": B256::repeat_byte(1), "baseFeePerGas": "0x7",
            }),
            "bytes" => {
                let encoded = self.known.encoded.clone();
                if encoded.is_empty() { json!("0x") } else { json!(self.one(&encoded)) }
            }
            "filter" => json!({
                "fromBlock": "0x0", "toBlock": "latest", "address": [self.address(), self.address()],
                "topics": [[B256::with_last_byte(7), B256::ZERO], null],
            }),
            "slot" => json!("0x0"),
            "list of slots" => json!(["0x0", B256::with_last_byte(1)]),
            "list of percentiles" => json!([0, 12.5, 100]),
            "state overrides" => {
                let account = self.address().as_str().expect("an address").to_owned();
                json!({ (account): { "balance": "0xffffffffff", "nonce": "0x1", "code": "0x5f545f5260205ff3",
                    "stateDiff": { (B256::ZERO.to_string()): B256::with_last_byte(3) } } })
            }
            "transaction request" => json!({
                "from": self.address(), "to": self.address(), "value": "0x0", "gas": "0x50000",
                "maxFeePerGas": "0x0", "maxPriorityFeePerGas": "0x0", "input": "0x00",
                "accessList": [{ "address": self.address(), "storageKeys": [B256::ZERO] }],
            }),
            "quantity" => json!(self.one(&["0x0", "0x1", "0x5", "0x400"])),
            "boolean" => json!(self.random.random::<bool>()),
            "trace options" => self.one(&[
                json!({}),
                json!({ "enableMemory": true, "enableReturnData": true, "limit": 10, "timeout": "1s" }),
                json!({ "tracer": "callTracer", "tracerConfig": { "withLog": true } }),
                json!({ "tracer": "prestateTracer", "tracerConfig": { "diffMode": true } }),
                json!({ "tracer": "4byteTracer", "reexec": 128 }),
            ]),
            "blocks of calls" => json!({
                "blockStateCalls": [{ "calls": [{ "from": self.address(), "to": self.address() }] }],
                "traceTransfers": true,
            }),
            "text" => json!("text"),
            "subscription kind" => json!("newHeads"),
            "subscription options" => json!(true),
            "subscription id" => json!("0x1"),
            other => panic!("a parameter of kind `{other}` is new: give it a sample here"),
        }
    }

    /// Changes one value somewhere inside.
    fn mutate(&mut self, value: &mut Value) {
        let goes_deeper = self.random.random_range(0..4) > 0;
        match value {
            Value::Array(list) if goes_deeper && !list.is_empty() => {
                let index = self.random.random_range(0..list.len());
                self.mutate(&mut list[index]);
            }
            Value::Object(fields) if goes_deeper && !fields.is_empty() => {
                let index = self.random.random_range(0..fields.len());
                let key = fields.keys().nth(index).expect("below the length").clone();
                match self.random.random_range(0..5) {
                    0 => drop(fields.remove(&key)),
                    1 => {
                        let moved = fields.remove(&key).unwrap_or_default();
                        fields.insert(self.text(), moved);
                    }
                    _ => self.mutate(fields.get_mut(&key).expect("it is there")),
                }
            }
            Value::String(text) if goes_deeper => *text = self.broken(text),
            _ => *value = self.anything(0),
        }
    }

    /// A text that is nearly the same.
    fn broken(&mut self, text: &str) -> String {
        let mut characters: Vec<char> = text.chars().collect();
        let place = self.random.random_range(0..=characters.len());
        match self.random.random_range(0..6) {
            0 => characters.truncate(place),
            1 => characters.insert(place, self.character()),
            2 if place < characters.len() => characters[place] = self.character(),
            3 => characters = text.to_uppercase().chars().collect(),
            4 => characters.extend(std::iter::repeat_n('f', self.random.random_range(1..100))),
            _ => drop((place < characters.len()).then(|| characters.remove(place))),
        }
        characters.into_iter().collect()
    }

    fn character(&mut self) -> char {
        let odd = ['\0', ' ', '-', 'x', 'g', 'é', '\u{202e}', '🦀', '"', '\\'];
        match self.random.random::<bool>() {
            true => self.one(&odd),
            false => char::from(self.random.random_range(b'0'..=b'f')),
        }
    }

    fn text(&mut self) -> String {
        let texts = [
            "",
            "0x",
            "0x0",
            "0x00",
            "latest",
            "blockHash",
            "from",
            "gas",
            "state",
            "authorizationList",
            "-1",
        ];
        match self.random.random_range(0..3) {
            0 => (0..self.random.random_range(0..40)).map(|_| self.character()).collect(),
            1 => format!("0x{}", "f".repeat(self.random.random_range(0..130))),
            _ => self.one(&texts).to_owned(),
        }
    }

    /// Any JSON.
    fn anything(&mut self, depth: usize) -> Value {
        let leaf_only = depth >= DEPTH_MAX;
        match self.random.random_range(0..if leaf_only { 7 } else { 10 }) {
            0 => Value::Null,
            1 => json!(self.random.random::<bool>()),
            2 => json!(self.random.random::<i64>()),
            3 => json!(self.random.random::<u64>() >> self.random.random_range(0..64)),
            4 => json!(f64::from_bits(self.random.random())),
            5 | 6 => json!(self.text()),
            7 => {
                let kinds =
                    ["address", "hash", "filter", "transaction request", "state overrides", "quantity"];
                let kind = self.one(&kinds);
                self.sample(kind)
            }
            8 => (0..self.random.random_range(0..5)).map(|_| self.anything(depth + 1)).collect(),
            _ => {
                let fields = (0..self.random.random_range(0..5)).map(|_| {
                    let name = self.text();
                    (name, self.anything(depth + 1))
                });
                Value::Object(fields.collect())
            }
        }
    }
}
