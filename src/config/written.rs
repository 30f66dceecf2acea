//! Where in `hotline.toml` the doors, the page and the webhooks stand, so that what is wrong with one is told with
//! its line. What a variable of the environment sets stands nowhere: then the file is named alone.

use std::net::SocketAddr;

use serde::Deserialize;
use toml::Spanned;

use crate::config::bootstrap;
use crate::config::report::Place;
use crate::config::source::Source;
use crate::sip::Transport;

/// Where things stand.
#[derive(Debug, Default)]
pub(super) struct Written {
    file: String,
    doors: Vec<((Transport, SocketAddr), Place)>,
    page: Option<Place>,
    /// The address of each webhook, in the order of the file.
    webhooks: Vec<Place>,
}

/// As much of the file as is asked after.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Shape {
    doors: Vec<Spanned<Door>>,
    page: Option<Spanned<Page>>,
    webhooks: Vec<Webhook>,
}

#[derive(Deserialize)]
struct Door {
    transport: Transport,
    listen: SocketAddr,
}

#[derive(Deserialize)]
struct Page {}

#[derive(Deserialize)]
struct Webhook {
    url: Spanned<String>,
}

impl Written {
    pub(super) fn of(source: &Source) -> Self {
        // A file of another shape is told of by whoever reads it whole.
        let shape: Shape = toml::from_str(&source.text).unwrap_or_default();
        let door = |door: Spanned<Door>| {
            let place = source.place(door.span().start);
            let Door { transport, listen } = door.into_inner();
            ((transport, listen), place)
        };
        Self {
            file: source.name.clone(),
            page: shape.page.map(|page| source.place(page.span().start)),
            webhooks: shape.webhooks.iter().map(|one| source.place(one.url.span().start)).collect(),
            doors: shape.doors.into_iter().map(door).collect(),
        }
    }

    pub(super) fn door(&self, transport: Transport, listen: SocketAddr) -> Place {
        let found = self.doors.iter().find(|(door, _)| *door == (transport, listen));
        found.map_or_else(|| self.somewhere(), |(_, place)| place.clone())
    }

    pub(super) fn page(&self) -> Place {
        self.page.clone().unwrap_or_else(|| self.somewhere())
    }

    pub(super) fn webhook(&self, nth: usize) -> Place {
        self.webhooks.get(nth).cloned().unwrap_or_else(|| self.somewhere())
    }

    fn somewhere(&self) -> Place {
        let file =
            if self.file.is_empty() { bootstrap::FILE.to_owned() } else { self.file.clone() };
        Place { file, position: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_found_on_its_line() {
        let text = "language = \"fr\"\n\n[page]\nlisten = \"127.0.0.1:1\"\n\n[[doors]]\n\
                    transport = \"udp\"\nlisten = \"127.0.0.1:2\"\n\n[[doors]]\n\
                    transport = \"tcp\"\nlisten = \"127.0.0.1:2\"\n\n[[webhooks]]\n\
                    name = \"a\"\nsecret = \"a\"\nurl = \"http://a\"\n";
        let written = Written::of(&Source { name: "h.toml".into(), text: text.into() });
        let line = |place: Place| place.position.map(|(line, _)| line);
        let at = "127.0.0.1:2".parse().unwrap();

        assert_eq!(line(written.page()), Some(3));
        assert_eq!(line(written.door(Transport::Udp, at)), Some(6));
        assert_eq!(line(written.door(Transport::Tcp, at)), Some(10));
        assert_eq!(line(written.webhook(0)), Some(17));
        assert_eq!(written.door(Transport::Tls, at).to_string(), "h.toml: ");
        assert_eq!(written.webhook(1).to_string(), "h.toml: ");
    }
}
