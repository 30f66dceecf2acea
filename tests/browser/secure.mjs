// The page over its own TLS, as a house without a proxy has it.
import assert from "node:assert/strict";
import { Caller, eventually } from "./house.mjs";
import { HEARD, SPEAKS, browser, hears, house, isAccessible, opens, ready, shot, signIn, test } from "./stage.mjs";

opens({ secure: true });

test("over https and wss a listener signs in, and a call has sound both ways", async () => {
  const page = await browser();
  await signIn(page, "adele");
  await ready(page);
  assert.match(page.url(), /^https:/);
  const cookies = await page.context().cookies();
  assert.ok(cookies.length >= 2 && cookies.every((cookie) => cookie.secure), "cookies go by https only");

  const caller = await Caller.rings(house);
  await page.getByText("Appel entrant – Ligne 3977").waitFor({ timeout: 20_000 });
  await page.keyboard.press("Space");
  await eventually(15, () => caller.hears(SPEAKS) > HEARD, "the caller hears the listener");
  await eventually(10, async () => (await hears(page, caller.frequency)) > 0.6, "the listener hears the caller");
  await page.getByRole("button", { name: "Raccrocher" }).click();
  await eventually(5, () => caller.state === "ended", "the call ends");
  assert.deepEqual(page.faults, []);
});

test("a certificate near its end stands on the wall and the manager's page, with what to do", async () => {
  const page = await browser();
  await signIn(page, "manon", "/manager");
  const alarms = page.getByRole("alert");
  await alarms.getByText(/Le certificat .*page\.pem prend bientôt fin/).waitFor();
  await alarms.getByText("déposer le nouveau et relire le plan").waitFor();
  await isAccessible(page, "a certificate near its end");
  await page.getByRole("link", { name: "Tableau mural" }).click();
  await page.locator(".alarms").getByText("prend bientôt fin").waitFor();
  await shot(page, "wall-certificate");
  await page.getByRole("button", { name: "English" }).click();
  await page.locator(".alarms").getByText(/The certificate .*page\.pem ends soon/).waitFor();
});
