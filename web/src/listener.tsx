// The listener's page: their state, their phone, the call, who waits.
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, type Live, type PhoneSecret, type Session } from "./api";
import { CallCard } from "./call";
import { type Acts, HeadsetPart } from "./headset";
import { attempt, presence } from "./manager";
import { claim, Phone } from "./phone";
import { choice, choose, constraints, devices, Microphone, ring, send, test, type Choice, type Devices } from "./sound";
import { useSeconds } from "./wall";
import { clock, say, span, type Word } from "./words";

interface Props { session: Session; live: Live; leave: () => Promise<void>; rung: () => void; wrote: (line: string) => void; ended: () => void; shown: boolean }

/** What keeps calls away, or nothing. */
type Trouble = "" | "no_microphone" | "other_tab" | "no_door";

export function ListenerPage({ session, live, leave, rung, wrote, ended, shown }: Props) {
  const now = useSeconds() + live.skew;
  const [, again] = useState(0);
  const [picked, setPicked] = useState<Choice>(choice);
  const [all, setAll] = useState<Devices>({ inputs: [], outputs: [] });
  const [microphone, setMicrophone] = useState<Microphone | null>(null);
  const [trouble, setTrouble] = useState<Trouble>("");
  const [mine, setMine] = useState(false);
  const [word, setWord] = useState("");
  const current = useRef(picked);
  current.current = picked;
  const phone = useRef<Phone>();
  phone.current ??= new Phone(
    { input: () => constraints(current.current.input), sink: (audio) => void send(audio, current.current.output), ended },
    () => again((n) => n + 1),
  );
  const call = phone.current.call;
  const acts = useRef<Acts>({
    answer: () => phone.current?.answer(),
    hangUp: () => phone.current?.hangUp(),
    toggleMute: () => phone.current?.toggleMute(),
  });

  // One tab has the phone.
  const release = useRef(() => {});
  const take = (steal: boolean) => { release.current = claim(steal,
    () => { setMine(true); setTrouble((old) => (old === "other_tab" ? "" : old)); },
    () => { setMine(false); setTrouble("other_tab"); phone.current?.stop(); },
    () => setTrouble("other_tab")); };
  useEffect(() => { take(false); return () => { phone.current?.stop(); release.current(); opened.current?.close(); }; }, []);

  // No microphone, no phone: nobody is put through to somebody who can't be heard.
  const opened = useRef<Microphone | null>(null);
  const openMicrophone = async () => {
    opened.current?.close();
    try {
      const found = await Microphone.open(current.current.input, () => {
        setMicrophone(null);
        setTrouble("no_microphone");
      });
      opened.current = found;
      setMicrophone(found);
      setTrouble((old) => (old === "no_microphone" ? "" : old));
      setAll(await devices());
    } catch {
      setMicrophone(null);
      setTrouble("no_microphone");
    }
  };
  useEffect(() => {
    void openMicrophone();
    const changed = async () => {
      const found = await devices();
      setAll(found);
      if (found.inputs.length === 0) { setMicrophone(null); setTrouble("no_microphone"); }
    };
    navigator.mediaDevices?.addEventListener("devicechange", changed);
    return () => navigator.mediaDevices?.removeEventListener("devicechange", changed);
  }, [picked.input]);

  const ready = mine && microphone !== null;
  useEffect(() => {
    const own = phone.current!;
    if (!ready) {
      // A call in progress goes on: the microphone may come back.
      if (!own.call) own.stop();
      return;
    }
    let over = false;
    let retry: number | undefined;
    const start = () => ask<PhoneSecret>("POST", "/api/session/phone").then(
      (secret) => {
        if (over) return;
        if (secret.url) own.start(secret);
        else setTrouble("no_door");
      },
      () => { retry = window.setTimeout(start, 3000); },
    );
    void start();
    return () => { over = true; window.clearTimeout(retry); };
  }, [ready, call === null]);
  // A house that was started anew has forgotten the page's secret.
  const failed = phone.current.state === "failed";
  useEffect(() => {
    if (!failed) return;
    const retry = window.setInterval(() => {
      ask("POST", "/api/session/phone").then(() => phone.current?.register(), () => undefined);
    }, 3000);
    return () => window.clearInterval(retry);
  }, [failed]);

  // A call cut off here that the house has ended: it says what we do now, and that isn't talking.
  const cutOff = call?.state === "talking" && !call.linked;
  const elsewhere = live.me !== null && !live.away && live.me.presence !== "talking" && live.me.presence !== "alerting";
  useEffect(() => {
    if (!cutOff || !elsewhere) return;
    const patience = window.setTimeout(() => phone.current?.letGo(), 3000);
    return () => window.clearTimeout(patience);
  }, [cutOff, elsewhere]);

  // The ring.
  const player = useRef<ReturnType<typeof ring>>();
  const ringing = call?.state === "ringing";
  useEffect(() => {
    if (!ringing) return;
    rung();
    player.current ??= ring();
    void player.current.play(current.current.ring);
    return () => player.current?.stop();
  }, [ringing]);
  useEffect(() => {
    if (!ringing) return;
    const space = (event: KeyboardEvent) => {
      const at = event.target as HTMLElement;
      if (event.key !== " " || event.repeat || at.closest("input, select, textarea, button, a")) return;
      event.preventDefault();
      phone.current?.answer();
    };
    document.addEventListener("keydown", space);
    return () => document.removeEventListener("keydown", space);
  }, [ringing]);
  useEffect(() => { if (phone.current) void send(phone.current.audio, picked.output); }, [picked.output]);

  const change = (state: string, more: object = {}) => attempt(() => ask("POST", "/api/me/state", { state, ...more }), (told) =>
    setWord(told === say("done") ? "" : told));
  const finish = async () => {
    await ask("POST", "/api/me/state", { state: "finish_for_today" }).catch(() => undefined);
    phone.current?.stop();
    await leave();
  };
  const me = live.me;
  const others = live.board?.listeners.filter((one) => one.listener !== session.name && one.presence !== "offline") ?? [];

  return (
    <main id="content" class="listener" aria-hidden={shown ? undefined : "true"}>
      <h1 class="unseen">{say("listener_page")}</h1>
      <div class="column">
      <section class={`card state ${me?.presence ?? "offline"}`} aria-labelledby="state-title">
        <h2 id="state-title">{say("state")}</h2>
        <p class="presence" role="status">
          {me?.presence === "alerting" ? say("alerting") : presence(me?.presence ?? "offline")}
          {me?.until && <span class="until">{span(Date.parse(me.until) - now)}</span>}
        </p>
        {me?.why === "missed" && <p class="fault">{say("why_missed")}</p>}
        {me?.why === "refusing" && <p>{say("why_refusing")}</p>}
        {me?.why === "rest" && <p>{say("why_rest")}</p>}
        {me?.why === "finished" && <p>{say("why_finished")}</p>}
        <StateButtons presence={me?.presence ?? "offline"} change={change} />
        <p class="small">{say("state_help")}</p>
        {word && <p class="fault" role="alert">{word}</p>}
        <p class="row">
          <button type="button" class="quiet" disabled={call !== null} onClick={finish}>{say("finish")}</button>
          <HelpButton />
        </p>
      </section>

      <section class="card" aria-labelledby="phone-title">
        <h2 id="phone-title">{say("phone")}</h2>
        <p role="status"><span class={`tag ${phone.current.state === "registered" ? "good" : phone.current.state === "failed" ? "bad" : "warn"}`}>
          {say(`phone_${phone.current.state}` as Word)}</span></p>
        {trouble && (
          <div role="alert" class="fault">
            <p>{say(trouble)}</p>
            {trouble === "no_microphone" && <button type="button" onClick={openMicrophone}>{say("retry")}</button>}
            {trouble === "other_tab" && <button type="button" onClick={() => take(true)}>{say("take_here")}</button>}
          </div>
        )}
        <h3>{say("sound")}</h3>
        <Sound all={all} picked={picked} microphone={microphone} busy={call !== null}
          pick={(next) => { choose(next); setPicked(next); }} />
        <HeadsetPart call={call} acts={acts.current} asked={Boolean(live.me?.asked)} />
      </section>
      </div>

      <div class="column">
      {call ? (
        <CallCard call={call} phone={phone.current} live={live} now={now} session={session} shown={shown} wrote={wrote} />
      ) : (
        <section class="card call" aria-labelledby="call-title"><h2 id="call-title">{say("call")}</h2><p>{say("no_call")}</p></section>
      )}
      </div>

      <div class="column">
      <section class="card" aria-labelledby="queue-title">
        <h2 id="queue-title">{say("queue")}</h2>
        {live.board?.queues.map((queue) => (
          <div key={queue.queue}>
            {live.board!.queues.length > 1 && <h3>{queue.queue}</h3>}
            {queue.waits.length === 0 ? <p>{say("nobody_waits")}</p> : (
              <ol class="waits">
                {queue.waits.map((wait, place) => (
                  <li key={place}>{say("on_line", wait.line)} – {say("waits_since", span(now - Date.parse(wait.since)))}
                    {wait.returning && <> <span class="tag warn">{say("returning")}</span></>}</li>
                ))}
              </ol>
            )}
          </div>
        ))}
        <h3>{say("lines")}</h3>
        <ul class="lines">
          {live.board?.lines.map((line) => (
            <li key={line.line}><strong>{line.display}</strong>{" "}
              <span class={line.open ? "tag good" : "tag"}>{say(line.open ? "open" : "closed")}</span>{" "}
              {line.until && say(line.open ? "closes_at" : "opens_at", clock(line.until))}</li>
          ))}
        </ul>
      </section>

      <section class="card" aria-labelledby="colleagues-title">
        <h2 id="colleagues-title">{say("colleagues")}</h2>
        {others.length === 0 && <p>{say("nobody_else")}</p>}
        <ul class="people">
          {others.map((one) => (
            <li key={one.listener}><span>{one.display}</span> <span class={`tag ${one.presence}`}>{presence(one.presence)}</span></li>
          ))}
        </ul>
      </section>

      </div>
    </main>
  );
}

