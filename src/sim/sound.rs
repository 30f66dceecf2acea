//! A stand-in for the media shards: obeys every [`Order`], gives every [`Notice`] at its time, and
//! knows at any moment what each phone hears.
//!
//! No packet is made. Who hears what follows from where the descriptions that were really exchanged
//! point: a stream reaches a phone only if each names the other's address, so a wrong SDP, a stream
//! joined to the wrong one or a bridge that carries one way only is silence here as it is there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::base::{Mint, Moment, PromptName, StreamRef, Text};
use crate::media::codec::Codec;
use crate::media::sdp::{Abilities, OurKeys, Session, TextAbilities};
use crate::media::{Notice, Order, PlayRef, Quality, Repeat, Road, Sources, Tone};
use crate::sim::phone::Voice;

/// What a phone hears.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Heard {
    Nothing,
    Prompt(PromptName),
    Ringback,
    Busy,
    /// Another phone, by its name in the town.
    Voice(String),
    /// Several at once, by name.
    Voices(BTreeSet<String>),
}

/// A phone that may be sending sound now.
#[derive(Clone, Debug)]
pub struct Speaker {
    pub name: String,
    pub voice: Voice,
}

/// All streams of the house.
#[derive(Debug)]
pub struct Sound {
    address: IpAddr,
    lengths: BTreeMap<PromptName, Duration>,
    words: BTreeMap<PromptName, String>,
    streams: BTreeMap<StreamRef, Stream>,
    by_port: BTreeMap<u16, StreamRef>,
    notices: VecDeque<Notice>,
    next_port: u16,
    mint: Mint,
    faults: Vec<String>,
}

#[derive(Debug)]
struct Stream {
    local: SocketAddr,
    session: Session,
    sources: Sources,
    keys: Option<OurKeys>,
    demands_keys: bool,
    playing: Option<Playing>,
    tone: Option<Tone>,
    joined: Option<StreamRef>,
    /// The others, when there are several.
    circle: BTreeSet<StreamRef>,
    watch: Option<Watch>,
    ever_heard: bool,
    /// What the party was shown, and what it wrote before anybody could read it.
    shown: String,
    unread: String,
}

#[derive(Debug)]
struct Playing {
    play: PlayRef,
    prompts: Vec<(PromptName, Duration)>,
    repeat: Repeat,
    since: Moment,
    conclude_at: Option<Moment>,
}

#[derive(Debug)]
struct Watch {
    patience: Duration,
    silent_since: Option<Moment>,
    told: bool,
}

impl Sound {
    pub fn new(
        address: IpAddr,
        lengths: impl IntoIterator<Item = (PromptName, Duration)>,
        mint: Mint,
    ) -> Self {
        Self {
            address,
            lengths: lengths.into_iter().collect(),
            words: BTreeMap::new(),
            streams: BTreeMap::new(),
            by_port: BTreeMap::new(),
            notices: VecDeque::new(),
            next_port: 20_000,
            mint,
            faults: Vec::new(),
        }
    }

    /// The same, and what is said in the recordings.
    #[must_use]
    pub fn with_words(self, words: impl IntoIterator<Item = (PromptName, String)>) -> Self {
        Self { words: words.into_iter().collect(), ..self }
    }

    /// New recordings, as after a reload.
    pub fn recorded(&mut self, lengths: impl IntoIterator<Item = (PromptName, Duration)>) {
        self.lengths.extend(lengths);
    }

    // ---- facts ----

