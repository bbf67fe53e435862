//! One case: its transaction on its pre-state, and what is wrong with the outcome.

use super::fixture::{Env, Post, PreAccount, Quantity, Test, TransactionParts};
use alloy_consensus::{SignableTransaction, Signed, TxEip1559, TxEip2930, TxEip7702, TxEnvelope, TxLegacy};
use alloy_eips::{
    Encodable2718 as _,
    eip2930::AccessList,
    eip2935::HISTORY_STORAGE_ADDRESS,
    eip7702::{Authorization, SignedAuthorization},
};
use alloy_primitives::{Address, B256, Bytes, Log, Signature, TxKind, U64, U256, keccak256};
use crypto::secp256k1::SecretKey;
use primitives::Verified;
use serde::Serialize;
use shard_state::portal::PortalRules;
use shard_state::{
    account::Account,
    executor::{BlockExecutor, Environment, ExecuteError, InclusionError, Path},
    rules::Rules,
    state::{FlatState, MemoryState, StateError},
    transaction::{Transaction, TransactionError, TransactionLimits, verify_batch},
};
use std::collections::BTreeMap;

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as the fixture says.
    Pass {
        /// Root of the state afterwards.
        state_root: B256,
        /// Why the transaction was refused, if it was.
        refused: Option<String>,
    },
    /// It is not.
    Fail {
        /// What is wrong.
        failure: Failure,
        /// The state afterwards, if there is one.
        after: Option<After>,
    },
    /// A shard has no such transaction: nothing is known about the case.
    Skip {
        /// Why.
        reason: &'static str,
    },
}

/// What is wrong with a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Failure {
    /// The fixture contradicts itself, or holds what no transaction can.
    #[error("the fixture has no such {what}")]
    Fixture {
        /// What is missing or out of range.
        what: &'static str,
    },
    /// The secret key is another account's.
    #[error("the fixture's key is of {found}, its sender is {expected}")]
    Sender {
        /// The fixture's sender.
        expected: Address,
        /// Whose key it is.
        found: Address,
    },
    /// Another state.
    #[error("state root is {found}, expected {expected}")]
    StateRoot {
        /// The fixture's.
        expected: B256,
        /// Ours.
        found: B256,
    },
    /// Other logs.
    #[error("logs hash is {found}, expected {expected}")]
    LogsHash {
        /// The fixture's.
        expected: B256,
        /// Ours.
        found: B256,
    },
    /// What must be refused was executed.
    #[error("the transaction was executed, expected {expected}")]
    NotRefused {
        /// The fixture's exception.
        expected: String,
    },
    /// What must be executed was refused.
    #[error("the transaction was refused: {found}")]
    Refused {
        /// Our reason.
        found: String,
    },
    /// The way around the interpreter leads elsewhere.
    #[error("state root is {interpreter} by the interpreter, {fastest} by the fastest way")]
    Paths {
        /// By the interpreter.
        interpreter: B256,
        /// Around it, where that can be.
        fastest: B256,
    },
    /// The trie that is changed in place leads elsewhere.
    #[error("state root is {rebuilt} from nothing, {updated} in place")]
    Trie {
        /// Over all accounts.
        rebuilt: B256,
        /// By the changes.
        updated: B256,
    },
    /// The executor failed in itself.
    #[error("the executor failed: {found}")]
    Executor {
        /// How.
        found: String,
    },
}

/// Why a transaction is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    /// Never.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// On this state.
    #[error(transparent)]
    Inclusion(#[from] InclusionError),
    /// Its fields do not fit into any transaction.
    #[error("{what} does not fit into a transaction")]
    Unsignable { what: &'static str },
}

/// What execution led to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Executed {
    after: After,
    logs_hash: B256,
    refusal: Option<Refusal>,
}

/// The state afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// Its root.
    pub state_root: B256,
    state: MemoryState,
}

/// An account, as fixtures write it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountAfter {
    balance: U256,
    nonce: U64,
    code: Bytes,
    storage: BTreeMap<U256, U256>,
}

impl After {
    /// Its accounts.
    pub(super) fn accounts(&self) -> BTreeMap<Address, AccountAfter> {
        let codes: BTreeMap<_, _> = self.state.codes().collect();
        let described = |(address, account): (&Address, &Account)| {
            let after = AccountAfter {
                balance: account.balance,
                nonce: U64::from(account.nonce),
                code: codes.get(&account.code_hash).copied().cloned().unwrap_or_default(),
                storage: self.state.slots(*address).map(|(slot, value)| (slot.into(), value)).collect(),
            };
            (*address, after)
        };
        self.state.accounts().map(described).collect()
    }
}

/// Runs one case.
pub(super) fn run(test: &Test, post: &Post, rules: Rules) -> Verdict {
    if test.transaction.max_fee_per_blob_gas.is_some() {
        return Verdict::Skip { reason: "blob transaction: a shard takes types 0, 1, 2 and 4" };
    }
    match attempt(test, post, rules) {
        Err(failure) => Verdict::Fail { failure, after: None },
        Ok(executed) => match judge(&executed, post) {
            None => Verdict::Pass {
                state_root: executed.after.state_root,
                refused: executed.refusal.map(|refusal| refusal.to_string()),
            },
            Some(failure) => Verdict::Fail { failure, after: Some(executed.after) },
        },
    }
}

