// The page's phone: SIP over WebSocket (JsSIP), one call at a time.
//
// A page that is reloaded in the middle of a call must not hang up: nothing is said when it goes. The house
// notices that the line is dead, keeps the caller, and rings this listener first; a page that was in a call a
// moment ago picks up by itself.
//
// Nor does a call end because its sound is cut off: the house tells the caller to wait, and the two go on when the
// sound comes back, by the same road or, if the network is another one by then, by a new one. A call that the
// house has given to somebody else meanwhile is let go of when the house says so, or rings anew.
import JsSIP from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession";
import type { PhoneSecret } from "./api";
import { lately, mark } from "./kept";

export type PhoneState = "off" | "connecting" | "registered" | "failed";
export interface Call {
  state: "ringing" | "talking";
  display: string;
  returning: boolean;
  since: number;
  muted: boolean;
  held: boolean;
  loss: number | null;
  /** False while no sound can come or go. */
  linked: boolean;
}
/** `ended`: the call is over for good, or somebody else's begins. */
export interface Wishes { input: () => MediaTrackConstraints; sink: (audio: HTMLAudioElement) => void; ended: () => void }

const INSTANCE = "hotline.instance";

export class Phone {
  private ua: JsSIP.UA | null = null;
  private session: RTCSession | null = null;
  private statistics: number | undefined;
  /** Somebody has pressed the button that ends the call. */
  private hungUp = false;
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
    ua.on("registered", () => this.seekRoad());
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
    if (this.session?.isEstablished()) {
      // Nobody who talks is rung: that call is over, and we have not heard of it.
      this.letGo();
    } else if (this.session) {
      session.terminate({ status_code: 486 });
      return;
    }
    this.session = session;
    this.hungUp = false;
    const display = session.remote_identity.display_name || session.remote_identity.uri.user;
    const returning = display.endsWith("(reprise)");
    this.call = { state: "ringing", display: display.replace(/ \(reprise\)$/, ""), returning, since: Date.now(), muted: false, held: false, loss: null, linked: true };
    session.on("peerconnection", ({ peerconnection }: { peerconnection: RTCPeerConnection }) => this.hears(peerconnection));
    session.on("confirmed", () => this.update({ state: "talking", since: Date.now() }));
    session.on("ended", () => this.over(session));
    session.on("failed", () => this.over(session));
    session.on("muted", () => this.update({ muted: true }));
    session.on("unmuted", () => this.update({ muted: false }));
    session.on("hold", () => this.update({ held: true }));
    session.on("unhold", () => this.update({ held: false }));
    if (!returning) this.wishes.ended();
    else if (lately()) this.answer();
    this.changed();
  }

  private hears(connection: RTCPeerConnection): void {
    connection.addEventListener("iceconnectionstatechange", () => {
      const state = connection.iceConnectionState;
      this.update({ linked: state !== "disconnected" && state !== "failed" });
    });
    connection.addEventListener("track", ({ track, streams }) => {
      this.audio.srcObject = streams[0] ?? new MediaStream([track]);
      this.wishes.sink(this.audio);
      void this.audio.play().catch(() => undefined);
    });
    window.clearInterval(this.statistics);
    this.statistics = window.setInterval(async () => {
      mark();
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
    this.hungUp = true;
    this.session?.terminate();
  }

  /** The house has given the caller to somebody else, or lost them: what is left of the call here goes. */
  letGo(): void {
    const session = this.session;
    if (!session) return;
    this.over(session);
    try {
      session.terminate();
    } catch {
      // It was over already.
    }
  }

  /** The house can be reached again: if the sound can't, it may have to take another road. */
  private seekRoad(): void {
    if (!this.session?.isEstablished() || this.call?.linked !== false) return;
    this.session.renegotiate({ rtcOfferConstraints: { iceRestart: true } });
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
    const broke = this.call?.linked === false && !this.hungUp;
    this.session = null;
    this.call = null;
    window.clearInterval(this.statistics);
    // Who was cut off takes the caller back by themselves.
    if (!broke) this.wishes.ended();
    this.audio.srcObject = null;
    // Their house doubts a phone that fell silent until it gives a sign of life.
    if (broke && this.ua?.isConnected()) this.ua.register();
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

/** Only one tab of a browser has the phone. Calls `mine` when it is this one's, `lost` when another took it. Returns how to give it back. */
export function claim(take: boolean, mine: () => void, lost: () => void, taken: () => void): () => void {
  let release = () => undefined as void;
  const released = new Promise<void>((done) => { release = done; });
  void navigator.locks.request("hotline.phone", take ? { steal: true } : { ifAvailable: true }, (lock) => {
    if (!lock) {
      taken();
      return undefined;
    }
    mine();
    return released;
  }).catch(lost);
  return release;
}