    pub fn ordered(&mut self, order: Order, now: Moment) {
        match order {
            Order::Open { stream, sources, road } => self.open(stream, sources, road),
            Order::Restrict { stream, sources } => {
                let Some(it) = self.streams.get_mut(&stream) else { return };
                it.sources = sources;
            }
            Order::Answer { stream, offer } => {
                let abilities = self.abilities(stream, true);
                let Some(it) = self.streams.get_mut(&stream) else { return };
                let notice = match it.session.answer(&offer, &abilities, None) {
                    Ok(answer) => {
                        Notice::Described { stream, sdp: answer.sdp, held: answer.agreed.held }
                    }
                    Err(why) => Notice::Refused { stream, why },
                };
                self.notices.push_back(notice);
                self.tell_text(stream);
            }
            Order::Offer { stream, like } => {
                let writes = self.writes(stream) || like.is_some_and(|like| self.writes(like));
                let like = like.and_then(|like| self.codec(like));
                let abilities = self.abilities(stream, writes);
                let Some(it) = self.streams.get_mut(&stream) else { return };
                let sdp = it.session.offer(&abilities, like);
                self.notices.push_back(Notice::Described { stream, sdp, held: false });
            }
            Order::Accept { stream, answer } => {
                let Some(it) = self.streams.get_mut(&stream) else { return };
                if let Err(why) = it.session.accept(&answer) {
                    self.notices.push_back(Notice::Refused { stream, why });
                }
                self.tell_text(stream);
                self.show_unread();
            }
            // Here everybody is who they say.
            Order::Proven { .. } => {}
            Order::Play { stream, play, prompts, repeat } => {
                self.play(stream, play, prompts, repeat, now);
            }
            Order::Conclude { stream } => {
                if let Some(playing) =
                    self.streams.get_mut(&stream).and_then(|it| it.playing.as_mut())
                    && playing.conclude_at.is_none()
                {
                    // A sentence here has a pause at every full second.
                    let seconds = (now - playing.since).as_secs() + 1;
                    playing.conclude_at = Some(playing.since + Duration::from_secs(seconds));
                }
            }
            Order::Tone { stream, tone } => {
                if let Some(it) = self.streams.get_mut(&stream) {
                    it.playing = None;
                    it.tone = Some(tone);
                }
            }
            Order::Hush { stream } => {
                if let Some(it) = self.streams.get_mut(&stream) {
                    it.playing = None;
                    it.tone = None;
                }
            }
            Order::Join { streams } => {
                self.join(streams);
                self.show_unread();
            }
            Order::Gather { streams } => self.gather(&streams),
            Order::Write { stream, text } => self.show(stream, text.shown()),
            Order::Part { streams } => self.part(streams),
            Order::Watch { stream, patience } => {
                if let Some(it) = self.streams.get_mut(&stream) {
                    it.watch = Some(Watch { patience, silent_since: None, told: false });
                }
            }
            Order::Close { stream } => self.close(stream),
        }
    }

    /// A key was pressed on a phone whose sound goes to `to`.
    pub fn pressed(&mut self, to: SocketAddr, digit: char) {
        if let Some(stream) = self.by_port.get(&to.port()) {
            self.notices.push_back(Notice::Digit { stream: *stream, digit });
        }
    }

    /// Somebody wrote on a phone that reads at `from`, to `to`.
    pub fn typed(&mut self, from: SocketAddr, to: SocketAddr, text: &str) {
        let stream = self.by_port.get(&to.port().wrapping_sub(1)).copied();
        let Some(stream) = stream.filter(|stream| self.text_of(*stream) == Some(from)) else {
            return;
        };
        let readers = self.readers(stream);
        for reader in &readers {
            self.show(*reader, text);
        }
        if readers.is_empty()
            && let Some(it) = self.streams.get_mut(&stream)
        {
            it.unread.push_str(text);
        }
        self.notices.push_back(Notice::Written { stream, text: Text::new(text) });
    }

    /// What was shown to the phone that reads at `ours` and writes to `theirs`.
    pub fn shown(&self, ours: SocketAddr, theirs: SocketAddr) -> Option<&str> {
        let stream = self.by_port.get(&theirs.port().wrapping_sub(1))?;
        (self.text_of(*stream) == Some(ours)).then(|| self.streams[stream].shown.as_str())
    }

    fn tell_text(&mut self, stream: StreamRef) {
        if self.text_of(stream).is_some() {
            self.notices.push_back(Notice::Writes { stream });
        }
    }