fn attempt(test: &Test, post: &Post, rules: Rules) -> Result<Executed, Failure> {
    let state = state_before(test)?;
    let environment = environment(&test.env, test.config.chainid)?;
    let limits = TransactionLimits::under(rules, environment.chain_id, environment.gas_limit);
    let transaction = transaction(&test.transaction, post, environment.chain_id)?.and_then(|envelope| {
        Ok(verify_batch(vec![envelope.encoded_2718().into()], &limits)
            .pop()
            .ok_or(Refusal::Unsignable { what: "nothing" })??)
    });
    let mut outcomes = [Path::Evm, Path::Fastest]
        .map(|path| match &transaction {
            Ok(transaction) => execute(&state, environment, rules, path, transaction),
            Err(refusal) => Ok(untouched(&state, refusal.clone())),
        })
        .into_iter();
    let (Some(interpreter), Some(fastest)) = (outcomes.next(), outcomes.next()) else {
        return Err(Failure::Fixture { what: "path" });
    };
    let (interpreter, fastest) = (interpreter?, fastest?);
    if interpreter != fastest {
        let (interpreter, fastest) = (interpreter.after.state_root, fastest.after.state_root);
        return Err(Failure::Paths { interpreter, fastest });
    }
    Ok(interpreter)
}

fn judge(executed: &Executed, post: &Post) -> Option<Failure> {
    let Executed { after: After { state_root, .. }, logs_hash, refusal } = executed;
    match (refusal, &post.expect_exception) {
        (Some(refusal), None) => return Some(Failure::Refused { found: refusal.to_string() }),
        (None, Some(expected)) => return Some(Failure::NotRefused { expected: expected.clone() }),
        _ => {}
    }
    if *state_root != post.hash {
        return Some(Failure::StateRoot { expected: post.hash, found: *state_root });
    }
    (*logs_hash != post.logs).then_some(Failure::LogsHash { expected: post.logs, found: *logs_hash })
}

/// Executes a valid transaction one way, and hashes the state afterwards both ways.
fn execute(
    state: &MemoryState,
    environment: Environment,
    rules: Rules,
    path: Path,
    transaction: &Verified<Transaction>,
) -> Result<Executed, Failure> {
    let before = WithBlockHashes { state };
    let mut executor = BlockExecutor::under(rules, &before, environment).with_path(path);
    match executor.execute(transaction) {
        Ok(_) => {}
        Err(ExecuteError::Inclusion(refusal)) => return Ok(untouched(state, refusal.into())),
        Err(error) => return Err(Failure::Executor { found: error.to_string() }),
    }
    let (change_set, receipts) = executor.close();
    let updated = state.trie().update(&change_set.account_changes());
    let mut state = state.clone();
    state.apply(&change_set);
    let rebuilt = state.trie().root();
    if rebuilt != updated {
        return Err(Failure::Trie { rebuilt, updated });
    }
    let logs: Vec<Log> = receipts.iter().flat_map(|receipt| receipt.logs()).cloned().collect();
    let after = After { state_root: updated, state };
    Ok(Executed { after, logs_hash: keccak256(alloy_rlp::encode(&logs)), refusal: None })
}

fn untouched(state: &MemoryState, refusal: Refusal) -> Executed {
    let logs_hash = keccak256(alloy_rlp::encode(Vec::<Log>::new()));
    let after = After { state_root: state.trie().root(), state: state.clone() };
    Executed { after, logs_hash, refusal: Some(refusal) }
}

fn state_before(test: &Test) -> Result<MemoryState, Failure> {
    let mut state = MemoryState::new();
    for (address, PreAccount { balance, nonce, code, storage }) in &test.pre {
        let nonce = small(*nonce, "nonce of 64 bits")?;
        let code_hash = state.set_code(code.clone());
        state.set_account(*address, Account { nonce, balance: *balance, code_hash });
        for (slot, value) in storage {
            state.set_storage(*address, B256::from(*slot), *value);
        }
    }
    Ok(state)
}

fn environment(env: &Env, chain_id: U256) -> Result<Environment, Failure> {
    Ok(Environment {
        chain_id: small(chain_id, "chain id of 64 bits")?,
        height: small(env.current_number, "block number of 64 bits")?,
        timestamp: small(env.current_timestamp, "timestamp of 64 bits")?,
        mix: env.current_random.unwrap_or_default().into(),
        fee_recipient: env.current_coinbase,
        gas_limit: small(env.current_gas_limit, "gas limit of 64 bits")?,
        base_fee: small(env.current_base_fee.unwrap_or_default(), "base fee of 64 bits")?,
        portal: PortalRules::ALONE,
    })
}

fn small(value: U256, what: &'static str) -> Result<u64, Failure> {
    u64::try_from(value).map_err(|_| Failure::Fixture { what })
}

