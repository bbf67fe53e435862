//! EIP-2335 keystores: one BLS secret, encrypted under a password.
//!
//! Reads both key derivation functions of the EIP and writes scrypt; version 4 with
//! AES-128-CTR and SHA-256 is the only form the EIP defines.

use aes::cipher::{KeyIvInit, StreamCipher};
use crypto::bls::SecretKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

type Aes128Ctr = ctr::Ctr128BE<aes::Aes128>;

const VERSION: u32 = 4;
/// Refuses files whose derivation would take memory or time without end: 2^20 · 8 · 128 B = 1 GiB.
const SCRYPT_N_MAX: u32 = 1 << 20;
const PBKDF2_ROUNDS_MAX: u32 = 1 << 24;

/// How much work it takes to try one password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// The EIP's own parameters: about a second.
    Standard,
    /// For throw-away keys of a local network: about a millisecond.
    Light,
}

impl Strength {
    const fn log_n(self) -> u8 {
        match self {
            Self::Standard => 18,
            Self::Light => 8,
        }
    }
}

/// The file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Keystore {
    crypto: Crypto,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Public key, hexadecimal.
    pub pubkey: String,
    /// EIP-2334 path of the secret; empty if unknown.
    pub path: String,
    /// Random identity of the file.
    pub uuid: String,
    version: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Crypto {
    kdf: Kdf,
    checksum: Module,
    cipher: Cipher,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "function", content = "params", rename_all = "lowercase")]
