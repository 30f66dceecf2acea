//! A subscription to what a listener is doing (RFC 6665): its dialog, its end, what was told last.
//!
//! Two packages: `dialog` (RFC 4235), by which a phone lights the lamp beside a name, and `presence`
//! (RFC 3856, RFC 3863). Both say whether somebody is free, rung or busy, and neither with whom: no
//! address of the other side is ever in them.

use serde::{Deserialize, Serialize};

use crate::base::{ListenerName, Moment};
use crate::sip::Activity;

use super::{Dialog, DialogId};

/// What kind of news is wanted.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Package {
    Dialog,
    Presence,
}

impl Package {
    /// The value of Allow-Events.
    pub(crate) const ALL: &str = "dialog, presence";

    pub(crate) fn read(word: &str) -> Option<Self> {
        match word {
            "dialog" => Some(Self::Dialog),
            "presence" => Some(Self::Presence),
            _ => None,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Dialog => "dialog",
            Self::Presence => "presence",
        }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Dialog => "application/dialog-info+xml",
            Self::Presence => "application/pidf+xml",
        }
    }

    /// The whole state, as a document. `entity` is the listener's own address.
    /// `rings` names the dialog of a phone of theirs that rings, so that a colleague can pick it up
    /// (RFC 3891).
    pub(crate) fn document(
        self,
        entity: &str,
        activity: Activity,
        rings: Option<&DialogId>,
        version: u32,
    ) -> String {
        let entity = escaped(entity);
        match self {
            Self::Dialog => {
                let dialog = match activity {
                    Activity::Offline | Activity::Free | Activity::Away => String::new(),
                    Activity::Rung => lit("early", rings),
                    Activity::Busy => lit("confirmed", None),
                };
                format!(
                    "<?xml version=\"1.0\"?>\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" \
                     version=\"{version}\" state=\"full\" entity=\"{entity}\">{dialog}</dialog-info>\n"
                )
            }
            Self::Presence => {
                let basic = match activity {
                    Activity::Free => "open",
                    Activity::Offline | Activity::Rung | Activity::Busy | Activity::Away => {
                        "closed"
                    }
                };
                format!(
                    "<?xml version=\"1.0\"?>\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" \
                     entity=\"{entity}\"><tuple id=\"line\"><status><basic>{basic}</basic></status>\
                     </tuple></presence>\n"
                )
            }
        }
    }
}

/// One subscriber's wish to know.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Watch {
    pub(crate) dialog: Dialog,
    pub(crate) watcher: ListenerName,
    pub(crate) watched: ListenerName,
    pub(crate) package: Package,
    /// The `id` of their Event, to be repeated.
    pub(crate) id: Option<String>,
    pub(crate) until: Moment,
    /// The version of the next document.
    pub(crate) version: u32,
    /// A NOTIFY waits for its answer.
    pub(crate) telling: bool,
    /// Something changed meanwhile.
    pub(crate) stale: bool,
}

impl Watch {
    /// The value of Event.
    pub(crate) fn event(&self) -> String {
        match &self.id {
            Some(id) => format!("{};id={id}", self.package.as_str()),
            None => self.package.as_str().to_owned(),
        }
    }
}

/// A dialog of which only its state is told.
fn lit(state: &str, named: Option<&DialogId>) -> String {
    let named = named.map_or_else(String::new, |id| {
        // RFC 3891 §3: 0 is the tag of whoever has none yet.
        let (call_id, ours) = (escaped(&id.call_id), escaped(&id.local_tag));
        format!(" call-id=\"{call_id}\" local-tag=\"0\" remote-tag=\"{ours}\"")
    });
    format!("<dialog id=\"line\"{named} direction=\"recipient\"><state>{state}</state></dialog>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