    fn text_of(&self, stream: StreamRef) -> Option<SocketAddr> {
        self.streams.get(&stream)?.session.agreed()?.text.as_ref()?.remote.socket()
    }

    /// Who sends sound now, so that silence is noticed.
    pub fn attended(&mut self, speakers: &[Speaker], now: Moment) {
        let speaking: BTreeSet<(SocketAddr, SocketAddr)> =
            speakers.iter().map(|speaker| (speaker.voice.theirs, speaker.voice.ours)).collect();
        for (name, it) in &mut self.streams {
            let (local, remote) = (it.local, it.remote());
            let heard = remote.is_some_and(|remote| speaking.contains(&(local, remote)));
            it.ever_heard |= heard;
            let Some(watch) = &mut it.watch else { continue };
            if heard {
                watch.silent_since = None;
                if watch.told {
                    watch.told = false;
                    self.notices.push_back(Notice::Heard { stream: *name });
                }
                continue;
            }
            let since = *watch.silent_since.get_or_insert(now);
            if !watch.told && now >= since + watch.patience {
                watch.told = true;
                let never = !it.ever_heard;
                self.notices.push_back(Notice::Silent { stream: *name, since, never });
            }
        }
    }

    // ---- questions ----

    /// What reaches the ear at the other end of `voice`.
    pub fn heard(&self, voice: &Voice, speakers: &[Speaker], now: Moment) -> Heard {
        let found = self.at(voice.theirs).filter(|it| it.reaches(voice));
        let Some(it) = found.filter(|_| voice.hears) else {
            return Heard::Nothing;
        };
        if let Some(playing) = &it.playing {
            return playing.prompt_at(now).map_or(Heard::Nothing, Heard::Prompt);
        }
        match it.tone {
            Some(Tone::Ringback) => return Heard::Ringback,
            Some(Tone::Busy) => return Heard::Busy,
            None => {}
        }
        let others = it.joined.iter().chain(&it.circle).filter_map(|name| self.streams.get(name));
        let mut voices: BTreeSet<String> = others
            .filter_map(|other| {
                let says = |one: &&Speaker| one.voice.sends && other.hears(&one.voice);
                speakers.iter().find(says).map(|speaker| speaker.name.clone())
            })
            .collect();
        match (voices.pop_first(), voices.is_empty()) {
            (None, _) => Heard::Nothing,
            (Some(only), true) => Heard::Voice(only),
            (Some(first), false) => {
                voices.insert(first);
                Heard::Voices(voices)
            }
        }
    }

    /// Streams that are open: none after the last call.
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    /// Orders that no shard could have carried out, in words.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    // ---- time and outputs ----

    pub fn poll_timeout(&self) -> Option<Moment> {
        let plays = self.streams.values().filter_map(|it| it.playing.as_ref()?.next());
        let watches = self.streams.values().filter_map(|it| {
            let watch = it.watch.as_ref().filter(|watch| !watch.told)?;
            Some(watch.silent_since? + watch.patience)
        });
        plays.chain(watches).min()
    }

    pub fn handle_timeout(&mut self, now: Moment) {
        for (stream, it) in &mut self.streams {
            let Some(playing) = &mut it.playing else { continue };
            let over = match (playing.conclude_at, playing.end()) {
                (Some(at), end) if at <= now && end.is_none_or(|end| at < end) => Some(true),
                (_, Some(end)) if end <= now => Some(false),
                (_, _) => None,
            };
            if let Some(cut) = over {
                let play = playing.play;
                it.playing = None;
                self.notices.push_back(Notice::Finished { stream: *stream, play, cut });
            } else {
                playing.turn(now);
            }
        }
    }

    pub fn poll_notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    // ---- the parts ----

