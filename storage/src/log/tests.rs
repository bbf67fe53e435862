use super::*;
use crate::memory_disk::MemoryDisk;

fn log(disk: &MemoryDisk, segment_bytes: u64) -> ChangeLog {
    let directory = Directory::Memory(disk.attach().expect("the disk is free"));
    let (log, cut) = ChangeLog::open(directory, Durability::Power, segment_bytes, 1).expect("the log opens");
    assert_eq!(cut, 0);
    log
}

fn append(log: &mut ChangeLog, payload: &[u8]) -> u64 {
    log.append(|out| out.extend_from_slice(payload)).expect("the record fits")
}

/// Changing this changes what is on disk: raise the format's version with it.
#[test]
fn the_bytes_of_a_segment_are_frozen() {
    let disk = MemoryDisk::new();
    let mut log = log(&disk, 1 << 20);
    append(&mut log, b"first");
    append(&mut log, b"");
    let file = log.location(1).expect("it was appended").file();
    let mut bytes = vec![0; 48 + 37 + 32];
    assert_eq!(file.length().expect("the file is there"), bytes.len() as u64);
    file.read_at(0, &mut bytes).expect("the file is there");
    let expected = [
        "61746f6c6c6c6f67",                 // magic
        "0100000000000000",                 // number of the first record
        "c15c0289ec2d0a91ce56971cde355897", // salt
        "4dc2d8649285c1dcefffb3e1c60f68f3", // checksum
        "bef91a90050000000100000000000000", // mark, length, number
        "fd0e03c765feedf298e1eed3fd3f76ed", // checksum
        "6669727374",                       // payload
        "bef91a90000000000200000000000000",
        "d81e48094b330af0c137d98d7b169ca3",
    ];
    assert_eq!(alloy_primitives::hex::encode(bytes), expected.concat());
}

#[test]
fn segments_start_when_the_last_is_full_and_go_when_nobody_needs_them() {
    let disk = MemoryDisk::new();
    let mut log = log(&disk, 150);
    for number in 1..=10 {
        assert_eq!(append(&mut log, &[number as u8; 30]), number);
    }
    assert_eq!((log.first(), log.next()), (1, 11));
    let kept = log.location(1).expect("it was appended").clone();
    assert!(!log.can_prune(2));
    assert!(log.can_prune(7));
    log.prune(7).expect("the disk works");
    assert_eq!((log.first(), log.next()), (7, 11));
    assert!(log.location(6).is_none());
    assert_eq!(log.location(7).expect("it is kept").read().expect("it is intact"), [7; 30]);
    assert_eq!(kept.read().expect("it stays readable"), [1; 30]);
    log.prune(u64::MAX).expect("the disk works");
    assert_eq!(log.next(), 11, "the last segment says where the log is");
    assert_eq!(append(&mut log, b"on"), 11);
}

#[test]
fn a_log_that_cannot_tell_where_it_ends_takes_no_more_records() {
    let disk = MemoryDisk::new();
    let mut log = log(&disk, 1 << 20);
    append(&mut log, b"first");
    disk.power_off_after(1); // the write succeeds, the sync does not
    let failed = log.append(|out| out.push(2));
    assert!(matches!(failed, Err(StorageError::Io { verb: "sync", .. })), "{failed:?}");
    let stopped = log.append(|out| out.push(2));
    assert!(matches!(stopped, Err(StorageError::Stopped { .. })), "{stopped:?}");
}