enum KdfParams {
    Scrypt { dklen: u32, n: u32, p: u32, r: u32, salt: String },
    Pbkdf2 { dklen: u32, c: u32, prf: String, salt: String },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kdf {
    #[serde(flatten)]
    params: KdfParams,
    message: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Module {
    function: String,
    params: serde_json::Map<String, serde_json::Value>,
    message: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct CipherParams {
    iv: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Cipher {
    function: String,
    params: CipherParams,
    message: String,
}

/// Why a keystore gives no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeystoreError {
    /// The text is not a keystore.
    #[error("not an EIP-2335 keystore: {0}")]
    Syntax(String),
    /// A field has another meaning than the EIP's.
    #[error("{field}: expected {expected}, found `{found}`")]
    Unsupported {
        /// The field's name.
        field: &'static str,
        /// What this version reads.
        expected: &'static str,
        /// What the file says.
        found: String,
    },
    /// The checksum does not match.
    #[error("the password is wrong, or the file is damaged")]
    Password,
    /// The decrypted bytes are no secret key, or not that of the public key in the file.
    #[error("the decrypted secret does not belong to public key {pubkey}")]
    Mismatch {
        /// The file's public key.
        pubkey: String,
    },
}

fn unsupported(field: &'static str, expected: &'static str, found: impl ToString) -> KeystoreError {
    KeystoreError::Unsupported { field, expected, found: found.to_string() }
}

fn hex(field: &'static str, text: &str) -> Result<Vec<u8>, KeystoreError> {
    const_hex::decode(text).map_err(|_| unsupported(field, "hexadecimal", text))
}

/// NFKD without control codes, as the EIP says.
fn normalized(password: &str) -> Zeroizing<Vec<u8>> {
    let text: Zeroizing<String> = Zeroizing::new(password.nfkd().filter(|c| !c.is_control()).collect());
    Zeroizing::new(text.as_bytes().to_vec())
}

impl KdfParams {
    fn derive(&self, password: &str) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
        let password = normalized(password);
        let mut key = Zeroizing::new([0u8; 32]);
        match self {
            Self::Scrypt { dklen, n, p, r, salt } => {
                require_key_length(*dklen)?;
                if !n.is_power_of_two() || *n > SCRYPT_N_MAX || *r > 16 || *p > 16 {
                    return Err(unsupported(
                        "crypto.kdf.params",
                        "n a power of two up to 2^20, r and p up to 16",
                        n,
                    ));
                }
                let log_n = u8::try_from(n.trailing_zeros()).expect("at most 20");
                let params = scrypt::Params::new(log_n, *r, *p, 32)
                    .map_err(|error| unsupported("crypto.kdf.params", "valid scrypt parameters", error))?;
                scrypt::scrypt(&password, &hex("crypto.kdf.params.salt", salt)?, &params, key.as_mut())
                    .map_err(|error| unsupported("crypto.kdf.params", "valid scrypt parameters", error))?;
            }
            Self::Pbkdf2 { dklen, c, prf, salt } => {
                require_key_length(*dklen)?;
                if prf != "hmac-sha256" {
                    return Err(unsupported("crypto.kdf.params.prf", "hmac-sha256", prf));
                }
                if *c == 0 || *c > PBKDF2_ROUNDS_MAX {
                    return Err(unsupported("crypto.kdf.params.c", "from 1 to 2^24", c));
                }
                let salt = hex("crypto.kdf.params.salt", salt)?;
                pbkdf2::pbkdf2_hmac::<Sha256>(&password, &salt, *c, key.as_mut());
            }
        }
        Ok(key)
    }
}

fn require_key_length(found: u32) -> Result<(), KeystoreError> {
    if found == 32 { Ok(()) } else { Err(unsupported("crypto.kdf.params.dklen", "32", found)) }
}

fn checksum(key: &[u8; 32], ciphertext: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(&key[16..]).chain_update(ciphertext).finalize().into()
}

fn apply_cipher(key: &[u8; 32], iv: &[u8; 16], bytes: &mut [u8]) {
    let key: [u8; 16] = key[..16].try_into().expect("half of 32");
    Aes128Ctr::new(&key.into(), iv.into()).apply_keystream(bytes);
}

impl Keystore {
    /// Encrypts `secret` under `password`.
    pub fn encrypt(secret: &SecretKey, password: &str, path: &str, strength: Strength) -> Self {
        let (salt, iv, uuid): ([u8; 32], [u8; 16], [u8; 16]) = rand::random();
        let kdf = KdfParams::Scrypt {
            dklen: 32,
            n: 1 << strength.log_n(),
            p: 1,
            r: 8,
            salt: const_hex::encode(salt),
        };
        let key = kdf.derive(password).expect("own parameters are supported");
        let mut message = Zeroizing::new(secret.to_bytes());
        apply_cipher(&key, &iv, message.as_mut());
        Self {
            crypto: Crypto {
                kdf: Kdf { params: kdf, message: String::new() },
                checksum: Module {
                    function: "sha256".into(),
                    params: serde_json::Map::new(),
                    message: const_hex::encode(checksum(&key, message.as_ref())),
                },
                cipher: Cipher {
                    function: "aes-128-ctr".into(),
                    params: CipherParams { iv: const_hex::encode(iv) },
                    message: const_hex::encode(message.as_ref()),
                },
            },
            description: None,
            pubkey: const_hex::encode(secret.public_key().to_bytes().as_slice()),
            path: path.into(),
            uuid: uuid_v4(uuid),
            version: VERSION,
        }
    }

    /// Reads a keystore file's text.
    pub fn from_json(text: &str) -> Result<Self, KeystoreError> {
        let keystore: Self =
            serde_json::from_str(text).map_err(|error| KeystoreError::Syntax(error.to_string()))?;
        if keystore.version != VERSION {
            return Err(unsupported("version", "4", keystore.version));
        }
        let (cipher, sum) = (&keystore.crypto.cipher.function, &keystore.crypto.checksum.function);
        if cipher != "aes-128-ctr" {
            return Err(unsupported("crypto.cipher.function", "aes-128-ctr", cipher));
        }
        if sum != "sha256" {
            return Err(unsupported("crypto.checksum.function", "sha256", sum));
        }
        Ok(keystore)
    }

    /// The file's text.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data with string keys")
    }

    /// The secret, if the password is right.
    pub fn decrypt(&self, password: &str) -> Result<SecretKey, KeystoreError> {
        let key = self.crypto.kdf.params.derive(password)?;
        let message = hex("crypto.cipher.message", &self.crypto.cipher.message)?;
        let mut message: Zeroizing<[u8; 32]> = Zeroizing::new(
            message
                .try_into()
                .map_err(|_| unsupported("crypto.cipher.message", "32 bytes", "another length"))?,
        );
        let expected = hex("crypto.checksum.message", &self.crypto.checksum.message)?;
        if checksum(&key, message.as_ref())[..] != expected[..] {
            return Err(KeystoreError::Password);
        }
        let iv: [u8; 16] = hex("crypto.cipher.params.iv", &self.crypto.cipher.params.iv)?
            .try_into()
            .map_err(|_| unsupported("crypto.cipher.params.iv", "16 bytes", "another length"))?;
        apply_cipher(&key, &iv, message.as_mut());
        let mismatch = || KeystoreError::Mismatch { pubkey: self.pubkey.clone() };
        let secret = SecretKey::from_bytes(&message).map_err(|_| mismatch())?;
        let public = const_hex::encode(secret.public_key().to_bytes().as_slice());
        if public != self.pubkey.trim_start_matches("0x").to_lowercase() {
            return Err(mismatch());
        }
        Ok(secret)
    }
}

/// Formats random bytes as an RFC 4122 version 4 UUID.
fn uuid_v4(mut bytes: [u8; 16]) -> String {
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let text = const_hex::encode(bytes);
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two test cases of the EIP decrypt to its secret.
    #[test]
    fn eip_2335_vectors_decrypt() {
        let password = "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑";
        let secret = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
        for text in [
            include_str!("../tests/vectors/eip2335_scrypt.json"),
            include_str!("../tests/vectors/eip2335_pbkdf2.json"),
        ] {
            let keystore = Keystore::from_json(text).unwrap();
            assert_eq!(const_hex::encode(keystore.decrypt(password).unwrap().to_bytes()), secret);
            assert_eq!(keystore.decrypt("testpassword").unwrap_err(), KeystoreError::Password);
        }
    }

    /// What was encrypted comes back under the same password and under no other.
    #[test]
    fn encrypted_key_comes_back() {
        let secret = SecretKey::derive_master(&[7; 32]).unwrap();
        let keystore = Keystore::encrypt(&secret, "one", "m/12381/3600/0/0/0", Strength::Light);
        let read = Keystore::from_json(&keystore.to_json()).unwrap();
        assert_eq!(read.decrypt("one").unwrap().to_bytes(), secret.to_bytes());
        assert_eq!(read.decrypt("two").unwrap_err(), KeystoreError::Password);
    }

    /// A file that asks for endless work is refused before the work begins.
    #[test]
    fn absurd_derivation_parameters_are_refused() {
        let secret = SecretKey::derive_master(&[7; 32]).unwrap();
        let text = Keystore::encrypt(&secret, "one", "", Strength::Light).to_json();
        let text = text.replace("\"n\": 256", "\"n\": 2147483648");
        let error = Keystore::from_json(&text).unwrap().decrypt("one").unwrap_err();
        assert!(matches!(error, KeystoreError::Unsupported { field: "crypto.kdf.params", .. }));
    }
}
