// The call: picking up, holding, who else is asked, the keys the caller presses and what they write.
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, type Directory, type Entry, type Live, type Session } from "./api";
import { attempt } from "./manager";
import type { Call, Phone } from "./phone";
import { TextPane } from "./text";
import { say, span } from "./words";

interface CallProps { call: Call; phone: Phone; live: Live; now: number; session: Session; shown: boolean; wrote: (line: string) => void }

export function CallCard({ call, phone, live, now, session, shown, wrote }: CallProps) {
  const answer = useRef<HTMLButtonElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  const ringing = call.state === "ringing";
  useEffect(() => {
    const at = document.activeElement;
    // Nobody who is writing is interrupted in the middle of a word.
    if (!shown || at?.closest("input, textarea, select")) return;
    (ringing ? answer : title).current?.focus();
  }, [ringing, shown]);
  const caller = live.me?.caller;
  return (
    <section class={`card call ${call.state}`} aria-labelledby="call-title">
      <div role={ringing ? "alert" : undefined}>
        <h2 id="call-title" ref={title} tabIndex={-1}>{say(ringing ? "incoming" : "call")} – {say("line", call.display)}</h2>
      </div>
      {call.returning && <p><span class="tag warn">{say("returning")}</span></p>}
      {/* Keys: a second press on what was "answer" must not fall on what comes in its place. */}
      {ringing ? (
        <div key="ringing">
          {caller && <p class="presence">{say("waited", span(now - Date.parse(caller.since)))}</p>}
          <p class="row">
            <button type="button" class="main good" ref={answer} onClick={() => phone.answer()}>{say("answer")}</button>
            <button type="button" onClick={() => phone.decline()}>{say("decline")}</button>
          </p>
        </div>
      ) : (
        <div key="talking">
          <p class="presence">{say("lasted", span(Date.now() - call.since))}</p>
          <p class="row">
            <button type="button" aria-pressed={call.muted} onClick={() => phone.toggleMute()}>{say(call.muted ? "unmute" : "mute")}</button>
            <button type="button" aria-pressed={call.held} onClick={() => phone.toggleHold()}>{say(call.held ? "unhold" : "hold")}</button>
            {/* Who asks somebody says what becomes of the caller: hanging up says nothing. */}
            {!live.me?.asked && <button type="button" class="bad" onClick={() => phone.hangUp()}>{say("hang_up")}</button>}
          </p>
          {!call.linked && <p class="fault" role="alert">{say("cut_off")}</p>}
          <p role="status">{call.muted && <span class="tag warn">{say("muted")}</span>} {call.held && say("held")}</p>
          {live.keys && <p>{say("keys")} : <strong class="keys" aria-live="polite">{live.keys}</strong></p>}
          {call.loss !== null && call.loss > 0.02 && <p class="fault">{say("loss", Math.round(call.loss * 100))}</p>}
          {(live.me?.caller_writes || live.written.length > 0) && <TextPane written={live.written} wrote={wrote} able={live.me?.caller_writes ?? false} />}
          <Others live={live} session={session} />
        </div>
      )}
    </section>
  );
}

