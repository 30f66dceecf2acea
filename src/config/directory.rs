//! `directory.toml` → the only numbers of the public network this house may call.
//!
//! Short by intention (domain.md T-01): who is not in here can't be rung, whatever anybody asks for.

use std::collections::BTreeMap;

use crate::base::{ListenerName, PhoneNumber};
use crate::call::Helper;
use crate::config::catalogue::{Kind, What};
use crate::config::file::DirectoryFile;
use crate::config::link::Linker;

/// Managers who take calls on their own telephones when nobody is logged in.
pub(super) fn managers(file: &DirectoryFile, linker: &mut Linker<'_>) -> BTreeMap<String, Helper> {
    let mut all = BTreeMap::new();
    for (key, table) in &file.managers {
        let name = linker.name::<ListenerName>(Kind::Manager, key);
        let number = table.number.get_ref().parse::<PhoneNumber>().ok();
        // Only whole numbers of the world: nothing short, nothing that costs by the minute.
        let number = number.filter(|number| number.as_str().starts_with('+') && !is_costly(number));
        let Some(number) = number else {
            let text = table.number.get_ref().clone();
            linker.problem(&table.number, What::NotCallable { text });
            continue;
        };
        if let Some(name) = name {
            all.insert(key.get_ref().clone(), Helper { name, number });
        }
    }
    all
}

/// French value-added numbers, `08…`: no person answers there.
fn is_costly(number: &PhoneNumber) -> bool {
    number.as_str().starts_with("+338")
}