type Change = (state: string, more?: object) => void;

function StateButtons({ presence, change }: { presence: string; change: Change }) {
  const [reason, setReason] = useState("");
  const pause = (main: boolean) => (
    <div class="row">
      <button type="button" class={main ? "main" : ""} onClick={() => change("pause", reason ? { reason } : {})}>{say("go_pause")}</button>
      <label>{say("reason")}
        <select value={reason} onChange={(e) => setReason(e.currentTarget.value)}>
          <option value="">{say("no_reason")}</option>
          {(["reason_break", "reason_meeting", "reason_training", "reason_technical"] as const).map((one) => (
            <option key={one} value={one.slice("reason_".length)}>{say(one)}</option>
          ))}
        </select>
      </label>
    </div>
  );
  switch (presence) {
    case "available": case "unreachable":
      return pause(true);
    case "after_call_work":
      return (
        <>
          <p class="row">
            <button type="button" class="main" onClick={() => change("end_after_call_work")}>{say("end_notes")}</button>
            <button type="button" onClick={() => change("extend_after_call_work", { minutes: 3 })}>{say("more_minutes", 3)}</button>
            <button type="button" onClick={() => change("extend_after_call_work", { minutes: 10 })}>{say("more_minutes", 10)}</button>
            <button type="button" onClick={() => change("rest")}>{say("rest")}</button>
          </p>
          {pause(false)}
        </>
      );
    case "paused":
      return <button type="button" class="main" onClick={() => change("available")}>{say("go_available")}</button>;
    default:
      return null;
  }
}

