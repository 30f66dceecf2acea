// A browser's phone without the browser: JsSIP over a WebSocket of node's (the `ws` package).
// Registers, says what happens in lines on stdout, and refuses the calls it gets with 486.
import { createRequire } from "node:module";
import fs from "node:fs";

const [url, origin, authority, name, password, folder] = process.argv.slice(2);
const require = createRequire(folder + "/");
const WebSocket = require("ws");
const JsSIP = require("jssip");

const ca = authority === "-" ? undefined : fs.readFileSync(authority);
// JsSIP looks whether it could talk before it tells of a call; here it never gets so far.
globalThis.window = { RTCPeerConnection: class {} };
globalThis.WebSocket = class extends WebSocket {
  constructor(address, protocol) {
    super(address, protocol, { origin, ca, perMessageDeflate: true });
    this.on("unexpected-response", (_, response) => say("refused", response.statusCode));
  }
};

function say(...words) {
  console.log(words.join(" "));
}

const phone = new JsSIP.UA({
  sockets: [new JsSIP.WebSocketInterface(url)],
  uri: `sip:${name}@127.0.0.1`,
  password,
  register_expires: 60,
  session_timers: false,
  user_agent: "JsSIP",
});
phone.on("connected", () => say("connected"));
phone.on("disconnected", () => say("disconnected"));
phone.on("registered", ({ response }) =>
  say("registered", response.getHeader("Contact"), response.getHeader("Require")),
);
phone.on("unregistered", () => say("unregistered"));
phone.on("registrationFailed", ({ cause }) => say("failed", cause));
phone.on("newRTCSession", ({ session, request }) => {
  say("rung", request.ruri.toString());
  setTimeout(() => session.terminate({ status_code: 486 }), 300);
});
// It ends when nobody can wish anything any more.
process.stdin.resume().on("end", () => {
  phone.stop();
  setTimeout(() => process.exit(0), 300);
});
phone.start();