    fn open(&mut self, stream: StreamRef, sources: Sources, road: Road) {
        if self.streams.contains_key(&stream) {
            self.faults.push(format!("stream {stream} was opened twice"));
            return;
        }
        let local = SocketAddr::new(self.address, self.next_port);
        self.next_port = self.next_port.checked_add(2).unwrap_or(20_000);
        let session = Session::new(self.mint.number());
        self.by_port.insert(local.port(), stream);
        let it = Stream {
            local,
            session,
            sources,
            keys: match road {
                Road::Private | Road::Sealed => Some(OurKeys::new(|| self.mint.number())),
                Road::Readable | Road::Web => None,
            },
            demands_keys: road == Road::Sealed,
            playing: None,
            tone: None,
            joined: None,
            circle: BTreeSet::new(),
            watch: None,
            ever_heard: false,
            shown: String::new(),
            unread: String::new(),
        };
        self.streams.insert(stream, it);
    }

    fn play(
        &mut self,
        stream: StreamRef,
        play: PlayRef,
        prompts: Vec<PromptName>,
        repeat: Repeat,
        now: Moment,
    ) {
        let words: Vec<&str> = prompts
            .iter()
            .filter_map(|prompt| self.words.get(prompt))
            .map(String::as_str)
            .collect();
        let words = words.join(" ");
        self.show(stream, &words);
        let mut known = Vec::new();
        for prompt in prompts {
            match self.lengths.get(&prompt) {
                Some(length) if !length.is_zero() => known.push((prompt, *length)),
                Some(_) => self.faults.push(format!("`{prompt}` has no length")),
                None => self.faults.push(format!("there is no recording `{prompt}`")),
            }
        }
        let Some(it) = self.streams.get_mut(&stream) else { return };
        it.tone = None;
        if known.is_empty() {
            it.playing = None;
            self.notices.push_back(Notice::Finished { stream, play, cut: false });
            return;
        }
        it.playing = Some(Playing { play, prompts: known, repeat, since: now, conclude_at: None });
    }

    fn join(&mut self, streams: [StreamRef; 2]) {
        let [one, other] = streams;
        if !self.streams.contains_key(&one) || !self.streams.contains_key(&other) {
            self.faults.push(format!("{one} and {other} were joined, but are not both open"));
            return;
        }
        self.leave_circle(one);
        self.leave_circle(other);
        for (here, there) in [(one, other), (other, one)] {
            if let Some(it) = self.streams.get_mut(&here) {
                if it.joined.is_some_and(|joined| joined != there) {
                    self.faults.push(format!("{here} was joined twice"));
                }
                it.joined = Some(there);
                it.playing = None;
                it.tone = None;
            }
        }
    }

    fn gather(&mut self, streams: &[StreamRef]) {
        for here in streams {
            if let Some(other) = self.streams.get(here).and_then(|it| it.joined) {
                self.part([*here, other]);
            }
            self.leave_circle(*here);
        }
        for here in streams {
            match self.streams.get_mut(here) {
                Some(it) => {
                    it.circle = streams.iter().copied().filter(|other| other != here).collect();
                    it.playing = None;
                    it.tone = None;
                }
                None => self.faults.push(format!("{here} was put to others, but is not open")),
            }
        }
    }

    fn leave_circle(&mut self, stream: StreamRef) {
        if let Some(it) = self.streams.get_mut(&stream) {
            for other in std::mem::take(&mut it.circle) {
                if let Some(other) = self.streams.get_mut(&other) {
                    other.circle.remove(&stream);
                }
            }
        }
    }

    fn part(&mut self, streams: [StreamRef; 2]) {
        let [one, other] = streams;
        for (here, there) in [(one, other), (other, one)] {
            if let Some(it) = self.streams.get_mut(&here)
                && it.joined == Some(there)
            {
                it.joined = None;
            }
        }
    }

    fn close(&mut self, stream: StreamRef) {
        self.leave_circle(stream);
        if let Some(it) = self.streams.remove(&stream) {
            self.by_port.remove(&it.local.port());
            if let Some(other) = it.joined {
                self.part([stream, other]);
            }
            self.notices.push_back(Notice::Closed { stream, quality: Quality::default() });
        }
    }

