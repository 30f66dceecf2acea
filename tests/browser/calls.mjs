// Calls as listeners live them in Chromium: the network goes and comes back, others are asked and given the caller.
import assert from "node:assert/strict";
import { Caller, eventually, pause } from "./house.mjs";
import { HEARD, SPEAKS, browser, hears, house, isAccessible, opens, ready, shot, signIn, test } from "./stage.mjs";

opens();

/** A listener's page that is in a call, and the caller. */
async function talks(name, { microphone, ...call } = {}) {
  const page = await browser({ microphone });
  await signIn(page, name);
  await ready(page);
  const caller = await Caller.rings(house, call);
  await page.getByText("Appel entrant – Ligne 3977").waitFor({ timeout: 20_000 });
  await page.keyboard.press("Space");
  await eventually(15, () => caller.hears(SPEAKS) > HEARD, "the caller hears the listener");
  await eventually(10, async () => (await hears(page, caller.frequency)) > 0.6, "the listener hears the caller");
  return { page, caller };
}

test("the network is cut for some seconds: the caller hears words, and the two go on without a ring", async () => {
  const { page, caller } = await talks("adele");
  const invited = caller.invites;

  house.network.cut();
  await page.getByText("La liaison est coupée").waitFor({ timeout: 12_000 });
  await eventually(8, () => caller.hearsSomething(1) && caller.hears(SPEAKS, 1) < 0.05, "the caller hears words instead of silence");
  await isAccessible(page, "cut off in a call");
  await shot(page, "listener-cut-off");
  house.network.mend();

  await eventually(10, () => caller.hears(SPEAKS, 1) > HEARD, "the caller hears the listener again");
  await eventually(10, async () => (await hears(page, caller.frequency)) > 0.6, "the listener hears the caller again");
  await page.getByText("La liaison est coupée").waitFor({ state: "detached" });
  assert.equal(caller.invites, invited, "the caller's own call is not touched");
  assert.equal(await page.getByRole("button", { name: "Raccrocher" }).count(), 1);
  await page.getByRole("button", { name: "Raccrocher" }).click();
  await eventually(5, () => caller.state === "ended", "the listener can hang up as ever");
  assert.deepEqual(page.faults, []);
});

test("the page comes back by another network within the call", async () => {
  const { page, caller } = await talks("bram");

  house.network.cut();
  await page.getByText("La liaison est coupée").waitFor({ timeout: 12_000 });
  house.network.mendElsewhere();

  await eventually(25, () => caller.hears(SPEAKS, 1) > HEARD, "the caller hears the listener again");
  await eventually(10, async () => (await hears(page, caller.frequency)) > 0.6, "the listener hears the caller again");
  caller.hangUp();
  await page.getByText("Pas d’appel en cours.").waitFor();
});

test("a listener who is cut off for long loses the caller to the head of the queue, and takes them back", async () => {
  const { page, caller } = await talks("claire");

  house.network.cut();
  await eventually(10, () => caller.hearsSomething(1) && caller.hears(SPEAKS, 1) < 0.05, "the caller hears words");
  await pause(20_000);
  assert.equal(caller.state, "answered", "nobody has hung up on the caller");
  house.network.mend();

  await eventually(40, () => caller.hears(SPEAKS, 1) > HEARD, "the two are together again");
  await eventually(10, async () => (await hears(page, caller.frequency)) > 0.6, "the listener hears the caller again");
  assert.equal(caller.state, "answered");
  await page.locator(".call").getByText("Revient après une coupure").waitFor();
  caller.hangUp();
  await page.getByText("Pas d’appel en cours.").waitFor();
});

