// The API as the page knows it. Every request that changes something shows the token of the sign-in.
import { lately } from "./kept";
import { append } from "./text";

export type Role = "listener" | "read_only" | "operator" | "manager";
export interface Session { name: string; display: string; roles: Role[]; csrf: string; lasts: number; language: string }
export interface PhoneSecret { url: string | null; uri: string; user: string; realm: string; secret: string }
export interface Wait { line: string; since: string; returning: boolean }
export interface Line { line: string; display: string; open: boolean; until: string | null; until_local: string | null; drain_until: string | null }
export interface Queue { queue: string; waits: Wait[] }
export interface Listener { listener: string; display: string; presence: Presence }
export interface Trunk { trunk: string; up: boolean; registered: boolean | null }
export type Presence = "offline" | "available" | "alerting" | "talking" | "after_call_work" | "paused" | "elsewhere" | "unreachable";
export interface Board { at: string; plan: string; lines: Line[]; queues: Queue[]; listeners: Listener[]; trunks: Trunk[]; calls: number; calls_max: number; calls_talking: number; alarms: Alarm[]; stopping: boolean }
export interface Alarm { code: string; about: string | null; count: number | null; until: string | null; text: string }
export interface Me { presence: Presence; phones: number; until: string | null; why: string | null; caller: Wait | null; caller_writes: boolean; asked: Asked | null }
export interface Asked { name: string; takes_over: boolean; joins: boolean; answered: boolean }
/** A line of what is written in the call; `over`: its writer has begun another. */
export interface Said { by_caller: boolean; text: string; over: boolean }
export interface Figure { name: string; per_cent: number | null; counted: number; of: number; french: string; english: string }
export interface Figures { since: string; calls: number; figures: Figure[] }
export interface Notice { what: string; by: string }
export interface Plan { version: string; since: string | null; change: string; alarm: string | null }
export interface CallRecord { arrived: string; line: string; origin: string | null; trunk: string | null; outcome: string; waited: number; talked: number; lasted: number; rung: number; cause: string; plan: string }
export interface Entry { name: string; code: string }
export interface Directory { centres: Entry[]; emergency: Entry[] }

export class Problem extends Error {
  constructor(readonly kind: string, readonly detail: string, readonly retryAfter: number | null) {
    super(detail);
  }
}

let csrf = "";

export async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
  let response: Response;
  try {
    response = await fetch(path, {
      method, headers, credentials: "same-origin",
      body: body === undefined ? null : JSON.stringify(body),
    });
  } catch {
    throw new Problem("unreachable", "", null);
  }
  const said = await response.json().catch(() => ({}));
  if (!response.ok) {
    const kind = String(said.type ?? "").split("#")[1] ?? "unavailable";
    throw new Problem(kind, said.detail ?? said.title ?? "", said.retry_after ?? null);
  }
  return said as T;
}

export async function signIn(name: string, password: string, code: string): Promise<Session> {
  const session = await ask<Session>("POST", "/api/session", { name, password, code: code || null });
  csrf = session.csrf;
  return session;
}

export async function whoIsSignedIn(): Promise<Session | null> {
  try {
    const session = await ask<Session>("GET", "/api/session");
    csrf = session.csrf;
    return session;
  } catch (problem) {
    if (problem instanceof Problem && problem.kind === "signed-out") return null;
    throw problem;
  }
}

export async function signOut(): Promise<void> {
  await ask("DELETE", "/api/session");
  csrf = "";
}

/** So long without a word, and the house is taken for out of reach. */
const SILENCE = 6_000;

/** What the house tells as it happens. `away` while it can't be reached. */
export interface Live { board: Board | null; me: Me | null; figures: Figures | null; away: boolean; skew: number; keys: string; written: Said[] }
export const NOTHING: Live = { board: null, me: null, figures: null, away: false, skew: 0, keys: "", written: [] };

type Change = Partial<Live> | ((old: Live) => Partial<Live>);

export function watch(change: (update: Change) => void, notice: (notice: Notice) => void, signedOut: () => void): () => void {
  let source: EventSource | null = null;
  let retry: number | undefined;
  let closed = false;
  let heard = Date.now();
  const open = () => {
    source?.close();
    source = new EventSource("/api/events");
    heard = Date.now();
    const on = <T,>(name: string, act: (what: T) => void) =>
      source!.addEventListener(name, (event) => act(JSON.parse((event as MessageEvent).data)));
    on<Board>("board", (board) => { heard = Date.now(); change({ board, away: false, skew: Date.parse(board.at) - Date.now() }); });
    on<Me>("me", (me) => change((old) => (
      // With the conversation goes what was keyed and written in it, unless it was only cut off.
      old.me?.presence === "talking" && me.presence !== "talking" ? { me, keys: "", written: lately() ? old.written : [] } : { me }
    )));
    on<{ key: string }>("key", ({ key }) => change((old) => ({ keys: (old.keys + key).slice(-24) })));
    on<{ by_caller: boolean; text: string }>("text", ({ by_caller, text }) => change((old) => ({ written: append(old.written, by_caller, text) })));
    on<Figures>("figures", (figures) => change({ figures }));
    on<Notice>("notice", notice);
    source.addEventListener("signed_out", () => { stop(); signedOut(); });
    source.onerror = () => {
      change({ away: true });
      if (source?.readyState !== EventSource.CLOSED || closed) return;
      // Refused rather than cut: is anybody still signed in?
      whoIsSignedIn().then(
        (session) => { if (session) retry = window.setTimeout(open, 3000); else { stop(); signedOut(); } },
        () => { retry = window.setTimeout(open, 3000); },
      );
    };
  };
  // A link that is cut tells nobody: the house says something every second.
  const listening = window.setInterval(() => {
    if (Date.now() - heard > SILENCE) { change({ away: true }); open(); }
  }, 1000);
  const stop = () => { closed = true; window.clearInterval(listening); window.clearTimeout(retry); source?.close(); };
  open();
  return stop;
}
