// A real browser: Chromium with a tone for a microphone, on a page of our own, which it gets from
// here. Takes a wish per line on stdin (a function of `window.phone`, and an argument), says on stdout
// what the page said and what came of the wish.
import { createRequire } from "node:module";
import http from "node:http";
import os from "node:os";
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";

const [port, door, name, password, tone, phone, folder] = process.argv.slice(2);
const require = createRequire(folder + "/");
const { chromium } = require("playwright-core");
const esbuild = require("esbuild");

const say = (...words) => console.log(words.join(" "));
const here = path.join(import.meta.dirname, "page");
const built = await esbuild.build({
  entryPoints: [path.join(here, phone)],
  bundle: true,
  format: "esm",
  write: false,
  nodePaths: [path.join(folder, "node_modules")],
  define: { global: "window" },
  logLevel: "error",
});
const files = {
  "/": ["text/html", fs.readFileSync(path.join(here, "index.html"))],
  "/phone.js": ["text/javascript", built.outputFiles[0].text],
};
const server = http.createServer((request, response) => {
  const [type, body] = files[new URL(request.url, "http://x").pathname] ?? [];
  response.writeHead(body ? 200 : 404, { "content-type": type ?? "text/plain" });
  response.end(body);
});
await new Promise((ready) => server.listen(Number(port), "127.0.0.1", ready));

const profile = fs.mkdtempSync(path.join(os.tmpdir(), "hotline-chromium-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    `--use-file-for-fake-audio-capture=${tone}`,
  ],
});
let page;
await opens();

async function opens() {
  page = await browser.newPage();
  page.on("console", (message) => {
    const text = message.text();
    say(text.startsWith("phone ") ? text.slice(6) : `console ${text}`);
  });
  page.on("pageerror", (fault) => say("broken", fault.message));
  const query = new URLSearchParams({ door, name, password });
  await page.goto(`http://localhost:${port}/?${query}`);
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [wish, ...rest] = line.split(" ");
  try {
    if (wish === "close") {
      await page.close();
      say("closed");
    } else if (wish === "open") {
      await opens();
    } else if (wish === "reload") {
      await page.reload();
    } else {
      const result = await page.evaluate(
        async ([wish, rest]) => JSON.stringify((await window.phone[wish](...rest)) ?? null, null),
        [wish, rest],
      );
      if (wish === "heard" || wish === "stats") {
        say(wish, result);
      }
    }
  } catch (fault) {
    say("fault", wish, fault.message.split("\n")[0]);
  }
}
await browser.close();
server.close();
fs.rmSync(profile, { recursive: true, force: true });
