use super::*;
use serde_json::{Value, json};
use std::path::Path;

/// What the repository carries.
const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/state");
/// Fewer than these would mean that some were lost: of Ethereum's own tests, and of those filled here.
const CASES_MIN: [(&str, usize); 2] = [("ethereum", 330), ("filled", 1_800)];

fn args(paths: &[&Path], fork: Option<Rules>, json: bool) -> StateTestArgs {
    StateTestArgs { paths: paths.iter().map(|path| path.to_path_buf()).collect(), fork, json }
}

/// Runs and gives the lines, the summary and the outcome.
fn run_all(args: &StateTestArgs) -> (Vec<Value>, String, Result<(), StateTestError>) {
    let (mut lines, mut summary) = (Vec::new(), Vec::new());
    let outcome = run(args, &mut lines, &mut summary);
    let lines = String::from_utf8(lines).expect("text");
    let lines = lines.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    (lines, String::from_utf8(summary).expect("text"), outcome)
}

/// A plain transfer of one wei, with the roots that any Ethereum node computes of it.
fn transfer() -> Value {
    let text = std::fs::read_to_string(format!("{VECTORS}/filled/transfers.json")).expect("carried");
    let tests: Value = serde_json::from_str(&text).expect("a fixture");
    json!({ "of_type_2": tests["of_type_2"] })
}

fn run_one(fixture: &Value, fork: Option<Rules>) -> (Vec<Value>, String, Result<(), StateTestError>) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("one.json");
    std::fs::write(&path, fixture.to_string()).expect("writable");
    run_all(&args(&[&path], fork, true))
}

/// The chain's own executor and trie give what Ethereum's tests expect and what its specification gives, by every way
/// and in every fork.
#[test]
fn every_carried_state_test_passes() {
    for (folder, cases_min) in CASES_MIN {
        let (lines, summary, outcome) = run_all(&args(&[&Path::new(VECTORS).join(folder)], None, true));
        let failed: Vec<_> = lines.iter().filter(|line| line["error"].is_string()).collect();
        assert!(
            failed.is_empty(),
            "{} failed, the first: {:#?}",
            failed.len(),
            &failed[..failed.len().min(5)]
        );
        outcome.expect("nothing failed");
        let passed = lines.iter().filter(|line| line["pass"] == true).count();
        assert!(passed >= cases_min, "{folder}: {summary}");
    }
}

#[test]
fn a_line_says_name_fork_outcome_and_root() {
    let (lines, summary, outcome) = run_one(&transfer(), Some(Rules::Osaka));
    outcome.expect("it passes");
    let root = &transfer()["of_type_2"]["post"]["Osaka"][0]["hash"];
    let expected = json!({ "name": "of_type_2-d0g0v0", "fork": "Osaka", "pass": true, "stateRoot": root });
    assert_eq!(lines, [expected]);
    assert_eq!(summary, "1 passed, 0 failed, 0 skipped, 2 of other forks\n");
}

#[test]
fn another_state_fails_and_both_roots_are_named() {
    let mut fixture = transfer();
    let root = fixture["of_type_2"]["post"]["Osaka"][0]["hash"].take();
    let wrong = format!("0x{}", "11".repeat(32));
    fixture["of_type_2"]["post"]["Osaka"][0]["hash"] = json!(wrong);
    let (lines, _, outcome) = run_one(&fixture, Some(Rules::Osaka));
    assert!(matches!(outcome, Err(StateTestError::Failed { failed: 1, run: 1 })));
    assert_eq!(lines[0]["pass"], false);
    assert_eq!(lines[0]["failure"], json!({ "stateRoot": { "expected": wrong, "found": root } }));
    let receiver = fixture["of_type_2"]["transaction"]["to"].as_str().expect("a receiver");
    let found = json!({ "balance": "0x1", "nonce": "0x0", "code": "0x", "storage": {} });
    assert_eq!(lines[0]["accounts"][receiver], found, "what the state is instead is shown");
}

#[test]
fn other_logs_fail() {
    let mut fixture = transfer();
    fixture["of_type_2"]["post"]["Osaka"][0]["logs"] = json!(format!("0x{}", "11".repeat(32)));
    let (lines, _, outcome) = run_one(&fixture, Some(Rules::Osaka));
    assert!(matches!(outcome, Err(StateTestError::Failed { failed: 1, run: 1 })));
    assert!(lines[0]["failure"]["logsHash"].is_object(), "{lines:?}");
}

#[test]
fn a_transaction_that_must_be_refused_and_is_not_fails() {
    let mut fixture = transfer();
    fixture["of_type_2"]["post"]["Osaka"][0]["expectException"] = json!("NONCE_MISMATCH_TOO_LOW");
    let (lines, ..) = run_one(&fixture, Some(Rules::Osaka));
    assert_eq!(lines[0]["failure"], json!({ "notRefused": { "expected": "NONCE_MISMATCH_TOO_LOW" } }));
}

