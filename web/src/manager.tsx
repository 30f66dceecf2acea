// The manager's page: hours, listeners' states, the plan, records.
import { useEffect, useState } from "preact/hooks";
import { ask, Problem, type CallRecord, type Live, type Plan, type Session } from "./api";
import { AlarmList } from "./wall";
import { clock, say, span, type Word } from "./words";

const OUTCOMES: Word[] = ["taken_by_listener", "abandoned_in_greeting", "abandoned_under_5s", "abandoned_in_queue", "closed_message_heard", "closed_message_cut", "saturated", "no_listener", "drain_expired", "overload", "rejected", "technical_failure"];
/** Rows on the page; the table for spreadsheets has them all. */
const SHOWN = 200;

interface Props { session: Session; live: Live; listening: boolean; listen: (wanted: boolean) => void }

export function ManagerPage({ session, live, listening, listen }: Props) {
  const manager = session.roles.includes("manager");
  return (
    <main id="content" class="manager">
      <h1>{say("manager_page")}</h1>
      <section class="card wide" aria-labelledby="alarms-title">
        <h2 id="alarms-title">{say("alarms")}</h2>
        <AlarmList alarms={live.board?.alarms ?? []} lines={live.board?.lines ?? []} />
      </section>
      {session.roles.includes("listener") && (
        <section class="card wide" aria-labelledby="join-title">
          <h2 id="join-title">{say("join")}</h2>
          <p role="status">{say(listening ? "joined" : "not_joined")}</p>
          <button type="button" disabled={live.me?.presence === "talking" || live.me?.presence === "alerting"}
            onClick={() => listen(!listening)}>{say(listening ? "join_ends" : "join_begins")}</button>
        </section>
      )}
      <Lines live={live} />
      {manager && <Listeners live={live} />}
      <PlanCard operator={session.roles.includes("operator")} version={live.board?.plan ?? ""} />
      {manager && <Records live={live} />}
    </main>
  );
}

export async function attempt(act: () => Promise<unknown>, tell: (word: string) => void): Promise<void> {
  try {
    await act();
    tell(say("done"));
  } catch (problem) {
    const unreachable = problem instanceof Problem && problem.kind === "unreachable";
    tell(unreachable ? say("unreachable") : say("refused", (problem as Error).message));
  }
}

function Lines({ live }: { live: Live }) {
  const [line, setLine] = useState("");
  const [until, setUntil] = useState("");
  const [word, setWord] = useState("");
  const order = (kind: string) => (event: Event) => {
    event.preventDefault();
    void attempt(() => ask("POST", "/api/switch", { switch: kind, line: line || null, until: kind === "automatic" ? null : until }), setWord);
  };
  return (
    <section class="card" aria-labelledby="lines-title">
      <h2 id="lines-title">{say("lines")}</h2>
      <ul class="lines">
        {live.board?.lines.map((one) => (
          <li key={one.line}><strong>{one.display}</strong>{" "}
            <span class={one.open ? "tag good" : "tag"}>{say(one.open ? "open" : "closed")}</span>{" "}
            {one.until && say(one.open ? "closes_at" : "opens_at", clock(one.until))}</li>
        ))}
      </ul>
      <form class="row" onSubmit={(event) => event.preventDefault()}>
        <label>{say("which_line")}
          <select value={line} onChange={(e) => setLine(e.currentTarget.value)}>
            <option value="">{say("all_lines")}</option>
            {live.board?.lines.map((one) => <option key={one.line} value={one.line}>{one.display}</option>)}
          </select>
        </label>
        <label>{say("until_when")}<input value={until} onInput={(e) => setUntil(e.currentTarget.value)} /></label>
        <button type="button" onClick={order("close")}>{say("close_line")}</button>
        <button type="button" onClick={order("open")}>{say("open_line")}</button>
        <button type="button" onClick={order("automatic")}>{say("automatic")}</button>
      </form>
      <p role="status">{word}</p>
    </section>
  );
}

