// The real binary, with a plan of its own in a folder of its own, and callers who ring it.
import { execFileSync, spawn } from "node:child_process";
import crypto from "node:crypto";
import dgram from "node:dgram";
import fs from "node:fs";
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

export class House {
  static async open() {
    const house = new House();
    house.folder = fs.mkdtempSync(path.join(os.tmpdir(), "hotline-browser-"));
    fs.cpSync(path.join(root, "config"), path.join(house.folder, "config"), { recursive: true });
    fs.symlinkSync(path.join(root, "prompts"), path.join(house.folder, "prompts"));
    [house.sip, house.ws, house.http, house.page] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    house.origin = `http://127.0.0.1:${house.page}`;
    const media = 30_000 + 2 * crypto.randomInt(5_000);
    fs.writeFileSync(path.join(house.folder, "config/hotline.toml"), `
      language = "fr"
      state = "../state"
      http = "127.0.0.1:${house.http}"
      [page]
      listen = "127.0.0.1:${house.page}"
      [media]
      ports = [${media}, ${media + 999}]
      [[doors]]
      transport = "udp"
      listen = "127.0.0.1:${house.sip}"
      [[doors]]
      transport = "ws"
      listen = "127.0.0.1:${house.ws}"
      algorithms = ["MD5"]
      origins = ["${house.origin}"]
    `);
    fs.writeFileSync(path.join(house.folder, "config/people.toml"), `
      [people.manon]
      name = "Manon <b>&amp;</b>"
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
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Somebody with an ordinary telephone behind the trunk: one call, PCMA, a tone out and an ear. */
export class Caller {
  static #all = new Set();

  /** Whoever is still in a call leaves it: a story that fails must not keep the run alive. */
  static allLeave() {
    for (const caller of Caller.#all) caller.hangUp();
  }

  constructor(house) {
    Caller.#all.add(this);
    this.house = house;
    this.call = crypto.randomUUID();
    this.tag = crypto.randomUUID().slice(0, 8);
    this.heard = [];
    this.state = "calling";
    this.sip = dgram.createSocket("udp4");
    this.rtp = dgram.createSocket("udp4");
  }

  static async rings(house, number = "3977", frequency = 440) {
    const caller = new Caller(house);
    for (const socket of [caller.sip, caller.rtp]) await new Promise((done) => socket.bind(0, "127.0.0.1", done));
    caller.frequency = frequency;
    caller.number = number;
    caller.rtp.on("message", (packet) => caller.heard.push([Date.now(), packet.subarray(12)]));
    caller.sip.on("message", (message) => caller.told(message.toString()));
    caller.branch = `z9hG4bK${crypto.randomUUID().slice(0, 8)}`;
    const sdp = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", `m=audio ${caller.rtp.address().port} RTP/AVP 8 101`, "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000", "a=ptime:20", ""].join("\r\n");
    caller.send("INVITE", 1, sdp);
    return caller;
  }

  send(method, cseq, body = "") {
    const port = this.sip.address().port;
    const branch = method === "INVITE" || method === "CANCEL" ? this.branch : `z9hG4bK${crypto.randomUUID().slice(0, 8)}`;
    const lines = [
      `${method} ${this.target ?? `sip:${this.number}@127.0.0.1:${this.house.sip}`} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=${branch};rport`, "Max-Forwards: 70",
      `From: <sip:+33639980001@127.0.0.1>;tag=${this.tag}`, `To: ${this.to ?? `<sip:${this.number}@127.0.0.1>`}`,
      `Call-ID: ${this.call}`, `CSeq: ${cseq} ${method}`, `Contact: <sip:caller@127.0.0.1:${port}>`,
      ...(body ? ["Content-Type: application/sdp"] : []), `Content-Length: ${Buffer.byteLength(body)}`, "", body,
    ];
    this.sip.send(lines.join("\r\n"), this.house.sip, "127.0.0.1");
  }

  told(message) {
    const header = (name) => message.match(new RegExp(`^${name}: *(.*)$`, "im"))?.[1]?.trim();
    const status = Number(message.match(/^SIP\/2\.0 (\d+)/)?.[1] ?? 0);
    if (status >= 200 && header("CSeq")?.endsWith("INVITE")) {
      this.to = header("To");
      if (status < 300) {
        this.target = header("Contact")?.match(/<(.*)>/)?.[1];
        const port = Number(message.match(/^m=audio (\d+)/m)?.[1]);
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
      this.sip.send(["SIP/2.0 200 OK", ...copied, "Content-Length: 0", "", ""].join("\r\n"), this.house.sip, "127.0.0.1");
      if (method === "BYE") this.over("ended");
    }
  }

  speak(port) {
    let [sequence, clock] = [0, 0];
    this.speaking = setInterval(() => {
      const packet = Buffer.alloc(172);
      packet[0] = 0x80;
      packet[1] = 8;
      packet.writeUInt16BE(sequence++ & 0xffff, 2);
      packet.writeUInt32BE(clock >>> 0, 4);
      packet.writeUInt32BE(0x1234, 8);
      for (let i = 0; i < 160; i++) packet[12 + i] = alaw(8000 * Math.sin((2 * Math.PI * this.frequency * (clock + i)) / 8000));
      clock += 160;
      this.rtp.send(packet, port, "127.0.0.1");
    }, 20);
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

  hangUp() {
    if (this.state === "answered") this.send("BYE", 2);
    else if (this.state === "calling") this.send("CANCEL", 1);
    this.over("left");
  }

  over(state) {
    this.state = state;
    if (!Caller.#all.delete(this)) return;
    clearInterval(this.speaking);
    setTimeout(() => { this.sip.close(); this.rtp.close(); }, 1500);
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