test("a colleague takes the caller whose listener is cut off, and the listener's page lets go of the call", async () => {
  const colleague = await browser();
  await signIn(colleague, "djamila");
  await ready(colleague);
  const { page, caller } = await (async () => {
    // Djamila is on a break until the caller talks with Emile.
    await colleague.getByRole("button", { name: "Faire une pause" }).click();
    await colleague.locator(".presence", { hasText: "En pause" }).waitFor();
    return talks("emile");
  })();
  // Only Emile's browser is cut off.
  const stopped = page.context().stops();
  await colleague.getByRole("button", { name: "Me rendre disponible" }).click();
  await colleague.getByText("Appel entrant – Ligne 3977").waitFor({ timeout: 40_000 });
  await colleague.locator(".call").getByText("Revient après une coupure").waitFor();
  await shot(colleague, "listener-ringing-returning");
  await colleague.keyboard.press("Space");
  await eventually(15, () => caller.hears(SPEAKS) > HEARD, "the caller hears the colleague");
  stopped.goesOn();

  await page.getByText("Pas d’appel en cours.").waitFor({ timeout: 20_000 });
  await ready(page);
  await pause(2000);
  assert.equal(caller.state, "answered", "the page that came back has hung up on nobody");
  await eventually(5, () => caller.hears(SPEAKS, 1) > HEARD, "the caller still hears the colleague");
  assert.ok((await hears(page, caller.frequency)) < 0.05, "who was cut off hears nothing of it");
  caller.hangUp();
});

/** What the colleague's microphone hears. */
const COLLEAGUE = 1320;

/** A listener in a call, and a colleague with another voice who is free. */
async function talksWithAColleagueBeside(name, beside) {
  const { page, caller } = await talks(name);
  const colleague = await browser({ microphone: COLLEAGUE });
  await signIn(colleague, beside);
  await ready(colleague);
  return { page, caller, colleague };
}

test("a listener asks a colleague while the caller waits, comes back, asks again and leaves them together", async () => {
  const { page, caller, colleague } = await talksWithAColleagueBeside("fatou", "gael");
  const others = page.locator(".call");
  const asksGael = async () => {
    const free = others.getByRole("button", { name: "Gaël", exact: true });
    if (!(await free.isVisible())) await others.getByText("Un collègue", { exact: true }).click();
    await free.click();
    await others.getByRole("button", { name: "Demander d’abord à Gaël" }).click();
    await colleague.getByText("Appel entrant").waitFor({ timeout: 10_000 });
  };

  await asksGael();
  await others.getByText("Gaël sonne").waitFor();
  await isAccessible(page, "a colleague rings");
  await shot(page, "listener-asking");
  await shot(colleague, "listener-asked");
  await eventually(5, () => caller.hears(SPEAKS, 1) < 0.05 && caller.hearsSomething(1), "the caller hears the wait sound");
  await colleague.keyboard.press("Space");
  await others.getByText("Vous parlez avec Gaël").waitFor();
  await eventually(10, async () => (await hears(page, COLLEAGUE)) > HEARD, "the listener hears the colleague");
  await eventually(10, async () => (await hears(colleague, SPEAKS)) > HEARD, "the colleague hears the listener");
  assert.ok((await hears(colleague, caller.frequency)) < 0.05, "the colleague doesn't hear the caller");
  assert.ok(caller.hears(SPEAKS, 1) < 0.05 && caller.hears(COLLEAGUE, 1) < 0.05, "the caller hears neither");
  assert.ok(caller.hearsSomething(1), "the caller is not left in silence");
  await isAccessible(page, "speaking with a colleague");
  await shot(page, "listener-speaking-with-a-colleague");

  await others.getByRole("button", { name: "Revenir à l’appelant" }).click();
  await eventually(10, () => caller.hears(SPEAKS, 1) > HEARD, "the caller has the listener again");
  await colleague.getByText("Pas d’appel en cours.").waitFor();
  assert.equal(await others.getByText("vous avez de nouveau l’appelant").count(), 0, "who comes back knows it");
  await colleague.getByRole("button", { name: "J’ai fini mes notes" }).or(colleague.getByText("Disponible", { exact: true }).first()).first().waitFor();
  const notes = colleague.getByRole("button", { name: "J’ai fini mes notes" });
  if (await notes.isVisible()) await notes.click();

  await asksGael();
  await colleague.keyboard.press("Space");
  await others.getByText("Vous parlez avec Gaël").waitFor();
  await others.getByRole("button", { name: "Les laisser ensemble" }).click();
  await page.getByText("Pas d’appel en cours.").waitFor();
  await eventually(10, () => caller.hears(COLLEAGUE, 1) > HEARD, "the caller hears the colleague");
  await eventually(10, async () => (await hears(colleague, caller.frequency)) > 0.6, "the colleague hears the caller");
  assert.ok((await hears(page, caller.frequency)) < 0.05 && (await hears(page, COLLEAGUE)) < 0.05, "who has left hears nothing");
  assert.ok(caller.hears(SPEAKS, 1) < 0.05, "and is not heard");
  await shot(colleague, "listener-was-given-a-caller");
  await colleague.getByRole("button", { name: "Raccrocher" }).click();
  await eventually(5, () => caller.state === "ended", "the call ends with the colleague's");
  assert.deepEqual([...page.faults, ...colleague.faults], []);
});

