//! What is right by itself and will disappoint all the same: names nobody uses, accounts without a password,
//! managers nobody can call, roads no door leads to.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{ListenerName, QueueName, TrunkName};
use crate::config::catalogue::{Kind, What};
use crate::config::file::{CalendarsFile, LinesFile, QueuesFile, TrunksFile};
use crate::config::lines::Lines;
use crate::config::listeners::Listener;
use crate::config::load::{Read, doors_of};
use crate::config::report::Report;
use crate::config::trunks::Trunk;
use crate::config::{House, queues, trunks};
use crate::sip::Transport;

/// What nobody uses is worth saying only when every name was understood.
pub(super) fn name_the_unused(
    calendars: &Read<CalendarsFile>,
    queues: &Read<QueuesFile>,
    lines: &Lines,
    listeners: &BTreeMap<ListenerName, Listener>,
    report: &mut Report,
) {
    let (false, Some((calendars_source, calendars)), Some((source, queues))) =
        (report.is_fatal(), calendars, queues)
    else {
        return;
    };
    let served: BTreeSet<&QueueName> =
        listeners.values().flat_map(|listener| &listener.plan.queues).collect();
    queues::name_the_unused(queues, lines, &served, source, report);
    for key in calendars.calendars.keys() {
        if !lines.calendars.contains(key.get_ref()) {
            let what = What::Unused { kind: Kind::Calendar, name: key.get_ref().clone() };
            report.notice(calendars_source.place(key.span().start), what);
        }
    }
}

/// Accounts without a password, and managers nobody can call.
pub(super) fn name_what_can_not_call(
    trunks_file: &Read<TrunksFile>,
    known: Option<&BTreeMap<TrunkName, Trunk>>,
    lines_file: &Read<LinesFile>,
    secrets: &BTreeMap<String, String>,
    report: &mut Report,
) {
    if let (Some((source, file)), Some(known)) = (trunks_file, known) {
        for key in file.trunks.keys() {
            let found = known.iter().find(|(name, _)| name.as_str() == key.get_ref());
            if let Some((name, trunk)) = found
                && trunk.access.account.is_some()
                && !secrets.contains_key(&trunks::secret_of(name))
            {
                let (trunk, key_of) = (name.to_string(), trunks::secret_of(name));
                let what = What::TrunkPasswordMissing { trunk, key: key_of };
                report.notice(source.place(key.span().start), what);
            }
        }
    }
    let any = known.is_some_and(|all| all.values().any(|trunk| trunk.access.takes_ours()));
    if let (Some((source, file)), false) = (lines_file, any) {
        for word in file.lines.values().filter_map(|table| table.nobody.overflow.first()) {
            report.notice(source.place(word.span().start), What::OverflowWithoutTrunk);
        }
    }
}

/// Trunks that are called over a transport we have no door for.
pub(super) fn name_what_has_no_door(
    trunks_file: &Read<TrunksFile>,
    known: Option<&BTreeMap<TrunkName, Trunk>>,
    house: &House,
    report: &mut Report,
) {
    let (Some((source, file)), Some(known)) = (trunks_file, known) else {
        return;
    };
    let doors: Vec<Transport> = doors_of(house).iter().map(|door| door.transport).collect();
    for (key, table) in &file.trunks {
        let found = known.iter().find(|(name, _)| name.as_str() == key.get_ref());
        let Some((name, trunk)) = found else {
            continue;
        };
        let server = trunk.access.server.as_ref().and_then(|server| server.transport);
        let named = server.iter().zip(&table.server);
        let written = trunk.access.peers.iter().map(|peer| &peer.transport).zip(&table.peers);
        for (transport, word) in named.chain(written) {
            if !doors.contains(transport) {
                let (trunk, transport) = (name.to_string(), transport.token());
                let what = What::NoDoorTowards { trunk, transport };
                report.notice(source.place(word.span().start), what);
            }
        }
    }
}