    fn at(&self, local: SocketAddr) -> Option<&Stream> {
        self.streams.get(self.by_port.get(&local.port())?)
    }

    fn codec(&self, stream: StreamRef) -> Option<Codec> {
        Some(self.streams.get(&stream)?.session.agreed()?.codec)
    }

    fn writes(&self, stream: StreamRef) -> bool {
        let agreed = self.streams.get(&stream).and_then(|it| it.session.agreed());
        agreed.is_some_and(|agreed| agreed.text.is_some())
    }

    fn show(&mut self, stream: StreamRef, text: &str) {
        if self.writes(stream)
            && let Some(it) = self.streams.get_mut(&stream)
        {
            it.shown.push_str(text);
        }
    }

    fn readers(&self, stream: StreamRef) -> Vec<StreamRef> {
        let others = self.streams.get(&stream).into_iter();
        let others = others.flat_map(|it| it.joined.iter().chain(&it.circle));
        others.copied().filter(|other| self.writes(*other)).collect()
    }

    fn show_unread(&mut self) {
        let names: Vec<StreamRef> = self.streams.keys().copied().collect();
        for name in names {
            for reader in self.readers(name) {
                let it = self.streams.get_mut(&name);
                let unread = it.map(|it| std::mem::take(&mut it.unread)).unwrap_or_default();
                self.show(reader, &unread);
            }
        }
    }

    fn abilities(&self, stream: StreamRef, text: bool) -> Abilities {
        let it = self.streams.get(&stream);
        let port = it.map_or(0, |it| it.local.port());
        let keys = it.and_then(|it| it.keys.clone());
        Abilities {
            address: self.address,
            rtp_port: port,
            codecs: vec![Codec::Pcma, Codec::Pcmu, Codec::G722],
            keys: keys.clone(),
            browser: None,
            offers_handshake: false,
            demands_keys: it.is_some_and(|it| it.demands_keys),
            text: text.then_some(TextAbilities { port: port + 1, keys }),
        }
    }
}

impl Stream {
    /// Where the other side says it receives.
    fn remote(&self) -> Option<SocketAddr> {
        self.session.agreed()?.remote_rtp.socket()
    }

    /// Whether our packets come out of that phone's earpiece.
    fn reaches(&self, voice: &Voice) -> bool {
        self.local == voice.theirs
            && self.remote() == Some(voice.ours)
            && self.session.agreed().is_some_and(|agreed| agreed.direction.sends())
    }

    /// Whether that phone's packets are taken in.
    fn hears(&self, voice: &Voice) -> bool {
        self.local == voice.theirs
            && self.remote() == Some(voice.ours)
            && self.session.agreed().is_some_and(|agreed| agreed.direction.receives())
            && match &self.sources {
                Sources::Anywhere => true,
                Sources::Within(ranges) => {
                    ranges.iter().any(|range| range.contains(voice.ours.ip()))
                }
            }
    }
}

impl Playing {
    fn length(&self) -> Duration {
        self.prompts.iter().map(|(_, length)| *length).sum()
    }

    fn end(&self) -> Option<Moment> {
        match self.repeat {
            Repeat::Once => Some(self.since + self.length()),
            Repeat::Forever => None,
        }
    }

    fn prompt_at(&self, now: Moment) -> Option<PromptName> {
        let mut begin = self.since;
        for (prompt, length) in &self.prompts {
            begin += *length;
            if now < begin {
                return Some(prompt.clone());
            }
        }
        self.prompts.last().map(|(prompt, _)| prompt.clone())
    }

    /// The end of the recording that plays now; those before it were left behind by `turn`.
    fn next(&self) -> Option<Moment> {
        let end = self.prompts.first().map(|(_, length)| self.since + *length);
        end.into_iter().chain(self.conclude_at).min()
    }