test("a caller is given to a colleague at once; one who does not answer sends them home", async () => {
  const { page, caller, colleague } = await talksWithAColleagueBeside("helene", "ines");
  const others = page.locator(".call");
  const gives = async () => {
    const free = others.getByRole("button", { name: "Inès", exact: true });
    if (!(await free.isVisible())) await others.getByText("Un collègue", { exact: true }).click();
    await free.click();
    await others.getByRole("button", { name: "Confier à Inès" }).click();
    await colleague.getByText("Appel entrant").waitFor({ timeout: 10_000 });
  };

  await gives();
  await others.getByText("Inès sonne, et aura l’appelant").waitFor();
  await colleague.getByRole("button", { name: "Refuser" }).click();
  await others.getByText("vous avez de nouveau l’appelant").waitFor();
  await shot(page, "listener-has-the-caller-again");
  await eventually(10, () => caller.hears(SPEAKS, 1) > HEARD, "the caller has the listener again");
  await eventually(10, async () => (await hears(page, caller.frequency)) > 0.6, "and the listener the caller");

  await colleague.getByRole("button", { name: "Me rendre disponible" }).or(colleague.getByText("Un appel a été refusé")).first().waitFor();
  const back = colleague.getByRole("button", { name: "Me rendre disponible" });
  if (await back.isVisible()) await back.click();
  await gives();
  await colleague.keyboard.press("Space");
  await page.getByText("Pas d’appel en cours.").waitFor();
  await eventually(10, () => caller.hears(COLLEAGUE, 1) > HEARD, "the caller hears the colleague");
  await eventually(10, async () => (await hears(colleague, caller.frequency)) > 0.6, "the colleague hears the caller");
  caller.hangUp();
});

test("a centre of the directory is asked and given the caller; a busy one sends the listener home", async () => {
  const { page, caller } = await talks("joseph");
  const { centre } = house;
  const others = page.locator(".call");
  const calls = async () => {
    const button = others.getByRole("button", { name: "Appeler alma-75" });
    if (!(await button.isVisible())) await others.getByText("Demander un centre").click();
    await button.click();
  };

  centre.does = "is busy";
  await calls();
  await others.getByText("alma-75 ne répond pas ou a raccroché").waitFor();
  await eventually(10, () => caller.hears(SPEAKS, 1) > HEARD, "the caller has the listener again");

  centre.does = "rings";
  await calls();
  await others.getByText("alma-75 sonne").waitFor();
  await eventually(5, () => caller.hears(SPEAKS, 1) < 0.05 && caller.hearsSomething(1), "the caller hears the wait sound");
  await others.getByRole("button", { name: "Revenir à l’appelant" }).click();
  await eventually(10, () => caller.hears(SPEAKS, 1) > HEARD, "the caller has the listener again");
  await eventually(5, () => centre.state === "free", "the centre rings no more");

  centre.does = "answers";
  await calls();
  await others.getByText("Vous parlez avec alma-75").waitFor();
  await eventually(10, async () => (await hears(page, centre.frequency)) > 0.6, "the listener hears the centre");
  await eventually(10, () => centre.hears(SPEAKS) > HEARD, "the centre hears the listener");
  assert.ok(centre.hears(caller.frequency, 1) < 0.05, "the centre doesn't hear the caller yet");
  await shot(page, "listener-speaking-with-a-centre");
  await others.getByRole("button", { name: "Les laisser ensemble" }).click();
  await page.getByText("Pas d’appel en cours.").waitFor();
  await eventually(10, () => caller.hears(centre.frequency, 1) > 0.6, "the caller hears the centre");
  await eventually(10, () => centre.hears(caller.frequency, 1) > 0.6, "the centre hears the caller");
  assert.ok(!/39980001/.test(centre.from), "the centre is shown no caller's number");
  assert.ok((await hears(page, centre.frequency)) < 0.05, "who has left hears nothing");
  assert.ok(centre.hears(SPEAKS, 1) < 0.05, "and is not heard");
  caller.hangUp();
  await eventually(5, () => centre.state === "free", "the centre's call ends with the caller's");
  assert.deepEqual(page.faults, []);
});

