// The page's phone: SIP over WebSocket (JsSIP), one call at a time.
//
// A page that is reloaded in the middle of a call must not hang up: nothing is said when it goes. The house
// notices that the line is dead, keeps the caller, and rings this listener first; a page that was in a call a
// moment ago picks up by itself.
import JsSIP from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession";
import type { PhoneSecret } from "./api";

export type PhoneState = "off" | "connecting" | "registered" | "failed";
export interface Call {
  state: "ringing" | "talking";
  display: string;
  returning: boolean;
  since: number;
  muted: boolean;
  held: boolean;
  keys: string;
  loss: number | null;
}
export interface Wishes { input: () => MediaTrackConstraints; sink: (audio: HTMLAudioElement) => void }

const INSTANCE = "hotline.instance";
const IN_CALL = "hotline.in_call";
/** A call that was lost so long ago is taken by hand. */
const RESUME = 60_000;

export class Phone {
  private ua: JsSIP.UA | null = null;
  private session: RTCSession | null = null;
  private statistics: number | undefined;
  readonly audio = new Audio();
  state: PhoneState = "off";
  call: Call | null = null;

  constructor(private readonly wishes: Wishes, private readonly changed: () => void) {
    this.audio.autoplay = true;
  }

  start(secret: PhoneSecret): void {
    if (this.ua || !secret.url) return;
    this.state = "connecting";
    const ua = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(secret.url)],
      uri: secret.uri,
      authorization_user: secret.user,
      realm: secret.realm,
      password: secret.secret,
      instance_id: instance(),
      register_expires: 120,
      session_timers: false,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 8,
      user_agent: "hotline page",
    });
    const becomes = (state: PhoneState) => () => {
      this.state = state;
      this.changed();
    };
    ua.on("registered", becomes("registered"));
    ua.on("unregistered", becomes("connecting"));
    ua.on("disconnected", becomes("connecting"));
    ua.on("registrationFailed", becomes("failed"));
    ua.on("newRTCSession", ({ session, originator }: { session: RTCSession; originator: string }) => {
      if (originator === "remote") this.rings(session);
    });
    this.ua = ua;
    ua.start();
    this.changed();
  }

  /** Tries to register once more, with the secret it was started with. */
  register(): void {
    this.ua?.register();
  }

  stop(): void {
    this.ua?.stop();
    this.ua = null;
    this.state = "off";
    this.changed();
  }

  private rings(session: RTCSession): void {
    if (this.session) {
      session.terminate({ status_code: 486 });
      return;
    }
    this.session = session;
    const display = session.remote_identity.display_name || session.remote_identity.uri.user;
    const returning = display.endsWith("(reprise)");
    this.call = { state: "ringing", display: display.replace(/ \(reprise\)$/, ""), returning, since: Date.now(), muted: false, held: false, keys: "", loss: null };
    session.on("peerconnection", ({ peerconnection }: { peerconnection: RTCPeerConnection }) => this.hears(peerconnection));
    session.on("confirmed", () => this.update({ state: "talking", since: Date.now() }));
    session.on("ended", () => this.over(session));
    session.on("failed", () => this.over(session));
    session.on("muted", () => this.update({ muted: true }));
    session.on("unmuted", () => this.update({ muted: false }));
    session.on("hold", () => this.update({ held: true }));
    session.on("unhold", () => this.update({ held: false }));
    session.on("newDTMF", ({ originator, dtmf }: { originator: string; dtmf: { tone: string } }) => {
      if (originator === "remote" && this.call) this.update({ keys: (this.call.keys + dtmf.tone).slice(-24) });
    });
    const lost = Number(sessionStorage.getItem(IN_CALL) ?? 0);
    if (returning && Date.now() - lost < RESUME) this.answer();
    this.changed();
  }

  private hears(connection: RTCPeerConnection): void {
    connection.addEventListener("track", ({ track, streams }) => {
      this.audio.srcObject = streams[0] ?? new MediaStream([track]);
      this.wishes.sink(this.audio);
      void this.audio.play().catch(() => undefined);
    });
    window.clearInterval(this.statistics);
    this.statistics = window.setInterval(async () => {
      sessionStorage.setItem(IN_CALL, String(Date.now()));
      const report = await connection.getStats().catch(() => null);
      report?.forEach((one) => {
        if (one.type !== "inbound-rtp" || one.kind !== "audio") return;
        const all = one.packetsLost + one.packetsReceived;
        if (all > 50) this.update({ loss: Math.max(0, one.packetsLost / all) });
      });
    }, 2000);
  }

  answer(): void {
    if (this.call?.state !== "ringing" || !this.session || this.session.isEstablished()) return;
    this.session.answer({ mediaConstraints: { audio: this.wishes.input(), video: false }, pcConfig: { iceServers: [] } });
  }

  decline(): void {
    this.session?.terminate({ status_code: 486 });
  }

  hangUp(): void {
    this.session?.terminate();
  }

  toggleMute(): void {
    if (this.session?.isMuted().audio) this.session.unmute({ audio: true });
    else this.session?.mute({ audio: true });
  }

  toggleHold(): void {
    if (this.call?.held) this.session?.unhold();
    else this.session?.hold();
  }

  private over(session: RTCSession): void {
    if (this.session !== session) return;
    this.session = null;
    this.call = null;
    window.clearInterval(this.statistics);
    sessionStorage.removeItem(IN_CALL);
    this.audio.srcObject = null;
    this.changed();
  }

  private update(change: Partial<Call>): void {
    if (!this.call) return;
    this.call = { ...this.call, ...change };
    this.changed();
  }
}

function instance(): string {
  let id = localStorage.getItem(INSTANCE);
  if (!id) {
    id = crypto.randomUUID();
    localStorage.setItem(INSTANCE, id);
  }
  return id;
}

/** Only one tab of a browser has the phone. Calls `mine` when it is this one's, `lost` when another took it. */
export function claim(take: boolean, mine: () => void, lost: () => void, taken: () => void): void {
  void navigator.locks.request("hotline.phone", take ? { steal: true } : { ifAvailable: true }, (lock) => {
    if (!lock) {
      taken();
      return undefined;
    }
    mine();
    return new Promise<void>(() => undefined);
  }).catch(lost);
}