/// The case's transaction, signed; or why there can be none.
fn transaction(
    parts: &TransactionParts,
    post: &Post,
    chain_id: u64,
) -> Result<Result<TxEnvelope, Refusal>, Failure> {
    let indexes = post.indexes;
    let missing = |what| Failure::Fixture { what };
    let input = parts.data.get(indexes.data).ok_or(missing("data"))?.clone();
    let gas_limit = *parts.gas_limit.get(indexes.gas).ok_or(missing("gas limit"))?;
    let value = *parts.value.get(indexes.value).ok_or(missing("value"))?;
    let to = match parts.to.as_str() {
        "" => TxKind::Create,
        to => TxKind::Call(to.parse().map_err(|_| missing("destination"))?),
    };
    let key = SecretKey::from_bytes(&parts.secret_key.0).map_err(|_| missing("secret key"))?;
    let found = key.address();
    if let Some(expected) = parts.sender.filter(|sender| *sender != found) {
        return Err(Failure::Sender { expected, found });
    }
    let list = parts.access_lists.as_ref().and_then(|lists| lists.get(indexes.data)).cloned().flatten();
    Ok(sign(parts, Chosen { chain_id, input, gas_limit, value, to, list }, &key))
}

/// What a case chooses of its test's transactions.
struct Chosen {
    chain_id: u64,
    input: Bytes,
    gas_limit: Quantity,
    value: Quantity,
    to: TxKind,
    list: Option<AccessList>,
}

fn sign(parts: &TransactionParts, chosen: Chosen, key: &SecretKey) -> Result<TxEnvelope, Refusal> {
    let Chosen { chain_id, input, gas_limit, value, to, list } = chosen;
    let value = fitting(value, "the value")?;
    let nonce = fitting(parts.nonce, "the nonce")?;
    let gas_limit = fitting(gas_limit, "the gas limit")?;
    let price = |price: Option<Quantity>, what| price.map_or(Ok(0), |price| fitting(price, what));
    let gas_price = price(parts.gas_price, "the gas price")?;
    let max_fee_per_gas = price(parts.max_fee_per_gas, "the fee")?;
    let max_priority_fee_per_gas = price(parts.max_priority_fee_per_gas, "the priority fee")?;
    let access_list = list.clone().unwrap_or_default();
    if let Some(authorizations) = &parts.authorization_list {
        let TxKind::Call(to) = to else {
            return Err(Refusal::Unsignable { what: "a creation with authorizations" });
        };
        let authorization_list = authorizations.iter().map(signed_authorization).collect::<Result<_, _>>()?;
        let unsigned = TxEip7702 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to,
            value,
            access_list,
            authorization_list,
            input,
        };
        return Ok(signed(unsigned, key));
    }
    if parts.max_fee_per_gas.is_some() {
        let unsigned = TxEip1559 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to,
            value,
            access_list,
            input,
        };
        return Ok(signed(unsigned, key));
    }
    if list.is_some() {
        return Ok(signed(
            TxEip2930 { chain_id, nonce, gas_price, gas_limit, to, value, access_list, input },
            key,
        ));
    }
    Ok(signed(TxLegacy { chain_id: Some(chain_id), nonce, gas_price, gas_limit, to, value, input }, key))
}

/// A number of the fixture as a transaction holds it.
fn fitting<T: TryFrom<U256>>(quantity: Quantity, what: &'static str) -> Result<T, Refusal> {
    quantity.0.and_then(|value| T::try_from(value).ok()).ok_or(Refusal::Unsignable { what })
}

fn signed<T>(unsigned: T, key: &SecretKey) -> TxEnvelope
where
    T: SignableTransaction<Signature>,
    Signed<T>: Into<TxEnvelope>,
{
    let signature = key.sign(&unsigned.signature_hash());
    unsigned.into_signed(signature).into()
}

fn signed_authorization(parts: &super::fixture::Authorization) -> Result<SignedAuthorization, Refusal> {
    let what = "an authorization";
    let nonce = u64::try_from(parts.nonce).map_err(|_| Refusal::Unsignable { what })?;
    let parity = u8::try_from(parts.v).map_err(|_| Refusal::Unsignable { what })?;
    let inner = Authorization { chain_id: parts.chain_id, address: parts.address, nonce };
    Ok(SignedAuthorization::new_unchecked(inner, parity, parts.r, parts.s))
}

/// A pre-state with the block hashes that fixtures suppose, where the executor looks for them: that of block *n* is the
/// Keccak-256 of *n* in decimal digits.
struct WithBlockHashes<'a> {
    state: &'a MemoryState,
}

impl FlatState for WithBlockHashes<'_> {
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        self.state.account(address)
    }

    fn storage(&self, address: &Address, slot: &B256) -> Result<U256, StateError> {
        if *address == HISTORY_STORAGE_ADDRESS && self.state.account(address)?.is_none() {
            return Ok(keccak256(U256::from_be_bytes(slot.0).to_string()).into());
        }
        self.state.storage(address, slot)
    }

    fn code(&self, hash: &B256) -> Result<Option<Bytes>, StateError> {
        self.state.code(hash)
    }
}