function HelpButton() {
  const [word, setWord] = useState("");
  return (
    <>
      <button type="button" class="quiet" onClick={() => attempt(() => ask("POST", "/api/me/help"), (told) =>
        setWord(told === say("done") ? say("help_sent") : told))}>{say("help")}</button>
      <span role="status">{word}</span>
    </>
  );
}

interface SoundProps { all: Devices; picked: Choice; microphone: Microphone | null; busy: boolean; pick: (choice: Choice) => void }

function Sound({ all, picked, microphone, busy, pick }: SoundProps) {
  const [level, setLevel] = useState(0);
  const [step, setStep] = useState<"" | "speak" | "listen">("");
  const [verdict, setVerdict] = useState<Word | "">("");
  useEffect(() => {
    if (!microphone) { setLevel(0); return; }
    const timer = window.setInterval(() => setLevel(Math.round(microphone.level() * 50) / 50), 100);
    return () => window.clearInterval(timer);
  }, [microphone]);
  const run = async () => {
    if (!microphone) return;
    setVerdict("");
    const result = await test(microphone, picked.output, setStep).catch(() => null);
    setStep("");
    setVerdict(!result || !result.microphone ? "test_silent" : result.echo === "strong" ? "test_echo" : "test_good");
  };
  const select = (label: Word, key: keyof Choice, list: MediaDeviceInfo[]) => (
    <label>{say(label)}
      <select value={picked[key]} onChange={(e) => pick({ ...picked, [key]: e.currentTarget.value })}>
        <option value="">{say("default_device")}</option>
        {list.filter((one) => one.deviceId && one.deviceId !== "default").map((one, n) => (
          <option key={one.deviceId} value={one.deviceId}>{one.label || `${say(label)} ${n + 1}`}</option>
        ))}
      </select>
    </label>
  );
  return (
    <>
      {select("microphone", "input", all.inputs)}
      {select("speaker", "output", all.outputs)}
      {select("ringer", "ring", all.outputs)}
      <label>{say("level")}<meter min={0} max={1} low={0.15} value={level} aria-label={say("level")} /></label>
      <button type="button" disabled={!microphone || busy || step !== ""} onClick={run}>{say("test")}</button>
      {busy && <p class="small">{say("test_call_stops")}</p>}
      <p role="status">{step ? say(`test_${step}`) : verdict && say(verdict)}</p>
    </>
  );
}

