// The page in Chromium: signing in, the phone, calls through the queue, the wall, the manager's page.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { Caller, eventually, pause } from "./house.mjs";
import { FLAGS, HEARD, SPEAKS, browser, hears, house, isAccessible, opens, pictures, ready, shot, signIn, test } from "./stage.mjs";

opens();

test("nobody comes in with a wrong password, and the right one opens the page", async () => {
  const page = await browser();
  await page.goto(house.origin);
  await isAccessible(page, "the door");
  await shot(page, "sign-in");
  await page.getByLabel("Compte").fill("adele");
  await page.getByLabel("Mot de passe").fill("wrong");
  await page.getByRole("button", { name: "Se connecter" }).click();
  await page.getByText("est faux").waitFor();
  await isAccessible(page, "the door, after a wrong password");
  await signIn(page, "adele");
  await ready(page);
  await page.getByText("Disponible", { exact: true }).waitFor();

  await isAccessible(page, "the listener's page");
  await shot(page, "listener-available");
  assert.deepEqual(page.faults, []);
  await page.getByRole("button", { name: "Se déconnecter" }).click();
  await page.getByLabel("Mot de passe").waitFor();
  await page.reload();
  await page.getByLabel("Mot de passe").waitFor();
});

test("a listener pauses with a reason, comes back, and finishes for today", async () => {
  const page = await browser();
  await signIn(page, "bram");
  await ready(page);
  await page.getByLabel("Motif (facultatif)").selectOption({ label: "Réunion" });
  await page.getByRole("button", { name: "Faire une pause" }).click();
  await page.locator(".presence", { hasText: "En pause" }).waitFor();
  await isAccessible(page, "paused");
  await shot(page, "listener-paused");
  await page.getByRole("button", { name: "Me rendre disponible" }).click();
  await page.locator(".presence", { hasText: "Disponible" }).waitFor();
  await page.getByRole("button", { name: "Terminer pour aujourd’hui" }).click();
  await page.getByLabel("Mot de passe").waitFor();

  // Who comes back the same day is offered no call before they say so.
  await signIn(page, "bram");
  await ready(page);
  await page.getByText("Vous avez terminé pour aujourd’hui.").waitFor();
  await shot(page, "listener-finished");
  await page.getByRole("button", { name: "Me rendre disponible" }).click();
  await page.locator(".presence", { hasText: "Disponible" }).waitFor();
});

test("a caller rings in the page, with their wait and their line and no number", async () => {
  const page = await browser();
  await signIn(page, "claire");
  await ready(page);
  const caller = await Caller.rings(house);
  await page.getByText("Appel entrant – Ligne 3977").waitFor({ timeout: 20_000 });
  await page.getByText(/attend depuis 0:\d\d/).waitFor();
  await isAccessible(page, "ringing");
  await shot(page, "listener-ringing");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Répondre (espace)");
  assert.ok(!(await page.content()).includes("39980001"), "no caller's number reaches the page");

  caller.hangUp();
  await page.getByText("Pas d’appel en cours.").waitFor();
  assert.deepEqual(page.faults, []);
});

test("a call is picked up with the space bar, both hear each other, hold and come back, and hang up", async () => {
  const page = await browser();
  await signIn(page, "claire");
  await ready(page);
  const caller = await Caller.rings(house);
  await page.getByText("Appel entrant – Ligne 3977").waitFor({ timeout: 20_000 });
  await page.keyboard.press("Space");
  await page.getByRole("button", { name: "Raccrocher" }).waitFor();
  // Who presses twice presses nothing else by it.
  await page.keyboard.press("Space");
  await page.keyboard.press("Enter");
  assert.equal(await page.getByRole("button", { name: "Couper mon micro" }).getAttribute("aria-pressed"), "false");
  await eventually(15, () => caller.hears(SPEAKS) > HEARD, "the caller hears the listener");
  await eventually(10, async () => (await hears(page, caller.frequency)) > 0.6, "the listener hears the caller");
  await isAccessible(page, "talking");
  await shot(page, "listener-talking");

  await page.getByRole("button", { name: "Mettre en attente" }).click();
  await eventually(10, () => caller.hears(SPEAKS, 1) < 0.05, "on hold the caller hears nothing of the room");
  await page.getByRole("button", { name: "Reprendre" }).click();
  await eventually(10, () => caller.hears(SPEAKS) > HEARD, "the caller hears the listener again");

  await page.getByRole("button", { name: "Raccrocher" }).click();
  await eventually(5, () => caller.state === "ended", "the caller's call ends with the listener's");
  await page.getByText("Pas d’appel en cours.").waitFor();
  await shot(page, "listener-after-call-work");
  const heard = caller.heard.length;
  await pause(1000);
  assert.equal(caller.heard.length, heard, "nothing is heard after hanging up");
  assert.deepEqual(page.faults, []);
});

