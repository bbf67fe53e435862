//! Certificates of 128 seats: verified in a batch, and one by one.
//!
//! Prints how many times cheaper a batch is, on one core and on all of them.

use alloy_primitives::{Address, B256};
use consensus::authority::{Authority, verify_certificates};
use consensus::vote::signing_bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use crypto::bls::{SecretKey, Signature, aggregate_signatures};
use primitives::{
    Certificate, Chain, Committee, Epoch, Seat, ShardId, Signers, ValidatorIndex, View, Vote, VoteKind,
};
use rayon::prelude::*;
use std::hint::black_box;
use std::time::Instant;

const SEATS: u32 = 128;
const BATCHES: [usize; 3] = [64, 256, 1024];

/// The authority of a committee, and certificates of as many blocks by a quorum of it.
fn certificates(count: usize) -> (Authority, Vec<Certificate>) {
    let mut secrets: Vec<_> = (0..SEATS).map(secret).collect();
    secrets.sort_by_key(|secret| secret.public_key().to_bytes());
    let seat = |secret: &SecretKey| Seat {
        key: secret.public_key().to_bytes(),
        validator: ValidatorIndex::ZERO,
        node: B256::ZERO,
        fee_recipient: Address::ZERO,
    };
    let committee = Committee::new(secrets.iter().map(seat).collect()).expect("distinct keys");
    let (chain, epoch) = (Chain::Shard(ShardId::ZERO), Epoch::new(1));
    let authority = Authority::new(committee, chain, epoch, B256::ZERO).expect("valid keys");
    let signers = &secrets[..authority.quorum() as usize];
    let certify = |view| {
        let (view, parent_view, id) =
            (View::new(view), View::new(view - 1), B256::from(alloy_primitives::U256::from(view)));
        let vote = Vote { kind: VoteKind::Finalize, chain, epoch, view, parent_view, id };
        let bytes = signing_bytes(authority.namespace(), &vote);
        let votes: Vec<_> = signers.iter().map(|secret| secret.sign(&bytes)).collect();
        let signature = aggregate_signatures(&votes.iter().collect::<Vec<&Signature>>()).expect("not empty");
        let signers = Signers::from_indices(SEATS, 0..signers.len() as u32);
        Certificate { epoch, view, parent_view, id, signers, signature: signature.to_bytes() }
    };
    let certificates = (1..=count as u64).into_par_iter().map(certify).collect();
    (authority, certificates)
}

fn secret(seat: u32) -> SecretKey {
    let mut bytes = [1; 32];
    bytes[1..5].copy_from_slice(&seat.to_be_bytes());
    SecretKey::from_bytes(&bytes).expect("below the group's order")
}

fn one_by_one(authority: &Authority, certificates: &[Certificate]) {
    for certificate in certificates {
        black_box(authority.verify_certificate(black_box(certificate))).expect("a valid certificate");
    }
}

fn batch(authority: &Authority, certificates: &[Certificate]) {
    let items: Vec<_> = certificates.iter().map(|certificate| (authority, certificate)).collect();
    black_box(verify_certificates(black_box(&items))).expect("valid certificates");
}

/// Milliseconds for one certificate of `count`.
fn milliseconds(count: usize, run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64() * 1000.0 / count as f64
}

fn report(authority: &Authority, certificates: &[Certificate]) {
    let count = certificates.len();
    let one_core = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    let single = milliseconds(count, || one_by_one(authority, certificates));
    let core = milliseconds(count, || one_core.install(|| batch(authority, certificates)));
    let cores = milliseconds(count, || batch(authority, certificates));
    println!(
        "{count} certificates of {SEATS} seats: one by one {single:.3} ms each; in a batch {core:.3} ms on one core \
         (×{:.2}), {cores:.3} ms on {} (×{:.2})",
        single / core,
        rayon::current_num_threads(),
        single / cores,
    );
}

fn verification(criterion: &mut Criterion) {
    let (authority, all) = certificates(BATCHES[BATCHES.len() - 1]);
    let mut group = criterion.benchmark_group("certificates");
    group.sample_size(10);
    for count in BATCHES {
        let certificates = &all[..count];
        report(&authority, certificates);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(
            BenchmarkId::new("one by one", count),
            certificates,
            |bencher, certificates| {
                bencher.iter(|| one_by_one(&authority, certificates));
            },
        );
        group.bench_with_input(BenchmarkId::new("batch", count), certificates, |bencher, certificates| {
            bencher.iter(|| batch(&authority, certificates));
        });
    }
    group.finish();
}

criterion_group!(benches, verification);
criterion_main!(benches);