#[test]
fn a_refusal_is_given_with_its_reason() {
    let mut fixture = transfer();
    fixture["of_type_2"]["transaction"]["nonce"] = json!("0x07");
    let (lines, ..) = run_one(&fixture, Some(Rules::Osaka));
    let post = &mut fixture["of_type_2"]["post"]["Osaka"][0];
    post["hash"] = lines[0]["stateRoot"].clone();
    post["expectException"] = json!("NONCE_MISMATCH_TOO_HIGH");
    let (lines, _, outcome) = run_one(&fixture, Some(Rules::Osaka));
    outcome.expect("it is refused, as it must be");
    assert!(lines[0]["refused"].as_str().is_some_and(|reason| reason.starts_with("nonce too high")));
}

#[test]
fn a_value_of_more_than_256_bits_is_in_no_transaction() {
    let mut fixture = transfer();
    fixture["of_type_2"]["transaction"]["value"][0] = json!(format!("0x:bigint 0x1{}", "0".repeat(64)));
    let (lines, ..) = run_one(&fixture, Some(Rules::Osaka));
    let refused = json!({ "refused": { "found": "the value does not fit into a transaction" } });
    assert_eq!(lines[0]["failure"], refused);
    fixture["of_type_2"]["transaction"]["value"][0] = json!("a lot");
    let (_, _, outcome) = run_one(&fixture, Some(Rules::Osaka));
    let error = outcome.expect_err("no number").to_string();
    assert!(error.contains("`a lot` is no hexadecimal quantity"), "{error}");
}

#[test]
fn a_key_of_another_than_the_sender_is_a_fault_of_the_fixture() {
    let mut fixture = transfer();
    let sender = fixture["of_type_2"]["transaction"]["to"].clone();
    fixture["of_type_2"]["transaction"]["sender"] = sender.clone();
    let (lines, ..) = run_one(&fixture, Some(Rules::Osaka));
    assert_eq!(lines[0]["failure"]["sender"]["expected"], sender);
}

#[test]
fn a_transaction_that_is_refused_and_must_not_be_fails() {
    let mut fixture = transfer();
    fixture["of_type_2"]["transaction"]["nonce"] = json!("0x07");
    let (lines, ..) = run_one(&fixture, Some(Rules::Osaka));
    let found = lines[0]["failure"]["refused"]["found"].as_str().expect("a reason");
    assert!(found.starts_with("nonce too high"), "{found}");
}

#[test]
fn blob_transactions_are_skipped_by_name_and_never_pass() {
    let mut fixture = transfer();
    fixture["of_type_2"]["transaction"]["maxFeePerBlobGas"] = json!("0x01");
    let (lines, _, outcome) = run_one(&fixture, Some(Rules::Osaka));
    assert!(matches!(outcome, Err(StateTestError::Nothing { skipped: 1, other_forks: 2 })));
    assert_eq!((&lines[0]["pass"], &lines[0]["stateRoot"]), (&json!(false), &Value::Null));
    assert!(lines[0]["skipped"].as_str().is_some_and(|reason| reason.starts_with("blob transaction")));
}

#[test]
fn forks_that_the_executor_does_not_know_are_not_run() {
    let mut fixture = transfer();
    let posts = fixture["of_type_2"]["post"]["Osaka"].clone();
    fixture["of_type_2"]["post"] = json!({ "Frontier": posts });
    let (lines, _, outcome) = run_one(&fixture, None);
    assert!(lines.is_empty());
    assert!(matches!(outcome, Err(StateTestError::Nothing { skipped: 0, other_forks: 1 })));
}

#[test]
fn a_file_that_is_no_fixture_is_named() {
    let (_, _, outcome) = run_one(&json!({ "one": { "blocks": [] } }), None);
    let error = outcome.expect_err("no state test").to_string();
    assert!(error.contains("one.json: not a state test fixture: missing field `env`"), "{error}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let (_, _, outcome) = run_all(&args(&["/nowhere.json".as_ref()], None, true));
    assert!(outcome.expect_err("nothing there").to_string().starts_with("/nowhere.json: cannot be read: "));
}

#[test]
fn a_directory_without_fixtures_is_named() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (_, _, outcome) = run_all(&args(&[folder.path()], None, true));
    assert!(matches!(outcome, Err(StateTestError::Fixture(FixtureError::Empty { .. }))));
}

#[test]
fn an_unknown_fork_is_refused_with_those_that_are_known() {
    let error = fork("Paris").expect_err("not known");
    assert_eq!(
        error.to_string(),
        "the executor does not know the fork Paris; it knows Cancun, Prague, Osaka"
    );
}
