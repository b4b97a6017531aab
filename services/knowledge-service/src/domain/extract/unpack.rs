//! A body as it was before it was packed for the way, up to a bound: a few kilobytes can stand for gigabytes.

use std::borrow::Cow;
use std::io::Read;

use super::{LARGEST_UNPACKED, Unreadable};

/// Unpacks a body that was sent with this `Content-Encoding`.
pub(super) fn unpack<'a>(body: &'a [u8], packed: &str) -> Result<Cow<'a, [u8]>, Unreadable> {
    match packed.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(Cow::Borrowed(body)),
        "gzip" | "x-gzip" => bounded(flate2::read::MultiGzDecoder::new(body)).map(Cow::Owned),
        "br" => bounded(brotli_decompressor::Decompressor::new(body, 8 * 1024)).map(Cow::Owned),
        other => Err(Unreadable::new(format!("is sent packed as `{other}`, which was not asked for"))),
    }
}

fn bounded(reader: impl Read) -> Result<Vec<u8>, Unreadable> {
    let mut out = Vec::new();
    let most = u64::try_from(LARGEST_UNPACKED).unwrap_or(u64::MAX);
    let read = reader.take(most + 1).read_to_end(&mut out);
    match read {
        _ if out.len() > LARGEST_UNPACKED => Err(Unreadable::new(format!(
            "leads to a page that unpacks to more than {} MB",
            LARGEST_UNPACKED >> 20
        ))),
        Ok(_) => Ok(out),
        Err(_) => Err(Unreadable::new("leads to a page that cannot be unpacked: it is broken or cut off")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        assert_eq!(unpack(b"as it is", "").unwrap().as_ref(), b"as it is");
        assert_eq!(unpack(&gzipped(b"packed"), "GZip").unwrap().as_ref(), b"packed");
        let two = [gzipped(b"one, "), gzipped(b"two")].concat();
        assert_eq!(unpack(&two, "gzip").unwrap().as_ref(), b"one, two");
    }

    #[test]
    fn a_bomb_a_torso_and_what_nobody_asked_for_are_refused() {
        let bomb = gzipped(&vec![0; LARGEST_UNPACKED + 1]);
        assert!(bomb.len() < 20_000);
        assert!(unpack(&bomb, "gzip").unwrap_err().0.contains("more than 10 MB"));
        assert!(unpack(&gzipped(&vec![0; LARGEST_UNPACKED]), "gzip").is_ok());
        let whole = gzipped(b"something that is cut off");
        assert!(unpack(&whole[..whole.len() - 12], "gzip").unwrap_err().0.contains("broken"));
        assert!(unpack(b"\xff\xff", "br").is_err());
        assert!(unpack(b"", "zstd").unwrap_err().0.contains("`zstd`"));
    }
}
