//! Says why a call reverted, as geth appends it to its error text.
//!
//! Solidity returns `Error(string)` for `require` and `revert`, and `Panic(uint256)` for failed
//! assertions; anything else is a custom error, of which only those of the Portal and the Atomic
//! are known here; others only the caller's ABI can name.

const ERROR_SELECTOR: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
const PANIC_SELECTOR: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];
const WORD: usize = 32;

/// Longest reason that is repeated, bytes; the error's data hold it whole.
const REASON_BYTES_MAX: usize = 4_096;

pub(super) fn message(data: &[u8]) -> String {
    match reason(data) {
        Some(reason) => format!("execution reverted: {reason}"),
        None => "execution reverted".to_owned(),
    }
}

fn reason(data: &[u8]) -> Option<String> {
    let (selector, arguments) = data.split_first_chunk::<4>()?;
    match *selector {
        ERROR_SELECTOR => string(arguments),
        PANIC_SELECTOR => Some(panic_text(length_at(arguments, 0)?)),
        _ => super::portal::reason(data),
    }
}

/// The one ABI-encoded string in `arguments`.
fn string(arguments: &[u8]) -> Option<String> {
    let offset = length_at(arguments, 0)?;
    let length = length_at(arguments, offset)?;
    let start = offset.checked_add(WORD)?;
    let bytes = arguments.get(start..start.checked_add(length)?)?;
    let bytes = &bytes[..bytes.len().min(REASON_BYTES_MAX)];
    Some(String::from_utf8_lossy(bytes).into_owned())
}

/// The word at `offset`, if it is a number that could be a length.
fn length_at(bytes: &[u8], offset: usize) -> Option<usize> {
    let word = bytes.get(offset..offset.checked_add(WORD)?)?;
    let (high, low) = word.split_last_chunk::<4>()?;
    high.iter().all(|byte| *byte == 0).then(|| u32::from_be_bytes(*low) as usize)
}

fn panic_text(code: usize) -> String {
    match code {
        0x00 => "generic panic".into(),
        0x01 => "assert(false)".into(),
        0x11 => "arithmetic underflow or overflow".into(),
        0x12 => "division or modulo by zero".into(),
        0x21 => "enum overflow".into(),
        0x22 => "invalid encoded storage byte array accessed".into(),
        0x31 => "out-of-bounds array access; popping on an empty array".into(),
        0x32 => "out-of-bounds access of an array or bytesN".into(),
        0x41 => "out of memory".into(),
        0x51 => "uninitialized function".into(),
        other => format!("unknown panic code: {other:#x}"),
    }
}