test("the keys a caller presses are shown to their listener while they press them, and to nobody else", async () => {
  const { page, caller } = await talks("karim");
  const other = await browser();
  await signIn(other, "lea");
  await ready(other);

  for (const key of "4#") await caller.presses(key);
  await page.locator(".keys", { hasText: "4#" }).waitFor({ timeout: 5_000 });
  caller.informs("7");
  await page.locator(".keys", { hasText: /^4#7$/ }).waitFor({ timeout: 5_000 });
  await isAccessible(page, "keys");
  await shot(page, "listener-keys");
  await pause(1000);
  assert.equal(await page.locator(".keys").textContent(), "4#7", "each press is shown once");
  assert.equal(await other.locator(".keys").count(), 0);

  caller.hangUp();
  await page.getByText("Pas d’appel en cours.").waitFor();
  assert.equal(await page.locator(".keys").count(), 0);
});

test("a caller who writes is read on the page, and reads what the listener types", async () => {
  const page = await browser();
  await signIn(page, "maelle");
  await ready(page);
  const caller = await Caller.rings(house, { writes: true });
  await eventually(10, () => caller.read.includes("39 77"), "the greeting is shown to the caller");
  await caller.writes("je ne peux pas parler");
  await page.getByText("Appel entrant – Ligne 3977").waitFor({ timeout: 20_000 });
  await page.keyboard.press("Space");

  const said = page.locator(".said");
  await said.getByText("je ne peux pas parler").waitFor({ timeout: 10_000 });
  const write = page.getByLabel("Écrire à l’appelant");
  await write.pressSequentially("Bonjour, je vous lls", { delay: 30 });
  await eventually(5, () => caller.read.includes("je vous lls"), "the caller reads before the line is over");
  for (let n = 0; n < 2; n++) await write.press("Backspace");
  await write.pressSequentially("is.", { delay: 30 });
  await write.press("Enter");
  await eventually(5, () => caller.read.includes("\b\bis.\u2028"), "a mistake is taken back");
  await said.getByText("Bonjour, je vous lis.").waitFor();
  await caller.writes("\u2028merci <b>beaucoup</b>\b\b\b\b!");
  await said.getByText("merci <b>beaucoup!").waitFor({ timeout: 10_000 });
  await isAccessible(page, "text");
  await shot(page, "listener-text");

  assert.ok(!/parler|vous lis|beaucoup/.test(house.lastLines(500)), "nothing of it is logged");
  // The page is loaded anew in mid call: the caller comes back, and with them what was written.
  await pause(2500);
  await page.reload();
  await page.getByRole("button", { name: "Raccrocher" }).waitFor({ timeout: 40_000 });
  await said.getByText("merci <b>beaucoup!").waitFor({ timeout: 10_000 });
  await said.getByText("Bonjour, je vous lis.").waitFor();
  await caller.writes("\u2028encore");
  await said.getByText("encore").waitFor({ timeout: 10_000 });
  caller.hangUp();
  await page.getByText("Pas d’appel en cours.").waitFor();
  const kept = await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }));
  assert.ok(!/parler|vous lis|beaucoup|encore/.test(kept), "nothing is kept beyond the call");
  assert.ok(!(await page.content()).includes("beaucoup"), "and nothing stays on the page");
  assert.deepEqual(page.faults, []);
});