    /// Recordings that are over are left behind; those played for ever go to the back.
    fn turn(&mut self, now: Moment) {
        while let Some((_, length)) = self.prompts.first() {
            let end = self.since + *length;
            if end > now {
                break;
            }
            self.since = end;
            match self.repeat {
                Repeat::Once => {
                    self.prompts.remove(0);
                }
                Repeat::Forever => self.prompts.rotate_left(1),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::CallRef;
    use crate::media::Sources;

    const STREAM: StreamRef = StreamRef { call: CallRef(1), index: 0 };

    #[test]
    fn a_message_is_cut_at_the_next_full_second_and_says_so() {
        let (mut sound, _) = playing();

        sound.ordered(Order::Conclude { stream: STREAM }, at(2_300));
        assert_eq!(sound.poll_timeout(), Some(at(3_000)));
        sound.handle_timeout(at(3_000));

        let finished = Notice::Finished { stream: STREAM, play: PlayRef(7), cut: true };
        assert_eq!(sound.poll_notice(), Some(finished));
        assert_eq!(sound.poll_timeout(), None);
    }

    #[test]
    fn only_the_phone_whose_description_was_taken_hears_the_stream() {
        let (sound, voice) = playing();
        let stranger = Voice { ours: "10.9.9.9:40000".parse().unwrap(), ..voice };
        let deaf = Voice { hears: false, ..voice };

        assert_eq!(sound.heard(&voice, &[], at(0)), Heard::Prompt(prompt()));
        assert_eq!(sound.heard(&stranger, &[], at(0)), Heard::Nothing);
        assert_eq!(sound.heard(&deaf, &[], at(0)), Heard::Nothing);
    }

    #[test]
    fn silence_is_told_after_its_patience_and_so_is_its_end() {
        let (mut sound, voice) = playing();
        let speaker = Speaker { name: "anna".into(), voice };
        let patience = Duration::from_secs(4);
        sound.ordered(Order::Watch { stream: STREAM, patience }, at(0));
        sound.attended(std::slice::from_ref(&speaker), at(0));
        sound.attended(&[], at(1_000));
        assert_eq!(sound.poll_notice(), None);

        sound.attended(&[], at(5_000));
        assert_eq!(
            sound.poll_notice(),
            Some(Notice::Silent { stream: STREAM, since: at(1_000), never: false })
        );
        sound.attended(&[speaker], at(6_000));
        assert_eq!(sound.poll_notice(), Some(Notice::Heard { stream: STREAM }));
    }

    /// A stream that plays a ten-second prompt to the phone at the other end of the voice.
    fn playing() -> (Sound, Voice) {
        let lengths = [(prompt(), Duration::from_secs(10))];
        let house: IpAddr = [10, 0, 0, 1].into();
        let mut sound = Sound::new(house, lengths, Mint::from_number(1));
        let offer = "v=0\r\no=- 1 1 IN IP4 10.1.0.1\r\ns=-\r\nc=IN IP4 10.1.0.1\r\nt=0 0\r\n\
                     m=audio 40000 RTP/AVP 8\r\n";
        sound.ordered(
            Order::Open { stream: STREAM, sources: Sources::Anywhere, road: Road::Readable },
            at(0),
        );
        sound.ordered(Order::Answer { stream: STREAM, offer: offer.into() }, at(0));
        let described = sound.poll_notice();
        assert!(matches!(described, Some(Notice::Described { held: false, .. })), "{described:?}");
        let play = PlayRef(7);
        let order =
            Order::Play { stream: STREAM, play, prompts: vec![prompt()], repeat: Repeat::Once };
        sound.ordered(order, at(0));
        let theirs = SocketAddr::new(house, 20_000);
        let ours = "10.1.0.1:40000".parse().unwrap();
        (sound, Voice { ours, theirs, sends: true, hears: true })
    }

    fn prompt() -> PromptName {
        "accueil-3977".parse().unwrap()
    }

    fn at(millis: u64) -> Moment {
        Moment::START + Duration::from_millis(millis)
    }
}
