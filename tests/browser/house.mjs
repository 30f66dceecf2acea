// The real binary, with a plan of its own in a folder of its own, and callers who ring it.
import { execFileSync, spawn } from "node:child_process";
import crypto from "node:crypto";
import dgram from "node:dgram";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../..");
const binary = process.env.HOTLINE_BINARY ?? path.join(root, "target/release/hotline");

export const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

export async function eventually(seconds, is, what) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await pause(100)) {
    const found = await is();
    if (found) return found;
  }
  throw new Error(`not within ${seconds} s: ${what}`);
}

function freePort() {
  return new Promise((done) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

/** A certificate with its key in a folder, and the lines that name them. */
function certificate(folder) {
  const file = (name) => path.join(folder, name);
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "9", "-subj", "/CN=localhost",
    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", file("page.key"), "-out", file("page.pem")], { stdio: "ignore" });
  fs.chmodSync(file("page.key"), 0o600);
  return `certificate = "${file("page.pem")}"\n      key = "${file("page.key")}"`;
}

export class House {
  /** `secure`: its page speaks TLS, with a certificate that ends in nine days and that nobody vouches for. */
  static async open({ secure = false } = {}) {
    const house = new House();
    house.folder = fs.mkdtempSync(path.join(os.tmpdir(), "hotline-browser-"));
    fs.cpSync(path.join(root, "config"), path.join(house.folder, "config"), { recursive: true });
    fs.symlinkSync(path.join(root, "prompts"), path.join(house.folder, "prompts"));
    [house.sip, house.ws, house.http, house.page] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    house.centre = await Centre.open();
    house.astreinte = await Receiver.open();
    house.network = new Network();
    const [page, ws] = await Promise.all([house.network.tcp(house.page), house.network.tcp(house.ws)]);
    house.origin = secure ? `https://localhost:${page}` : `http://127.0.0.1:${page}`;
    const keys = secure ? certificate(house.folder) : "";
    const media = 30_000 + 2 * crypto.randomInt(5_000);
    fs.writeFileSync(path.join(house.folder, "config/hotline.toml"), `
      language = "fr"
      state = "../state"
      http = "127.0.0.1:${house.http}"
      [page]
      listen = "127.0.0.1:${house.page}"
      origins = ["${house.origin}"]
      ${secure ? keys : `sip = "ws://127.0.0.1:${ws}"`}
      [media]
      ports = [${media}, ${media + 999}]
      [[doors]]
      transport = "udp"
      listen = "127.0.0.1:${house.sip}"
      [[doors]]
      transport = "${secure ? "wss" : "ws"}"
      ${keys}
      listen = "127.0.0.1:${house.ws}"
      algorithms = ["MD5"]
      origins = ["${house.origin}"]
      [[webhooks]]
      name = "astreinte"
      url = "${house.astreinte.url}"
      secret = "../astreinte.secret"
    `);
    fs.writeFileSync(path.join(house.folder, "astreinte.secret"), house.astreinte.secret, { mode: 0o600 });
    fs.writeFileSync(path.join(house.folder, "config/people.toml"), `
      [people.manon]
      name = "Manon <b>&amp;</b>"
      role = "manager"
      [people.nadia]
      name = "Nadia"
      role = "manager"
      [people.omar]
      name = "Omar"
      role = "operator"
      [people.mur]
      name = "Mur"
      role = "read_only"
    `);
    fs.writeFileSync(path.join(house.folder, "config/directory.toml"), `
      [centres.alma-75]
      number = "01 99 00 75 00"
      code = "75"
    `);
    fs.writeFileSync(path.join(house.folder, "config/trunks.toml"), `
      [trunks.loopback]
      addresses = ["127.0.0.0/8"]
      peers = ["${house.centre.address}"]
      presented = "01 99 00 31 33"
    `);
    house.passwords = {};
    for (const name of ["manon", "omar", "mur"]) house.passwords[name] = house.command("password", name).trim();
    house.start();
    try {
      await house.opens();
    } catch (fault) {
      house.child.kill("SIGKILL");
      throw fault;
    }
    return house;
  }

  async opens() {
    await eventually(60, () => fetch(`http://127.0.0.1:${this.http}/healthz`).then((said) => said.ok, () => false), "the house lives");
    const kept = fs.readFileSync(path.join(this.folder, "state/passwords.toml"), "utf8");
    for (const [, name, password] of kept.matchAll(/^"?(\w+)"? = "([^"$]+)"$/gm)) this.passwords[name] ??= password;
    // Whatever the day and the hour, the lines are open.
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    this.command("open", "--until", `${tomorrow} 20h`);
  }

  start() {
    this.log = fs.openSync(path.join(this.folder, "log"), "a");
    this.child = spawn(binary, ["serve", path.join(this.folder, "config")], { stdio: ["ignore", this.log, this.log], env: { ...process.env, TZ: "Europe/Paris" } });
  }

  command(verb, ...words) {
    return execFileSync(binary, [verb, ...words, path.join(this.folder, "config")], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  }

  async stop() {
    const ended = new Promise((done) => this.child.once("exit", done));
    // Once: when the last call has ended; again: at once.
    const again = setInterval(() => this.child.kill("SIGTERM"), 300);
    this.child.kill("SIGTERM");
    await ended;
    clearInterval(again);
  }

  lastLines(count) {
    return fs.readFileSync(path.join(this.folder, "log"), "utf8").split("\n").slice(-count).join("\n");
  }

  async close() {
    await this.stop();
    this.network.close();
    this.centre.close();
    this.astreinte.close();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The way from browsers to the house: whatever they say goes by it, and it can be cut as a cable is. */
export class Network {
  #servers = [];
  #streams = new Set();
  #waiting = [];
  #roads = new Map();
  #isCut = false;

  /** A port that leads to one of the house. */
  async tcp(port) {
    const server = net.createServer((near) => (this.#isCut ? this.#waiting.push([near, port]) : this.#join(near, port)));
    await new Promise((done) => server.listen(0, "127.0.0.1", done));
    this.#servers.push(server);
    return server.address().port;
  }

  #join(near, port) {
    const far = net.connect(port, "127.0.0.1");
    for (const [from, to] of [[near, far], [far, near]]) {
      this.#streams.add(from);
      from.setNoDelay(true);
      from.on("data", (bytes) => to.write(bytes));
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => { this.#streams.delete(from); to.destroy(); });
    }
  }

  /** The same for sound. */
  async udp(port) {
    const known = this.#roads.get(port);
    if (known) return known.address().port;
    const road = dgram.createSocket("udp4");
    this.#roads.set(port, road);
    road.away = new Map();
    road.on("message", (packet, { port: from }) => {
      if (this.#isCut) return;
      let away = road.away.get(from);
      if (!away) {
        away = dgram.createSocket("udp4");
        road.away.set(from, away);
        away.on("message", (answer) => this.#isCut || road.send(answer, from, "127.0.0.1"));
      }
      away.send(packet, port, "127.0.0.1");
    });
    await new Promise((done) => road.bind(0, "127.0.0.1", done));
    return road.address().port;
  }

  /** Nothing comes through, and nobody is told. */
  cut() {
    this.#isCut = true;
    for (const stream of this.#streams) stream.pause();
  }

  mend() {
    this.#isCut = false;
    for (const stream of this.#streams) stream.resume();
    for (const [near, port] of this.#waiting.splice(0)) this.#join(near, port);
  }

  /** Comes back as another network does: nothing of what there was leads anywhere. */
  mendElsewhere() {
    for (const stream of [...this.#streams]) stream.destroy();
    this.#forgetRoads();
    this.mend();
  }

  #forgetRoads() {
    for (const road of this.#roads.values()) {
      for (const away of road.away.values()) away.close();
      road.close();
    }
    this.#roads.clear();
  }

  close() {
    for (const server of this.#servers) server.close();
    for (const stream of this.#streams) stream.destroy();
    this.#forgetRoads();
  }
}

/** A program of others that is told what happens, and believes only what is signed. */
class Receiver {
  secret = crypto.randomBytes(32).toString("hex");
  told = [];

  static async open() {
    const receiver = new Receiver();
    receiver.server = http.createServer((request, response) => {
      const parts = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", () => {
        const body = Buffer.concat(parts).toString();
        const [, time, said] = request.headers["hotline-signature"]?.match(/^t=(\d+),v1=([0-9a-f]{64})$/) ?? [];
        const ours = crypto.createHmac("sha256", receiver.secret).update(`${time}.${body}`).digest("hex");
        if (said === ours) receiver.told.push({ body, ...JSON.parse(body) });
        response.writeHead(said === ours ? 204 : 403).end();
      });
    });
    await new Promise((done) => receiver.server.listen(0, "127.0.0.1", done));
    receiver.url = `http://127.0.0.1:${receiver.server.address().port}/hotline`;
    return receiver;
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }
}

/** What any telephone does: PCMA, a tone out and an ear. */
class Telephone {
  constructor(frequency) {
    this.frequency = frequency;
    this.heard = [];
    this.sip = dgram.createSocket("udp4");
    this.rtp = dgram.createSocket("udp4");
  }

  async plugsIn(told) {
    for (const socket of [this.sip, this.rtp]) await new Promise((done) => socket.bind(0, "127.0.0.1", done));
    this.rtp.on("message", (packet) => this.heard.push([Date.now(), packet.subarray(12)]));
    this.sip.on("message", (message) => told(message.toString()));
  }

  sdp(...more) {
    return ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", `m=audio ${this.rtp.address().port} RTP/AVP 8 101`, "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000", "a=ptime:20", ...more, ""].join("\r\n");
  }

  speak(port) {
    [this.port, this.sequence, this.clock] = [port, 0, 0];
    this.speaking = setInterval(() => {
      if (this.keying) return;
      const tone = Buffer.alloc(160);
      for (let i = 0; i < 160; i++) tone[i] = alaw(8000 * Math.sin((2 * Math.PI * this.frequency * (this.clock + i)) / 8000));
      this.sendSound(8, this.clock, tone);
      this.clock += 160;
    }, 20);
  }

  sendSound(type, clock, payload) {
    const packet = Buffer.alloc(12 + payload.length);
    packet[0] = 0x80;
    packet[1] = type;
    packet.writeUInt16BE(this.sequence++ & 0xffff, 2);
    packet.writeUInt32BE(clock >>> 0, 4);
    packet.writeUInt32BE(0x1234, 8);
    payload.copy(packet, 12);
    this.rtp.send(packet, this.port, "127.0.0.1");
  }

  /** Presses a key, told in the sound as telephones do (RFC 4733). */
  async presses(key) {
    this.keying = true;
    const clock = this.clock;
    for (let n = 1; n <= 8; n++, await pause(20)) {
      const event = Buffer.from(["0123456789*#".indexOf(key), n > 5 ? 0x8a : 0x0a, 0, 0]);
      event.writeUInt16BE(160 * Math.min(n, 6), 2);
      this.sendSound(101, clock, event);
      this.clock += 160;
    }
    this.keying = false;
  }

  /** How much of the last seconds' sound is this tone, from 0 to 1. */
  hears(frequency, seconds = 2) {
    const since = Date.now() - seconds * 1000;
    const samples = this.heard.filter(([at]) => at > since).flatMap(([, bytes]) => [...bytes].map(linear));
    if (samples.length < 4000) return 0;
    const all = samples.reduce((sum, sample) => sum + sample * sample, 0);
    const [c, s] = samples.reduce(([c, s], sample, i) => {
      const angle = (2 * Math.PI * frequency * i) / 8000;
      return [c + sample * Math.cos(angle), s + sample * Math.sin(angle)];
    }, [0, 0]);
    return all === 0 ? 0 : (2 * (c * c + s * s)) / (samples.length * all);
  }

  /** Whether there is any sound at all. */
  hearsSomething(seconds = 2) {
    const since = Date.now() - seconds * 1000;
    const samples = this.heard.filter(([at]) => at > since).flatMap(([, bytes]) => [...bytes].map(linear));
    return samples.length > 4000 && Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length) > 100;
  }
}

const headerOf = (message, name) => message.match(new RegExp(`^${name}: *(.*)$`, "im"))?.[1]?.trim();

/** Whoever our trunk leads to: a centre that answers with its tone, is busy, or rings for ever. */
export class Centre extends Telephone {
  does = "answers";
  state = "free";

  static async open() {
    const centre = new Centre(660);
    await centre.plugsIn((message) => centre.told(message));
    centre.address = `127.0.0.1:${centre.sip.address().port}`;
    return centre;
  }

  told(message) {
    const method = message.split(" ")[0];
    if (method === "SIP/2.0" || method === "ACK") return;
    const via = headerOf(message, "Via");
    const port = Number(via.match(/:(\d+)/)[1]);
    const say = (status, from = message, body = "") => this.sip.send([
      `SIP/2.0 ${status}`, ...["Via", "From"].map((name) => `${name}: ${headerOf(from, name)}`),
      `To: ${headerOf(from, "To")}${/;tag=/.test(headerOf(from, "To")) ? "" : ";tag=centre"}`,
      ...["Call-ID", "CSeq"].map((name) => `${name}: ${headerOf(from, name)}`), `Contact: <sip:${this.address}>`,
      ...(body ? ["Content-Type: application/sdp"] : []), `Content-Length: ${Buffer.byteLength(body)}`, "", body,
    ].join("\r\n"), port, "127.0.0.1");
    if (method === "INVITE" && !/;tag=/.test(headerOf(message, "To"))) {
      this.from = headerOf(message, "From");
      if (this.does === "is busy") return say("486 Busy Here");
      say("180 Ringing");
      this.state = "ringing";
      this.invite = message;
      if (this.does === "answers") {
        setTimeout(() => {
          say("200 OK", message, this.sdp());
          this.heard = [];
          this.speak(Number(message.match(/^m=audio (\d+)/m)[1]));
          this.state = "talking";
        }, 1500);
      }
      return undefined;
    }
    say("200 OK");
    if (method === "CANCEL") say("487 Request Terminated", this.invite);
    if (method === "CANCEL" || method === "BYE") {
      clearInterval(this.speaking);
      this.state = "free";
    }
    return undefined;
  }

  close() {
    clearInterval(this.speaking);
    this.sip.close();
    this.rtp.close();
  }
}

/** Somebody with an ordinary telephone behind the trunk: one call, PCMA, a tone out and an ear. */
export class Caller extends Telephone {
  static #all = new Set();

  /** Whoever is still in a call leaves it: a story that fails must not keep the run alive. */
  static allLeave() {
    for (const caller of Caller.#all) caller.hangUp();
  }

  constructor(house, frequency) {
    super(frequency);
    Caller.#all.add(this);
    this.house = house;
    this.call = crypto.randomUUID();
    this.tag = crypto.randomUUID().slice(0, 8);
    /** How often the call was asked to change. */
    this.invites = 0;
    this.state = "calling";
    /** What they are shown, if their telephone shows text. */
    this.read = "";
  }

  static async rings(house, { number = "3977", frequency = 440, writes = false } = {}) {
    const caller = new Caller(house, frequency);
    await caller.plugsIn((message) => caller.told(message));
    caller.number = number;
    caller.branch = `z9hG4bK${crypto.randomUUID().slice(0, 8)}`;
    const text = writes ? await caller.plugsInText() : [];
    caller.send("INVITE", 1, caller.sdp(...text));
    return caller;
  }

  /** A telephone for the deaf: real-time text (RFC 4103) beside the sound. */
  async plugsInText() {
    this.text = dgram.createSocket("udp4");
    await new Promise((done) => this.text.bind(0, "127.0.0.1", done));
    this.text.on("message", (packet) => { this.read += packet.subarray(12).toString().replaceAll("\ufeff", ""); });
    return [`m=text ${this.text.address().port} RTP/AVP 98`, "a=rtpmap:98 t140/1000"];
  }

  /** Writes, letter by letter. */
  async writes(words) {
    for (const letter of words) {
      const bytes = Buffer.from(letter);
      const packet = Buffer.alloc(12 + bytes.length);
      this.letters = (this.letters ?? 0) + 1;
      packet[0] = 0x80;
      packet[1] = this.letters === 1 ? 0x80 | 98 : 98;
      packet.writeUInt16BE(this.letters, 2);
      packet.writeUInt32BE(this.letters * 40, 4);
      packet.writeUInt32BE(0x4321, 8);
      bytes.copy(packet, 12);
      this.text.send(packet, this.textPort, "127.0.0.1");
      await pause(40);
    }
  }

  /** Presses a key, told beside the sound (SIP INFO). */
  informs(key) {
    this.cseq = (this.cseq ?? 10) + 1;
    this.send("INFO", this.cseq, `Signal=${key}\r\nDuration=160\r\n`, "application/dtmf-relay");
  }

  send(method, cseq, body = "", type = "application/sdp") {
    const port = this.sip.address().port;
    const branch = method === "INVITE" || method === "CANCEL" ? this.branch : `z9hG4bK${crypto.randomUUID().slice(0, 8)}`;
    const lines = [
      `${method} ${this.target ?? `sip:${this.number}@127.0.0.1:${this.house.sip}`} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=${branch};rport`, "Max-Forwards: 70",
      `From: <sip:+33639980001@127.0.0.1>;tag=${this.tag}`, `To: ${this.to ?? `<sip:${this.number}@127.0.0.1>`}`,
      `Call-ID: ${this.call}`, `CSeq: ${cseq} ${method}`, `Contact: <sip:caller@127.0.0.1:${port}>`,
      ...(body ? [`Content-Type: ${type}`] : []), `Content-Length: ${Buffer.byteLength(body)}`, "", body,
    ];
    this.sip.send(lines.join("\r\n"), this.house.sip, "127.0.0.1");
  }

  told(message) {
    const header = (name) => headerOf(message, name);
    const status = Number(message.match(/^SIP\/2\.0 (\d+)/)?.[1] ?? 0);
    if (status >= 200 && header("CSeq")?.endsWith("INVITE")) {
      this.to = header("To");
      if (status < 300) {
        this.target = header("Contact")?.match(/<(.*)>/)?.[1];
        const port = Number(message.match(/^m=audio (\d+)/m)?.[1]);
        this.textPort = Number(message.match(/^m=text (\d+)/m)?.[1] ?? 0);
        this.send("ACK", 1);
        if (this.state === "calling") this.speak(port);
        this.state = "answered";
      } else {
        this.state = `refused ${status}`;
        this.send("ACK", 1);
      }
    } else if (status === 0) {
      const copied = ["Via", "From", "To", "Call-ID", "CSeq"].map((name) => `${name}: ${header(name)}`);
      const method = message.split(" ")[0];
      if (method === "ACK") return;
      if (method === "INVITE") this.invites++;
      this.sip.send(["SIP/2.0 200 OK", ...copied, "Content-Length: 0", "", ""].join("\r\n"), this.house.sip, "127.0.0.1");
      if (method === "BYE") this.over("ended");
    }
  }

  hangUp() {
    if (this.state === "answered") this.send("BYE", 100);
    else if (this.state === "calling") this.send("CANCEL", 1);
    this.over("left");
  }

  over(state) {
    this.state = state;
    if (!Caller.#all.delete(this)) return;
    clearInterval(this.speaking);
    setTimeout(() => { for (const socket of [this.sip, this.rtp, this.text]) socket?.close(); }, 1500);
  }
}

function alaw(value) {
  const sign = value >= 0 ? 0x80 : 0;
  let sample = Math.min(32_635, Math.abs(Math.round(value)));
  let exponent = 7;
  for (let mask = 0x4000; exponent > 0 && !(sample & mask); exponent--) mask >>= 1;
  const mantissa = (sample >> (exponent === 0 ? 4 : exponent + 3)) & 15;
  return ((sign | (exponent << 4) | mantissa) ^ 0x55) & 0xff;
}

function linear(byte) {
  byte ^= 0x55;
  const exponent = (byte >> 4) & 7;
  const mantissa = byte & 15;
  const size = exponent === 0 ? (mantissa << 4) + 8 : ((mantissa << 4) + 0x108) << (exponent - 1);
  return byte & 0x80 ? size : -size;
}