/** A headset with a hook, a mute button and lamps, as WebHID shows one. */
function plugsIn(page) {
  return page.addInitScript(() => {
    const item = (usages, size = 1, more = {}) => ({ usages, reportSize: size, reportCount: usages.length || 1, isAbsolute: true, isArray: false, isRange: false, ...more });
    const device = new EventTarget();
    Object.assign(device, {
      opened: false, productName: "Casque d’essai", lamps: 0,
      collections: [{
        usagePage: 0x0b, usage: 5, children: [],
        // Three bits of something else, the hook, the mute button.
        inputReports: [{ reportId: 2, items: [item([0x0b_0021, 0x0b_0024, 0x0b_0050]), item([0x0b_0020]), item([0x0b_002f], 1, { isAbsolute: false }), item([], 3)] }],
        outputReports: [{ reportId: 2, items: [item([0x08_0017, 0x08_0009, 0x08_0018]), item([], 5)] }],
      }],
      open: async () => { device.opened = true; },
      close: async () => { device.opened = false; },
      forget: async () => undefined,
      sendReport: async (id, data) => { if (id === 2) device.lamps = data[0]; },
      says: (bits) => {
        const report = new Event("inputreport");
        Object.assign(report, { device, reportId: 2, data: new DataView(new Uint8Array([bits]).buffer) });
        device.dispatchEvent(report);
      },
    });
    const hid = new EventTarget();
    let known = false;
    Object.assign(hid, {
      getDevices: async () => (known ? [device] : []),
      requestDevice: async ({ filters }) => { known = filters.some((one) => one.usagePage === 0x0b); return known ? [device] : []; },
      tells: (what) => { device.opened = false; hid.dispatchEvent(Object.assign(new Event(what), { device })); },
    });
    Object.defineProperty(navigator, "hid", { value: hid });
    window.headset = device;
  });
}

test("a headset's own buttons answer, mute and hang up, and its lamps show it", async () => {
  const page = await browser();
  await plugsIn(page);
  await signIn(page, "odile");
  await ready(page);
  await page.getByRole("button", { name: "Connecter un casque" }).click();
  await page.getByText("Casque d’essai").waitFor();
  await isAccessible(page, "a headset");
  const [HOOK, MUTE, OFF_HOOK, MUTED, RING] = [8, 16, 1, 2, 4];
  const says = (bits) => page.evaluate((bits) => window.headset.says(bits), bits);
  const lit = (lamps, what) => eventually(5, () => page.evaluate((lamps) => window.headset.lamps === lamps, lamps), what);
  const presses = async () => { await pause(700); await says(HOOK | MUTE); await says(HOOK); };

  const caller = await Caller.rings(house);
  await page.getByText("Appel entrant – Ligne 3977").waitFor({ timeout: 20_000 });
  await lit(RING, "it rings in the headset");
  await says(HOOK);
  await eventually(15, () => caller.hears(SPEAKS) > HEARD, "lifted: the caller hears the listener");
  await lit(OFF_HOOK, "the headset knows of the call");
  await presses();
  await page.getByText("Micro coupé").waitFor();
  await lit(OFF_HOOK | MUTED, "the headset shows that nobody is heard");
  await eventually(5, () => caller.hears(SPEAKS, 1) < 0.05, "the caller hears nothing of the listener");
  await shot(page, "listener-headset");
  await presses();
  await page.getByText("Micro coupé").waitFor({ state: "detached" });
  await eventually(5, () => caller.hears(SPEAKS, 1) > HEARD, "and then again");

  await page.evaluate(() => navigator.hid.tells("disconnect"));
  await page.getByRole("button", { name: "Connecter un casque" }).waitFor();
  await pause(500);
  assert.equal(caller.state, "answered", "a headset that is unplugged ends nothing");
  await page.evaluate(() => navigator.hid.tells("connect"));
  await page.getByText("Casque d’essai").waitFor();
  await says(HOOK);
  await pause(700);
  await says(0);
  await eventually(5, () => caller.state === "ended", "laid down: the call ends");
  await lit(0, "the lamps go out");
  assert.deepEqual(page.faults, []);
});
