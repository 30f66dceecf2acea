//! Any text as a URI and as an address: what is read is written as it was understood, and equals
//! itself.

use hotline::sip::headers::{Contact, NameAddr, Via};
use hotline::sip::uri::{AddressOfRecord, Uri};

pub(crate) fn fuzz(text: &str) {
    if let Ok(uri) = text.parse::<Uri>() {
        let again = uri.to_string().parse::<Uri>().expect("what we write we can read");
        assert_eq!(uri, again);
        assert!(uri.matches(&again));
        let _ = (uri.dialled(), AddressOfRecord::of(&uri));
    }
    if let Ok(address) = NameAddr::read(text) {
        let uri = address.uri().expect("checked while reading");
        let display = address.display();
        let written = NameAddr::write(display.as_deref(), &uri, address.tag());
        let again = NameAddr::read(&written).expect("what we write we can read");
        assert_eq!(again.uri().expect("checked while reading"), uri);
        assert_eq!(again.tag(), address.tag());
    }
    let _ = (Contact::read(text).is_ok(), Via::read(text).is_ok());
}
