//! What of a house a reload changes: its language, its webhooks, and where its certificates are. The rest waits for
//! the next start.

use std::path::PathBuf;

use crate::config::House;
use crate::config::house::{CertificateFiles, DoorSettings, PageSettings};

impl House {
    /// This house, running, once `fresh` has been read.
    #[must_use]
    pub fn reloaded(&self, fresh: &Self) -> Self {
        let mut house = self.clone();
        house.language = fresh.language;
        house.webhooks.clone_from(&fresh.webhooks);
        house.page.renews(&fresh.page);
        for door in &mut house.doors {
            let same =
                |one: &&DoorSettings| one.transport == door.transport && one.listen == door.listen;
            if let Some(fresh) = fresh.doors.iter().find(same) {
                door.renews(fresh);
            }
        }
        house
    }

    /// Whether certificates and keys are in the same files.
    pub(super) fn has_files_of(&self, other: &Self) -> bool {
        let doors = |house: &Self| -> Vec<Vec<PathBuf>> {
            house.doors.iter().map(DoorSettings::files).collect()
        };
        self.page.files() == other.page.files() && doors(self) == doors(other)
    }
}

impl PageSettings {
    /// A page that spoke plainly goes on doing so.
    fn renews(&mut self, fresh: &Self) {
        if self.certificate.is_some() && fresh.certificate.is_some() {
            self.certificate.clone_from(&fresh.certificate);
            self.key.clone_from(&fresh.key);
            self.certificates.clone_from(&fresh.certificates);
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        all(&[&self.certificate, &self.key], &self.certificates)
    }
}

impl DoorSettings {
    fn renews(&mut self, fresh: &Self) {
        self.certificate.clone_from(&fresh.certificate);
        self.key.clone_from(&fresh.key);
        self.certificates.clone_from(&fresh.certificates);
        self.client_authority.clone_from(&fresh.client_authority);
        self.client_certificate = fresh.client_certificate;
    }

    fn files(&self) -> Vec<PathBuf> {
        all(&[&self.certificate, &self.key, &self.client_authority], &self.certificates)
    }
}

fn all(single: &[&Option<PathBuf>], pairs: &[CertificateFiles]) -> Vec<PathBuf> {
    let single = single.iter().filter_map(|path| path.as_ref().cloned());
    let pairs = pairs.iter().flat_map(|pair| [pair.certificate.clone(), pair.key.clone()]);
    single.chain(pairs).collect()
}