test("a page that is loaded anew in the middle of a call takes the call back", async () => {
  const page = await browser();
  await signIn(page, "joseph");
  await ready(page);
  const caller = await Caller.rings(house);
  await page.getByText("Appel entrant – Ligne 3977").waitFor({ timeout: 20_000 });
  await page.keyboard.press("Space");
  await eventually(15, () => caller.hears(SPEAKS) > HEARD, "the caller hears the listener");
  // The page notes every other second that it is in a call.
  await pause(2500);
  await page.reload();
  await eventually(10, () => caller.hears(SPEAKS, 1) < 0.05, "the page is gone");
  await ready(page);
  await eventually(30, () => caller.state === "answered" && caller.hears(SPEAKS, 1) > HEARD, "the two are together again");
  await eventually(10, async () => (await hears(page, caller.frequency)) > 0.6, "the listener hears the caller again");
  caller.hangUp();
  await page.getByText("Pas d’appel en cours.").waitFor();
});

test("without a microphone no call is offered, and the listener is told why", async () => {
  const page = await browser({ deaf: true, args: FLAGS.filter((flag) => !flag.startsWith("--use-fake")) });
  await signIn(page, "djamila");
  await page.getByText("aucun appel ne vous est proposé").waitFor();
  await page.locator(".presence", { hasText: "Absent" }).waitFor();
  await isAccessible(page, "no microphone");
  await shot(page, "listener-no-microphone");
});

test("two tabs have one phone, and the second may take it", async () => {
  const page = await browser();
  await signIn(page, "emile");
  await ready(page);
  const second = await page.context().newPage();
  await second.goto(house.origin);
  await second.getByText("ouvert dans un autre onglet").waitFor();
  await shot(second, "listener-second-tab");
  await second.getByRole("button", { name: "L’utiliser ici" }).click();
  await ready(second);
  await page.getByText("ouvert dans un autre onglet").waitFor();
});

test("the house is started anew: nobody is signed out, and the next call rings in the same page", async () => {
  const page = await browser();
  await signIn(page, "fatou");
  await ready(page);
  await house.stop();
  await page.getByText("Liaison perdue").waitFor({ timeout: 20_000 });
  await shot(page, "listener-away");
  house.start();
  await house.opens();
  await page.getByText("Liaison perdue").waitFor({ state: "detached", timeout: 60_000 });
  await ready(page);
  const caller = await Caller.rings(house);
  await page.getByText("Appel entrant – Ligne 3977").waitFor({ timeout: 20_000 });
  await page.keyboard.press("Space");
  await eventually(15, () => caller.hears(SPEAKS) > HEARD, "the caller hears the listener");
  caller.hangUp();
  await page.getByText("Pas d’appel en cours.").waitFor();
  // What is kept signs nobody in.
  const kept = fs.readFileSync(path.join(house.folder, "state/sign-ins.json"), "utf8");
  const token = (await page.context().cookies()).find((cookie) => cookie.name === "hotline_session").value;
  assert.ok(kept.includes("fatou") && !kept.includes(token));
});

test("the wall shows who waits, the rates with their formulas, and no ranking", async () => {
  const caller = await Caller.rings(house);
  const page = await browser({ viewport: { width: 1920, height: 1080 } });
  await signIn(page, "mur", "/wall");
  await page.getByText("Taux de décroché (DITP)").waitFor();
  await page.locator(".big li", { hasText: "En attente" }).getByText("1", { exact: true }).waitFor({ timeout: 20_000 });
  const alarm = page.locator(".alarms li", { hasText: "3977" });
  await alarm.getByText("La ligne 3977 est ouverte et aucun écoutant n’est là.").waitFor();
  await alarm.getByText("À faire : appeler quelqu’un.").waitFor();
  await isAccessible(page, "the wall");
  await shot(page, "wall");
  const size = await page.locator(".big .value").first().evaluate((value) => parseFloat(getComputedStyle(value).fontSize));
  assert.ok(size >= 96, `figures are ${size} px high: five metres are too far`);
  assert.ok(!(await page.content()).includes("Adèle"), "nobody is named on the wall");
  await page.getByRole("button", { name: "English" }).click();
  await alarm.getByText("Line 3977 is open and no listener is there.").waitFor();
  await alarm.getByText("To do: call somebody.").waitFor();
  await page.getByRole("button", { name: "Français" }).click();
  caller.hangUp();
  await page.locator(".big li", { hasText: "En attente" }).getByText("0", { exact: true }).waitFor();
});

