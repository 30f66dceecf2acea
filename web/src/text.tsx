// What caller and listener write to each other (real-time text, RFC 4103): each letter as it is typed.
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, Problem, type Said } from "./api";
import { say } from "./words";

/** Letters typed within so long go together. */
const BUFFER = 300;
/** Who listens to the screen hears a line when its writer has paused for so long. */
const PAUSE = 1_500;
/** The end of a line in T.140. */
const LINE = "\u2028";

/** What was written so far, and this after it: a backspace takes a letter of its writer back. */
export function append(written: Said[], byCaller: boolean, text: string): Said[] {
  const all = written.slice(-200);
  for (const letter of text.replace(/\r\n/g, "\n")) {
    const last = all[all.length - 1];
    const own = last && last.by_caller === byCaller && !last.over ? last : null;
    if (letter === "\b") {
      if (own) all[all.length - 1] = { ...own, text: [...own.text].slice(0, -1).join("") };
    } else if (letter === LINE || letter === "\n" || letter === "\r") {
      if (own) all[all.length - 1] = { ...own, over: true };
    } else if (letter >= " " && letter !== "\ufeff" && letter !== "\u007f") {
      if (own) all[all.length - 1] = { ...own, text: own.text + letter };
      else all.push({ by_caller: byCaller, text: letter, over: false });
    }
  }
  return all;
}

interface Props { written: Said[]; wrote: (line: string) => void; able: boolean }

export function TextPane({ written, wrote, able }: Props) {
  const [line, setLine] = useState("");
  const [fault, setFault] = useState("");
  const [heard, setHeard] = useState("");
  const shown = useRef("");
  const going = useRef(Promise.resolve());
  const timer = useRef<number>();
  const log = useRef<HTMLUListElement>(null);

  const last = written[written.length - 1];
  useEffect(() => {
    log.current?.scrollTo({ top: log.current.scrollHeight });
    if (!last?.by_caller) return;
    const pause = window.setTimeout(() => setHeard(last.text), last.over ? 0 : PAUSE);
    return () => window.clearTimeout(pause);
  }, [last?.text, last?.over]);
  useEffect(() => () => window.clearTimeout(timer.current), []);

  /** Sends what differs from what the caller is shown, in the order it was typed. */
  const send = (now: string, over: boolean) => {
    window.clearTimeout(timer.current);
    const [old, fresh] = [[...shown.current], [...now]];
    let same = 0;
    while (same < old.length && old[same] === fresh[same]) same++;
    const text = "\b".repeat(old.length - same) + fresh.slice(same).join("") + (over ? LINE : "");
    shown.current = over ? "" : now;
    if (!text) return;
    going.current = going.current.then(() => ask("POST", "/api/me/call", { act: "write", text })).then(
      () => setFault(""),
      (problem) => setFault(problem instanceof Problem && problem.kind === "unreachable" ? say("unreachable") : say("not_shown")),
    );
  };
  const typed = (now: string) => {
    setLine(now);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => send(now, false), BUFFER);
  };
  const ends = (event: Event) => {
    event.preventDefault();
    if (!line) return;
    send(line, true);
    wrote(line + LINE);
    setLine("");
  };
  return (
    <section class="text" aria-labelledby="text-title">
      <h3 id="text-title">{say("text")}</h3>
      <ul ref={log} class="said" tabIndex={0} aria-labelledby="text-title">
        {written.map((said, place) => (
          <li key={place} class={said.by_caller ? "theirs" : "ours"}><strong>{say(said.by_caller ? "the_caller" : "you")}</strong> {said.text}</li>
        ))}
      </ul>
      <p class="unseen" role="status">{heard && `${say("the_caller")} ${heard}`}</p>
      {able && (
        <form onSubmit={ends}>
          <label>{say("write")}<input value={line} maxLength={500} autocomplete="off" onInput={(event) => typed(event.currentTarget.value)} /></label>
          <p class="small">{say("write_help")}</p>
        </form>
      )}
      <p role="status" class="fault">{fault}</p>
    </section>
  );
}
