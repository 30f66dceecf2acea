// Answering, hanging up and muting by the headset's own buttons (WebHID), and by the keys of whatever else the browser
// listens to (Media Session). A headset that is unplugged ends nothing.
import { useEffect, useRef, useState } from "preact/hooks";
import { type Device, type Hid, HOOK, type InputEvent, lit, MUTE, presses, TELEPHONY } from "./hid";
import type { Call } from "./phone";
import { say } from "./words";

export interface Acts { answer: () => void; hangUp: () => void; toggleMute: () => void }

/** A headset answers a lamp as if its button had been pressed; so long after we set one, hook and mute say nothing. */
const ECHO = 600;

const hid = (): Hid | undefined => (navigator as unknown as { hid?: Hid }).hid;

/** One headset while it is plugged in. */
class Headset {
  private call: Call | null = null;
  private lamps = "";
  private set = 0;
  private readonly down = new Map<number, boolean>();

  constructor(readonly device: Device, private readonly acts: Acts) {
    device.addEventListener("inputreport", this.hears);
  }

  shows(call: Call | null): void {
    this.call = call;
    const lamps = { offHook: call?.state === "talking", ringing: call?.state === "ringing", muted: call?.muted ?? false };
    const words = JSON.stringify(lamps);
    if (words === this.lamps) return;
    this.lamps = words;
    this.set = Date.now();
    for (const { reportId, data } of lit(this.device, lamps)) void this.device.sendReport(reportId, data).catch(() => undefined);
  }

  /** Lights the lamps as they should be, whatever the headset thinks. */
  insists(): void {
    this.lamps = "";
    this.shows(this.call);
  }

  leave(): void {
    this.device.removeEventListener("inputreport", this.hears);
  }

  private readonly hears = (event: Event): void => {
    const { reportId, data } = event as InputEvent;
    for (const { usage, on, stays } of presses(this.device, reportId, data)) {
      const before = this.down.get(usage) ?? false;
      this.down.set(usage, on);
      // What stays as it was has said nothing.
      if (on === before) continue;
      if (usage === MUTE) {
        if (on && this.call?.state === "talking" && !this.echoes()) this.acts.toggleMute();
      } else if (usage === HOOK) this.moves(on, stays);
    }
  };

  private echoes(): boolean {
    return Date.now() - this.set < ECHO;
  }

  private moves(on: boolean, stays: boolean): void {
    if (this.call?.state === "ringing") {
      if (on) this.acts.answer();
      return;
    }
    if (this.call?.state !== "talking" || this.echoes()) return;
    // A hook is laid down; a button is pressed once more.
    if (stays ? !on : on) this.acts.hangUp();
  }
}

interface Props { call: Call | null; acts: Acts; asked: boolean }

/** The headset and its button. */
export function HeadsetPart({ call, acts, asked }: Props) {
  const [name, setName] = useState("");
  const [fault, setFault] = useState(false);
  const own = useRef<Headset | null>(null);
  const now = useRef({ call, acts, asked });
  now.current = { call, acts, asked };

  const use = async (device: Device | undefined) => {
    if (!device) return;
    try {
      if (!device.opened) await device.open();
    } catch {
      setFault(true);
      return;
    }
    own.current?.leave();
    own.current = new Headset(device, {
      answer: () => now.current.acts.answer(),
      toggleMute: () => now.current.acts.toggleMute(),
      // Who asks somebody says on the page what becomes of the caller: a button of the headset can't.
      hangUp: () => (now.current.asked ? own.current?.insists() : now.current.acts.hangUp()),
    });
    own.current.shows(now.current.call);
    setFault(false);
    setName(device.productName);
  };
  useEffect(() => {
    const all = hid();
    if (!all) return;
    const gone = (event: Event) => {
      if ((event as InputEvent).device !== own.current?.device) return;
      own.current.leave();
      own.current = null;
      setName("");
    };
    const known = () => all.getDevices().then((found) => use(found.find(speaks)), () => undefined);
    const back = () => { if (!own.current) void known(); };
    all.addEventListener("disconnect", gone);
    all.addEventListener("connect", back);
    void known();
    return () => {
      all.removeEventListener("disconnect", gone);
      all.removeEventListener("connect", back);
      const last = own.current;
      last?.shows(null);
      last?.leave();
      void last?.device.close().catch(() => undefined);
    };
  }, []);
  useEffect(() => own.current?.shows(call), [call?.state, call?.muted, name]);

  // Keys on a keyboard, or on whatever else the browser listens to.
  useEffect(() => {
    const set = (act: string, does: (() => void) | null) => {
      try {
        navigator.mediaSession?.setActionHandler(act as MediaSessionAction, does);
      } catch {
        // This browser has no such key.
      }
    };
    const talks = call?.state === "talking";
    set("hangup", talks ? () => { if (!now.current.asked) now.current.acts.hangUp(); } : null);
    set("togglemicrophone", talks ? () => now.current.acts.toggleMute() : null);
    (navigator.mediaSession as { setMicrophoneActive?: (on: boolean) => void } | undefined)?.setMicrophoneActive?.(talks && !call?.muted);
  }, [call?.state, call?.muted]);

  if (!hid()) return null;
  const ask = () => hid()!.requestDevice({ filters: [{ usagePage: TELEPHONY }] }).then((found) => use(found.find(speaks)), () => setFault(true));
  const forget = async () => {
    const last = own.current;
    own.current = null;
    setName("");
    last?.shows(null);
    last?.leave();
    await last?.device.close().catch(() => undefined);
    await last?.device.forget?.().catch(() => undefined);
  };
  return (
    <>
      <h3>{say("headset")}</h3>
      {name ? (
        <>
          <p role="status"><span class="tag good">{name}</span></p>
          <p class="small">{say("headset_help")}</p>
          <button type="button" class="quiet" onClick={forget}>{say("headset_forget")}</button>
        </>
      ) : (
        <>
          <p class="small">{say("headset_why")}</p>
          <button type="button" onClick={ask}>{say("headset_connect")}</button>
        </>
      )}
      <p role="status" class="fault">{fault ? say("headset_fault") : ""}</p>
    </>
  );
}

const speaks = (device: Device): boolean => device.collections.some((one) => one.usagePage === TELEPHONY);