test("a manager pauses a listener, who is told by whom; closes a line; reads records", async () => {
  const listener = await browser();
  await signIn(listener, "gael");
  await ready(listener);
  const page = await browser();
  await signIn(page, "manon", "/manager");
  await page.getByRole("button", { name: "Mettre Gaël en pause" }).click();
  // A display name is text, never markup.
  await listener.getByText("Manon <b>&amp;</b> vous a mis en pause.").waitFor();
  await listener.locator(".presence", { hasText: "En pause" }).waitFor();
  await shot(listener, "listener-told");
  await page.getByRole("button", { name: "Rendre Gaël disponible" }).click();
  await listener.locator(".presence", { hasText: "Disponible" }).waitFor();

  await listener.getByRole("button", { name: "Appeler un responsable" }).click();
  await page.getByText("Gaël demande de l’aide.").waitFor();

  const lines = page.locator(".card").filter({ hasText: "Suivre le calendrier" });
  await lines.getByRole("combobox").selectOption("3133");
  await lines.getByRole("button", { name: "Fermer" }).click();
  // Never without an end.
  await lines.getByText("Ce n’est pas fait").waitFor();
  await lines.getByLabel(/^Jusqu’à/).fill("23h59");
  await lines.getByRole("button", { name: "Fermer" }).click();
  await page.getByText("C’est fait.").first().waitFor();
  await page.locator(".lines li", { hasText: "3133" }).getByText("fermée").waitFor();
  await page.locator(".alarms li", { hasText: "La ligne 3133 est fermée à la main jusqu’à : 23:59." }).getByText("À faire").waitFor();
  const caller = await Caller.rings(house);
  await eventually(5, () => caller.state === "answered", "the caller is answered");
  caller.hangUp();
  const { told } = house.astreinte;
  const is = (event, line) => told.some((one) => one.event === event && (one.line === line || one.alarm?.about === line));
  await eventually(5, () => is("line_closed", "3133") && is("alarm_raised", "3133"), "the webhook is told of the line");
  await page.getByRole("button", { name: "Suivre le calendrier" }).click();
  await eventually(5, () => is("alarm_cleared", "3133"), "and that it is as planned again");
  await eventually(5, () => is("call_ended", "3977"), "calls that are over are told");
  assert.ok(!told.some(({ body }) => body.includes("39980001")), "no caller's number is told");

  await page.getByRole("button", { name: "Afficher" }).click();
  await page.getByText(/Appels trouvés : \d+ ; affichés : \d+/).waitFor();
  await isAccessible(page, "the manager's page");
  await page.screenshot({ path: path.join(pictures, "manager.png"), fullPage: true });
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByText("Télécharger en CSV").click()]);
  const table = fs.readFileSync(await download.path(), "utf8");
  assert.match(table, /^\ufeffarrived,line,/);
});

test("a manager who is a listener too joins in, is shown the call wherever they look, and stops", async () => {
  const page = await browser();
  await signIn(page, "nadia", "/manager");
  await page.getByText("Vous ne prenez pas d’appels.").waitFor();
  await page.locator(".alarms").getByText("La ligne 3977 est ouverte").waitFor();
  await isAccessible(page, "a manager who could join in");
  await shot(page, "manager-could-join");
  await page.getByRole("button", { name: "Prendre des appels comme écoutant" }).click();
  await ready(page);
  await page.getByRole("link", { name: "Responsable" }).click();
  await page.getByText("Vous prenez des appels").waitFor();

  const caller = await Caller.rings(house);
  await page.getByText("Appel entrant – Ligne 3977").waitFor({ timeout: 20_000 });
  await page.keyboard.press("Space");
  await eventually(15, () => caller.hears(SPEAKS) > HEARD, "the caller hears the manager");
  await page.getByRole("link", { name: "Responsable" }).click();
  assert.ok(await page.getByRole("button", { name: "Ne plus prendre d’appels" }).isDisabled(), "nobody leaves a caller by mistake");
  await eventually(5, () => caller.hears(SPEAKS, 1) > HEARD, "the call goes on while they look elsewhere");
  caller.hangUp();

  await page.getByRole("button", { name: "Ne plus prendre d’appels" }).click();
  await page.getByText("Vous ne prenez pas d’appels.").waitFor();
  await eventually(10, async () => !(await page.locator(".people").getByText("Nadia").count()), "they are no listener any more");
  assert.deepEqual(page.faults, []);
});

test("in English, in the dark, at 200 %, with the keyboard alone", async () => {
  // 200 % of a window of 1200 pixels is one of 600.
  const page = await browser({ viewport: { width: 600, height: 450 }, colorScheme: "dark" });
  await page.goto(house.origin);
  await page.getByRole("button", { name: "English" }).click();
  await page.getByLabel("Account").focus();
  await page.keyboard.type("helene");
  await page.keyboard.press("Tab");
  await page.keyboard.type(house.passwords.helene);
  await page.keyboard.press("Enter");
  await page.getByText("Phone ready").waitFor({ timeout: 15_000 });
  await page.getByText("Available", { exact: true }).first().waitFor();
  await isAccessible(page, "dark, English, 200 %");
  await page.screenshot({ path: path.join(pictures, "listener-dark-english.png"), fullPage: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 600, `${wide} pixels wide: it scrolls sideways`);
  for (let n = 0; n < 40; n++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement?.textContent === "Take a break")) break;
  }
  await page.keyboard.press("Enter");
  await page.locator(".presence", { hasText: "Paused" }).waitFor();
});

test("the sound test hears the microphone and the echo", async () => {
  const page = await browser();
  await signIn(page, "ines");
  await ready(page);
  await page.getByRole("button", { name: "Tester le son" }).click();
  await page.getByText("Parlez normalement…").waitFor();
  await page.getByText("Écoutez le son…").waitFor({ timeout: 10_000 });
  await page.getByText(/Le microphone vous entend|Le son revient/).waitFor({ timeout: 10_000 });
});