function Listeners({ live }: { live: Live }) {
  const [word, setWord] = useState("");
  const act = (listener: string, state: string) =>
    attempt(() => ask("POST", `/api/listeners/${encodeURIComponent(listener)}/state`, { state }), setWord);
  const here = live.board?.listeners.filter((one) => one.presence !== "offline") ?? [];
  return (
    <section class="card" aria-labelledby="listeners-title">
      <h2 id="listeners-title">{say("listeners")}</h2>
      {here.length === 0 && <p>{say("nobody_else")}</p>}
      <ul class="people">
        {here.map((one) => (
          <li key={one.listener}>
            <span>{one.display}</span> <span class={`tag ${one.presence}`}>{presence(one.presence)}</span>
            {one.presence === "paused" || one.presence === "after_call_work"
              ? <button type="button" onClick={() => act(one.listener, "available")}>{say("back_name", one.display)}</button>
              : <button type="button" onClick={() => act(one.listener, "pause")}>{say("pause_name", one.display)}</button>}
          </li>
        ))}
      </ul>
      <p role="status">{word}</p>
    </section>
  );
}

/** What somebody else is doing. */
export function presence(word: string): string {
  if (word === "alerting") return say("rung_now");
  return say((word === "unreachable" ? "unreachable_phone" : word) as Word);
}

function PlanCard({ operator, version }: { operator: boolean; version: string }) {
  const [plan, setPlan] = useState<Plan | null>(null);
  const [word, setWord] = useState("");
  useEffect(() => { ask<Plan>("GET", "/api/plan").then(setPlan, () => undefined); }, [version]);
  return (
    <section class="card" aria-labelledby="plan-title">
      <h2 id="plan-title">{say("plan")}</h2>
      {plan && (
        <>
          <p>{say("version", plan.version)}. {plan.since && say("in_force", clock(plan.since))}</p>
          {plan.alarm && <p class="fault" role="alert">{plan.alarm}</p>}
          <h3>{say("last_change")}</h3>
          <pre tabIndex={0}>{plan.change.trim() || say("no_change")}</pre>
        </>
      )}
      {operator && <button type="button" onClick={() => attempt(() => ask("POST", "/api/plan/reload"), setWord)}>{say("reload")}</button>}
      <p role="status">{word}</p>
    </section>
  );
}

function Records({ live }: { live: Live }) {
  const [wanted, setWanted] = useState({ from: "", until: "", line: "", outcome: "" });
  const [found, setFound] = useState<CallRecord[] | null>(null);
  const [word, setWord] = useState("");
  const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== "")).toString();
  const set = (key: keyof typeof wanted) => (event: Event) =>
    setWanted({ ...wanted, [key]: (event.currentTarget as HTMLInputElement).value });
  const show = async (event: Event) => {
    event.preventDefault();
    setWord("");
    try {
      setFound(await ask<CallRecord[]>("GET", `/api/records?${query}`));
    } catch (problem) {
      setWord(say("refused", (problem as Error).message));
    }
  };
  const rows = found?.slice(-SHOWN).reverse() ?? [];
  return (
    <section class="card wide" aria-labelledby="records-title">
      <h2 id="records-title">{say("records")}</h2>
      <form class="row" onSubmit={show}>
        <label>{say("from")}<input type="date" value={wanted.from} onInput={set("from")} /></label>
        <label>{say("to")}<input type="date" value={wanted.until} onInput={set("until")} /></label>
        <label>{say("which_line")}
          <select value={wanted.line} onChange={set("line")}>
            <option value="">{say("all_lines")}</option>
            {live.board?.lines.map((one) => <option key={one.line} value={one.line}>{one.display}</option>)}
          </select>
        </label>
        <label>{say("outcome")}
          <select value={wanted.outcome} onChange={set("outcome")}>
            <option value="">{say("every")}</option>
            {OUTCOMES.map((one) => <option key={one} value={one}>{say(one)}</option>)}
          </select>
        </label>
        <button type="submit">{say("show")}</button>
        <a class="button" href={`/api/records.csv?${query}`} download>{say("csv")}</a>
      </form>
      <p role="status">{word || (found ? say("shown", found.length, rows.length) : "")}</p>
      {rows.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label={`${say("records")} (${rows.length})`}>
          <table>
            <thead><tr><th scope="col">{say("arrived")}</th><th scope="col">{say("which_line")}</th><th scope="col">{say("outcome")}</th><th scope="col">{say("waited_for")}</th><th scope="col">{say("talked_for")}</th><th scope="col">{say("rung")}</th></tr></thead>
            <tbody>
              {rows.map((one, place) => (
                <tr key={place}><td>{clock(one.arrived)}</td><td>{one.line}</td><td>{say(one.outcome as Word)}</td><td>{span(one.waited * 1000)}</td><td>{span(one.talked * 1000)}</td><td>{one.rung}</td></tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
