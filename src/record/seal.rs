//! What a finished file is known by: its length, and its SHA-256 in hexadecimal.

use sha2::{Digest, Sha256};
use std::{fs::File, io, path::Path};

pub(super) type Seal = (u64, String);

/// Of a hash of `bytes` bytes.
pub(super) fn of(bytes: u64, hash: Sha256) -> Seal {
    (bytes, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

pub(super) fn of_bytes(bytes: &[u8]) -> Seal {
    of(bytes.len() as u64, Sha256::new_with_prefix(bytes))
}

pub(super) fn of_file(path: &Path) -> io::Result<Seal> {
    let (mut file, mut hash, mut block, mut length) = (File::open(path)?, Sha256::new(), vec![0; 1 << 16], 0);
    loop {
        match io::Read::read(&mut file, &mut block)? {
            0 => return Ok(of(length, hash)),
            read => {
                hash.update(&block[..read]);
                length += read as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_what_its_bytes_are_known_by() {
        let dir = tempfile::tempdir().unwrap();
        let (path, bytes) = (dir.path().join("file"), vec![7; 200_001]);
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(of_file(&path).unwrap(), of_bytes(&bytes));
        // FIPS 180-4, the example of one block.
        assert!(of_bytes(b"abc").1.starts_with("ba7816bf"));
    }
}
