// Builds web/dist, which is committed and built into the program: a machine that only builds the house
// needs no node. `tests/run web` builds it again and fails if it differs.
import { build } from "esbuild";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? path.join(here, "dist");
fs.mkdirSync(out, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { app: "src/app.tsx" },
  outdir: out,
  bundle: true,
  minify: true,
  charset: "utf8",
  target: ["es2022"],
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
  define: { "process.env.NODE_ENV": '"production"' },
});
await build({
  absWorkingDir: here,
  entryPoints: { app: "src/app.css" },
  outdir: out,
  minify: true,
  target: ["es2022"],
});
for (const file of ["index.html", "icon.svg"]) {
  fs.copyFileSync(path.join(here, "src", file), path.join(out, file));
}
// The page carries other people's work; their licences go with it.
const licence = (name) => {
  const folder = path.join(here, "node_modules", name);
  const file = fs.readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
  return `${name}\n\n${fs.readFileSync(path.join(folder, file), "utf8").trim()}\n`;
};
const carried = ["debug", "events", "jssip", "ms", "preact", "sdp-transform"];
fs.writeFileSync(path.join(out, "licences.txt"), carried.map(licence).join("\n\n"));