/** Whom else the caller needs: centres, colleagues, the emergency services. */
function Others({ live, session }: { live: Live; session: Session }) {
  const [directory, setDirectory] = useState<Directory | null>(null);
  const [chosen, setChosen] = useState("");
  const [urgent, setUrgent] = useState<Entry | null>(null);
  const [word, setWord] = useState("");
  useEffect(() => { ask<Directory>("GET", "/api/directory").then(setDirectory, () => undefined); }, []);
  const asked = live.me?.asked ?? null;
  // Whoever was asked and is there no more, though nobody here has sent them away.
  const before = useRef<{ name: string; sentAway: boolean } | null>(null);
  useEffect(() => {
    if (asked) {
      if (before.current?.name !== asked.name) { before.current = { name: asked.name, sentAway: false }; setWord(""); }
      return;
    }
    if (before.current && !before.current.sentAway) setWord(say("asked_back", before.current.name));
    before.current = null;
  }, [asked?.name]);

  const act = (act: string, more: object = {}) => ask("POST", "/api/me/call", { act, ...more });
  const tell = (told: string) => setWord(told === say("done") ? "" : told);
  const asks = (kind: string, more: object) => attempt(async () => { await act(kind, more); setChosen(""); }, tell);
  const comeBack = () => {
    if (before.current) before.current.sentAway = true;
    void attempt(() => act("take_back"), tell);
  };
  const bring = (service: string) => attempt(async () => {
    // The house wants to be asked twice; the second click was the second question.
    await act("call_emergency", { service });
    await act("call_emergency", { service });
    setUrgent(null);
  }, tell);
  const free = live.board?.listeners.filter((one) => one.presence === "available" && one.listener !== session.name) ?? [];
  const colleague = free.find((one) => one.listener === chosen);
  return (
    <>
      <p role="status" class="fault">{word}</p>
      {asked ? (
        <div class="asked">
          <p role="status"><strong>{say(asked.joins ? (asked.answered ? "asked_joined" : "asked_joins")
            : asked.takes_over ? "asked_takes" : asked.answered ? "asked_speaks" : "asked_rings", asked.name)}</strong></p>
          <p class="row">
            {!(asked.joins && asked.answered) && <button key="back" type="button" onClick={comeBack}>{say(asked.joins ? "cancel" : "come_back")}</button>}
            {asked.answered && <button key="leave" type="button" class="main" onClick={() => attempt(() => act("hand_over"), tell)}>{say("leave_together")}</button>}
          </p>
        </div>
      ) : (
        <>
          <details>
            <summary>{say("centres")}</summary>
            <p class="small">{say("centre_help")}</p>
            {directory?.centres.length === 0 && <p>{say("no_centre")}</p>}
            <ul class="people">
              {directory?.centres.map((one) => (
                <li key={one.code}><button type="button" onClick={() => asks("ask_centre", { centre: one.name })}>{say("call_centre", one.name)}</button></li>
              ))}
            </ul>
          </details>
          <details>
            <summary>{say("colleague")}</summary>
            {free.length === 0 && <p>{say("nobody_free")}</p>}
            {colleague ? (
              <p class="row">
                <button type="button" onClick={() => asks("ask_colleague", { colleague: colleague.listener })}>{say("ask_first", colleague.display)}</button>
                <button type="button" onClick={() => asks("move_to_colleague", { colleague: colleague.listener })}>{say("hand_to", colleague.display)}</button>
                <button type="button" onClick={() => setChosen("")}>{say("cancel")}</button>
              </p>
            ) : (
              <ul class="people">
                {free.map((one) => <li key={one.listener}><button type="button" onClick={() => setChosen(one.listener)}>{one.display}</button></li>)}
              </ul>
            )}
          </details>
          {directory && directory.emergency.length > 0 && (
            <details>
              <summary>{say("emergency")}</summary>
              <p class="small">{say("emergency_help")}</p>
              {urgent ? (
                <p class="row">
                  <button type="button" class="bad" onClick={() => bring(urgent.name)}>{say("emergency_confirm", urgent.name)}</button>
                  <button type="button" onClick={() => setUrgent(null)}>{say("cancel")}</button>
                </p>
              ) : (
                <ul class="people">
                  {directory.emergency.map((one) => (
                    <li key={one.code}><button type="button" onClick={() => setUrgent(one)}>{one.name}</button></li>
                  ))}
                </ul>
              )}
            </details>
          )}
        </>
      )}
      <p class="row">
        <button type="button" class="quiet" onClick={() => attempt(() => act("mark_bad_sound"), (told) => setWord(told === say("done") ? say("bad_sound_told") : told))}>{say("bad_sound")}</button>
        <button type="button" class="quiet" onClick={() => attempt(() => act("give_back"), tell)}>{say("give_back")}</button>
      </p>
    </>
  );
}
