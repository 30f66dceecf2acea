// The wall: what everybody in the room may know, readable from five metres. Nothing about single persons.
import { useEffect, useState } from "preact/hooks";
import type { Alarm, Figure, Line, Live } from "./api";
import { clock, known, say, span, spoken, type Word } from "./words";

export function useSeconds(): number {
  const [now, set] = useState(Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => set(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, []);
  return now;
}

export function Wall({ live }: { live: Live }) {
  const now = useSeconds() + live.skew;
  const { board, figures } = live;
  if (!board) return <main id="content" class="wall"><h1 class="unseen">{say("wall")}</h1></main>;
  const waits = board.queues.flatMap((queue) => queue.waits);
  const oldest = Math.min(...waits.map((wait) => Date.parse(wait.since)));
  const count = (presence: string) => board.listeners.filter((one) => one.presence === presence).length;
  const late = waits.length > 0 && now - oldest >= 60_000;
  return (
    <main id="content" class="wall">
      <h1 class="unseen">{say("wall")}</h1>
      <ul class="big">
        <Big label={say("waiting")} value={String(waits.length)} bad={late} />
        <Big label={say("oldest")} value={waits.length ? span(now - oldest) : say("none")} bad={late} />
        <Big label={say("on_the_phone")} value={String(count("talking"))} />
        <Big label={say("free")} value={String(count("available"))} bad={count("available") + count("talking") === 0 && board.lines.some((line) => line.open)} />
      </ul>
      <section aria-labelledby="wall-lines">
        <h2 id="wall-lines">{say("lines")}</h2>
        <ul class="lines">
          {board.lines.map((line) => (
            <li key={line.line}>
              <strong>{line.display}</strong> <span class={line.open ? "tag good" : "tag"}>{say(line.open ? "open" : "closed")}</span>{" "}
              {line.until && say(line.open ? "closes_at" : "opens_at", clock(line.until))}
            </li>
          ))}
        </ul>
      </section>
      <section aria-labelledby="wall-alarms">
        <h2 id="wall-alarms">{say("alarms")}</h2>
        <AlarmList alarms={board.alarms} lines={board.lines} />
      </section>
      <section class="whole" aria-labelledby="wall-rates">
        <h2 id="wall-rates">{say("rates")}</h2>
        {figures && <p>{say("calls_today", figures.calls)}</p>}
        <ul class="rates">{figures?.figures.map((figure) => <Rate key={figure.name} figure={figure} />)}</ul>
      </section>
      {board.trunks.length > 0 && (
        <section aria-labelledby="wall-trunks">
          <h2 id="wall-trunks">{say("trunks")}</h2>
          <ul class="lines">
            {board.trunks.map((trunk) => (
              <li key={trunk.trunk}><strong>{trunk.trunk}</strong>{" "}
                <span class={trunk.up && trunk.registered !== false ? "tag good" : "tag bad"}>
                  {say(!trunk.up ? "trunk_down" : trunk.registered === false ? "trunk_unregistered" : "trunk_up")}
                </span></li>
            ))}
          </ul>
        </section>
      )}
    </main>
  );
}

/** What needs a person: what it is, and what to do. */
export function AlarmList({ alarms, lines }: { alarms: Alarm[]; lines: Line[] }) {
  return (
    <div role="alert">
      {alarms.length === 0 ? <p>{say("no_alarm")}</p> : (
        <ul class="alarms">
          {alarms.map((alarm) => (
            <li key={alarm.code + alarm.about}><strong>{told(alarm, lines)}</strong>
              {known(`alarm_${alarm.code}_do`) && <small>{say("to_do", say(`alarm_${alarm.code}_do` as Word))}</small>}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

function told(alarm: Alarm, lines: Line[]): string {
  const word = alarm.code === "nobody_logged_in" && alarm.until ? "alarm_nobody_logged_in_yet" : `alarm_${alarm.code}`;
  // A house newer than this page.
  if (!known(word)) return alarm.text;
  // Where a file lies is for those who put it there.
  const file = alarm.code.startsWith("certificate_") ? alarm.about?.split("/").pop() : null;
  const about = file ?? lines.find((line) => line.line === alarm.about)?.display ?? alarm.about ?? "";
  const amount = alarm.until ? clock(alarm.until) : alarm.code === "long_wait" ? span((alarm.count ?? 0) * 1000) : alarm.count ?? "";
  return say(word, about, amount);
}

function Big({ label, value, bad }: { label: string; value: string; bad?: boolean }) {
  return <li class={bad ? "bad" : ""}><span class="label">{label}</span> <span class="value">{value}</span></li>;
}

function Rate({ figure }: { figure: Figure }) {
  const number = figure.per_cent === null ? say("none") : `${figure.per_cent.toLocaleString(spoken())} %`;
  return (
    <li>
      <span class="label">{say(`rate_${figure.name}` as Word)}</span> <span class="value">{number}</span>
      <small>{say("of", figure.counted, figure.of)} – {spoken() === "fr" ? figure.french : figure.english}</small>
    </li>
  );
}
