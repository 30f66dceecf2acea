// Where the tests of the page play: browsers with a microphone, a house, callers, and what all tests ask of them.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { after, before, test as nodeTest } from "node:test";
import { Caller, House } from "./house.mjs";

const root = path.resolve(import.meta.dirname, "../..");
const require = createRequire(path.join(root, "web/"));
const { chromium } = require("playwright-core");
/** What the microphones of these browsers hear. */
export const SPEAKS = 880;
/** The share of it in what is heard: it swells and fades as speech does, or it would be taken for noise and filtered away. */
export const HEARD = 0.3;
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
export const pictures = path.join(root, "target/screenshots");
const flags = (frequency = SPEAKS) => ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-audio-capture=${tone(frequency)}`, "--autoplay-policy=no-user-gesture-required", "--allow-loopback-in-peer-connection"];
export const FLAGS = flags();

export let house;
const open = [];
const asleep = [];

/** Opens a house for the tests of a file, and closes it after them. */
export function opens(options) {
  before(async () => {
    fs.mkdirSync(pictures, { recursive: true });
    house = await House.open(options);
  });
  after(async () => {
    await house?.close();
  });
}

/** One story. Where it goes wrong it shows what the pages showed and the house wrote; nothing of it outlives it. */
export function test(name, story) {
  nodeTest(name, { timeout: 180_000 }, async () => {
    try {
      await story();
    } catch (fault) {
      await show(name).catch(() => undefined);
      throw fault;
    } finally {
      Caller.allLeave();
      house.network.mend();
      house.centre.does = "answers";
      for (const goesOn of asleep.splice(0)) goesOn();
      for (const context of open.splice(0)) await context.close().catch(() => undefined);
    }
  });
}

async function show(name) {
  for (const goesOn of asleep) goesOn();
  const pages = open.flatMap((context) => context.pages());
  for (const [number, page] of pages.entries()) {
    console.error(`── ${name}: page ${number}, ${page.url()}`);
    console.error(await page.evaluate(() => document.body.innerText));
    await shot(page, `failed-${name.replaceAll(/\W+/g, "-")}-${number}`);
  }
  console.error(`── ${name}: the house\n${house.lastLines(60)}`);
}

/** A browser of its own, with a profile nobody has used. */
export async function browser(options = {}) {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "hotline-profile-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: "/usr/bin/chromium", args: flags(options.microphone), locale: "fr-FR", timezoneId: "Europe/Paris",
    ignoreHTTPSErrors: true, permissions: options.deaf ? [] : ["microphone"], viewport: { width: 1200, height: 900 }, colorScheme: "light", ...options,
  });
  open.push(context);
  context.stops = () => stops(profile);
  // What the page plays can be listened to.
  await context.addInitScript(() => {
    const Player = window.Audio;
    window.players = [];
    window.Audio = function (...words) {
      const player = new Player(...words);
      window.players.push(player);
      return player;
    };
  });
  // A page that is not built into the program yet.
  const web = process.env.HOTLINE_WEB;
  if (web) await context.route(/\/app\.(js|css)$/, (route) => route.fulfill({ path: path.join(web, new URL(route.request().url()).pathname) }));
  // What it sends and hears goes by the network that can be cut.
  await context.exposeFunction("roadTo", (port) => house.network.udp(port));
  await context.addInitScript(() => {
    const describe = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = async function ({ type, sdp }) {
      for (const [line, before, port] of sdp.matchAll(/^(a=candidate:\S+ \d udp \d+ \S+ )(\d+)/gim)) {
        sdp = sdp.replace(line, before + (await window.roadTo(Number(port))));
      }
      return describe.call(this, { type, sdp });
    };
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.faults = [];
  page.on("pageerror", (fault) => page.faults.push(String(fault)));
  // A browser writes down every 401 by itself: that is how the page asks whether anybody is signed in.
  page.on("console", (line) => line.type() === "error" && !line.text().includes("401") && page.faults.push(line.text()));
  return page;
}

/** Everything of one browser stands still, as on a machine that sleeps, until it `goesOn`. */
function stops(profile) {
  const all = () => fs.readdirSync("/proc").filter((one) => /^\d+$/.test(one)).map(Number);
  const told = (pid, file) => { try { return fs.readFileSync(`/proc/${pid}/${file}`, "utf8"); } catch { return ""; } };
  const first = all().filter((pid) => told(pid, "cmdline").includes(profile));
  const family = new Set(first);
  for (let grown = -1; grown !== family.size;) {
    grown = family.size;
    for (const pid of all()) if (family.has(Number(told(pid, "stat").replace(/^.*\) \S+ /, "").split(" ")[0]))) family.add(pid);
  }
  const signal = (name) => { for (const pid of family) try { process.kill(pid, name); } catch { /* gone */ } };
  signal("SIGSTOP");
  const goesOn = () => signal("SIGCONT");
  asleep.push(goesOn);
  return { goesOn };
}

export async function signIn(page, name, where = "/") {
  await page.goto(house.origin + where);
  await page.getByLabel("Compte").fill(name);
  await page.getByLabel("Mot de passe").fill(house.passwords[name]);
  await page.getByRole("button", { name: "Se connecter" }).click();
  await page.getByRole("button", { name: "Se déconnecter" }).waitFor();
}

/** How much of the sound the page's phone plays is this tone, from 0 to 1. */
export function hears(page, frequency) {
  return page.evaluate(async (frequency) => {
    const stream = window.players?.map((player) => player.srcObject).find(Boolean);
    if (!stream) return 0;
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 16_384 });
    context.createMediaStreamSource(stream).connect(analyser);
    await new Promise((done) => setTimeout(done, 600));
    const samples = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(samples);
    const rate = context.sampleRate;
    await context.close();
    let [all, c, s] = [0, 0, 0];
    samples.forEach((sample, i) => {
      all += sample * sample;
      c += sample * Math.cos((2 * Math.PI * frequency * i) / rate);
      s += sample * Math.sin((2 * Math.PI * frequency * i) / rate);
    });
    return all < 1e-3 ? 0 : (2 * (c * c + s * s)) / (samples.length * all);
  }, frequency);
}

export const ready = (page) => page.getByText("Poste prêt").waitFor({ timeout: 15_000 });
export const shot = (page, name) => page.screenshot({ path: path.join(pictures, `${name}.png`) });

/** Nothing on this page is in the way of people who can't see, hear or point well. */
export async function isAccessible(page, what) {
  // The policy of the page forbids scripts of others; a debugger may run them.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
  const told = violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")}`);
  assert.deepEqual(told, [], what);
}

/** A file with a tone, for a microphone that is none. */
function tone(frequency) {
  const [rate, seconds] = [48_000, 10];
  const file = Buffer.alloc(44 + 2 * rate * seconds);
  file.write("RIFF", 0);
  file.writeUInt32LE(file.length - 8, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(2 * rate, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36);
  file.writeUInt32LE(file.length - 44, 40);
  for (let i = 0; i < rate * seconds; i++) {
    const loudness = 6000 * (1 - Math.cos((2 * Math.PI * 4 * i) / rate));
    file.writeInt16LE(Math.round(loudness * Math.sin((2 * Math.PI * frequency * i) / rate)), 44 + 2 * i);
  }
  const name = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "hotline-tone-")), "tone.wav");
  fs.writeFileSync(name, file);
  return name;
}
