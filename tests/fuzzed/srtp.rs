//! Any bytes on a protected leg open nothing; and what we protect is opened whatever came between.

use hotline::media::rtp::srtp::{MasterKey, OVERHEAD_MAX, Opener, Protector, Suite};

pub(crate) fn fuzz(bytes: &[u8]) {
    for suite in Suite::ALL {
        let key = MasterKey::new(suite, &vec![7; suite.key_length() + 14]).expect("of its length");
        let (mut protector, mut opener) = (Protector::new(&key), Opener::new(&key));
        assert!(opener.open(&mut bytes.to_vec()).is_err());
        assert!(opener.open_report(&mut bytes.to_vec()).is_err());

        let mut buffer = bytes.to_vec();
        buffer.resize(bytes.len() + OVERHEAD_MAX, 0);
        let Some(length) = protector.protect(&mut buffer, bytes.len()) else { continue };
        let opened = opener.open(&mut buffer[..length]).expect("made with the same key");
        assert_eq!(buffer[..opened], *bytes);
    }
}
