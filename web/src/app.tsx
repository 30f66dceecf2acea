// The page: who is signed in, which of the three pages is shown, and what holds for all of them.
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { NOTHING, Problem, signIn, signOut, watch, whoIsSignedIn, type Live, type Notice, type Session } from "./api";
import { forget, keep, kept, lately } from "./kept";
import { ListenerPage } from "./listener";
import { ManagerPage } from "./manager";
import { append } from "./text";
import { say, speak, spoken } from "./words";
import { Wall } from "./wall";

export type View = "listener" | "wall" | "manager";

function viewOf(path: string, session: Session): View {
  if (path === "/wall") return "wall";
  const runs = runsTheHouse(session);
  if (path === "/manager" && runs) return "manager";
  if (session.roles.includes("listener")) return "listener";
  return runs ? "manager" : "wall";
}

const runsTheHouse = (session: Session) => session.roles.includes("manager") || session.roles.includes("operator");

function App() {
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const [view, setView] = useState<View>("listener");
  const [live, setLive] = useState<Live>(() => ({ ...NOTHING, written: kept() }));
  /** Who also runs the house takes calls when they say so. */
  const [listening, setListening] = useState(false);
  const [notices, setNotices] = useState<Notice[]>([]);
  const [word, setWord] = useState("");
  const [, again] = useState(0);

  const enter = (session: Session) => {
    if (session.language === "fr" || session.language === "en") speak(session.language, false);
    const view = viewOf(location.pathname, session);
    setView(view);
    setListening(session.roles.includes("listener") && (view === "listener" || !runsTheHouse(session)));
    setSession(session);
    setWord("");
  };
  useEffect(() => {
    const look = () => whoIsSignedIn().then(
      (session) => { if (session) enter(session); else { forget(); setSession(null); } },
      () => { setWord(say("unreachable")); window.setTimeout(look, 3000); },
    );
    void look();
  }, []);
  useEffect(() => {
    if (!session) return;
    return watch(
      (update) => setLive((old) => ({ ...old, ...(typeof update === "function" ? update(old) : update) })),
      (notice) => setNotices((old) => [...old.slice(-4), notice]),
      () => { forget(); setSession(null); setLive(NOTHING); setWord(say("signed_out")); },
    );
  }, [session?.csrf]);
  const ended = () => {
    forget();
    setLive((old) => ({ ...old, keys: "", written: [] }));
  };
  // What is written stays with the call: over a reload of the page, and no longer.
  const talking = live.me?.presence === "talking";
  useEffect(() => keep(live.written), [live.written]);
  useEffect(() => {
    if (talking || live.written.length === 0) return;
    const over = window.setInterval(() => { if (!lately()) ended(); }, 1000);
    return () => window.clearInterval(over);
  }, [talking, live.written.length === 0]);
  useEffect(() => {
    document.title = session ? `${say(titleOf(view))} – hotline` : `${say("sign_in")} – hotline`;
  });

  const leave = async () => {
    await signOut().catch(() => undefined);
    forget();
    setSession(null);
    setLive(NOTHING);
  };
  const tongue = (
    <button type="button" class="quiet" lang={spoken() === "fr" ? "en" : "fr"}
      onClick={() => { speak(spoken() === "fr" ? "en" : "fr", true); again((n) => n + 1); }}>{say("language")}</button>
  );
  if (!session) {
    return (
      <main class="door">
        <div class="door-top">{tongue}</div>
        {session === undefined && !word ? null : <SignIn word={word} enter={enter} waiting={session === undefined} />}
      </main>
    );
  }
  const go = (to: View) => {
    if (to === "listener") setListening(true);
    setView(to); 
    history.pushState(null, "", to === "listener" ? "/" : `/${to}`);
  };
  const runs = runsTheHouse(session);
  const views: View[] = [
    ...(session.roles.includes("listener") ? ["listener" as const] : []), "wall",
    ...(runs ? ["manager" as const] : []),
  ];
  return (
    <>
      <a class="skip" href="#content">{say("skip")}</a>
      <header>
        <strong>hotline</strong>
        <nav>
          {views.map((one) => (
            <a key={one} href={one === "listener" ? "/" : `/${one}`} aria-current={one === view ? "page" : undefined}
              onClick={(event) => { event.preventDefault(); go(one); }}>{say(titleOf(one))}</a>
          ))}
        </nav>
        <span class="who">{session.display}</span>
        {tongue}
        <button type="button" class="quiet" onClick={leave}>{say("sign_out")}</button>
      </header>
      <div role="status" class="notices">
        {live.away && <p class="notice bad">{say("away")}</p>}
        {notices.map((notice, place) => (
          <p class="notice" key={place}>{told(notice)}
            <button type="button" class="quiet" onClick={() => setNotices((old) => old.filter((one) => one !== notice))}>{say("close")}</button>
          </p>
        ))}
      </div>
      {listening && (
        <div hidden={view !== "listener"}><ListenerPage rung={() => view !== "listener" && go("listener")} shown={view === "listener"} session={session} live={live} leave={leave} ended={ended}
          wrote={(line) => setLive((old) => ({ ...old, written: append(old.written, false, line) }))} /></div>
      )}
      {view === "wall" && <Wall live={live} />}
      {view === "manager" && <ManagerPage session={session} live={live} listening={listening}
        listen={(wanted) => { if (wanted) go("listener"); else setListening(false); }} />}
    </>
  );
}

function titleOf(view: View) {
  return view === "listener" ? "listener_page" : view === "wall" ? "wall" : "manager_page";
}

function told(notice: Notice): string {
  switch (notice.what) {
    case "paused": return say("paused_by", notice.by);
    case "called_back": return say("called_back_by", notice.by);
    default: return say("help_by", notice.by);
  }
}

function SignIn({ word, enter, waiting }: { word: string; enter: (session: Session) => void; waiting: boolean }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asksCode, setAsksCode] = useState(false);
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFault("");
    try {
      enter(await signIn(name, password, code));
    } catch (problem) {
      const kind = problem instanceof Problem ? problem.kind : "";
      if (kind === "code-wanted") { setAsksCode(true); setFault(say("code_wanted")); }
      else if (kind === "too-many-tries") setFault(say("too_many_tries", (problem as Problem).retryAfter ?? 5));
      else if (kind === "wrong-credentials") setFault(say("wrong_credentials"));
      else if (kind === "unreachable") setFault(say("unreachable"));
      else setFault(say("refused", (problem as Error).message));
    }
    setBusy(false);
  };
  return (
    <form class="card" onSubmit={submit} aria-labelledby="door-title">
      <h1 id="door-title">{say("sign_in")}</h1>
      <p role="alert" class="fault">{fault || word}</p>
      <label>{say("name")}<input name="name" autocomplete="username" autocapitalize="none" spellcheck={false} required value={name} onInput={(e) => setName(e.currentTarget.value)} /></label>
      <label>{say("password")}<input name="password" type="password" autocomplete="current-password" required value={password} onInput={(e) => setPassword(e.currentTarget.value)} /></label>
      {asksCode && (
        <label>{say("code")}<input name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]*" value={code} aria-describedby="code-help" onInput={(e) => setCode(e.currentTarget.value)} /><small id="code-help">{say("code_help")}</small></label>
      )}
      <button type="submit" disabled={busy || waiting}>{say("sign_in")}</button>
    </form>
  );
}

render(<App />, document.getElementById("app")!);
