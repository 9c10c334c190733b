// The desk as its user's hands meet it: the focus, Enter, what was wrong and is not any more, and what changes by itself.
import { after, before, describe, it } from "node:test";
import assert from "node:assert/strict";
import { axe, launchBrowser, openPage, picture, signIn, startDemo } from "./demo.mjs";

const CUSTOMER = { name: "Luis Cabrera", phone: "525512345678" };

describe("the desk at work", () => {
  let demo, browser, page, dialog, desk;
  const focused = (id, on = page) => on.waitForFunction((id) => document.activeElement?.id === id, id);
  const open = () => page.getByRole("link", { name: "Active message" }).first().click();
  const errors = () => page.locator('.toast[data-kind="error"]');
  const searched = (text) => dialog.locator(`input[name=searched][value="${text}"]`).waitFor({ state: "attached" });

  before(async () => {
    demo = await startDemo();
    browser = await launchBrowser();
    page = await openPage(browser);
    desk = demo.desk.replace(/\/$/, "");
    dialog = page.locator("dialog#compose");
    await signIn(page, demo, "agent");
    await page.locator("#list-title").waitFor();
  });
  after(async () => {
    await browser?.close();
    await demo?.stop();
  });

  it("takes an error away with the next success, by Escape, and by its button", async () => {
    await open();
    const on = dialog.locator("#compose-to-recipient");
    await on.click();
    await errors().waitFor();
    await dialog.locator("#template-q").fill("order_up");
    await dialog.getByRole("button", { name: "order_update" }).click();
    await errors().waitFor({ state: "detached" });
    await focused("compose-to-recipient");
    await page.keyboard.press("Enter");
    await focused("to");
    await dialog.locator("#compose-to-variables").click();
    await errors().waitFor();
    await page.keyboard.press("Escape");
    await errors().waitFor({ state: "detached" });
    assert.ok(await dialog.isVisible(), "Escape takes the toast, not the dialog");
    await dialog.locator("#compose-to-variables").click();
    await errors().getByRole("button").click();
    await errors().waitFor({ state: "detached" });
  });

  it("lets Enter choose by the arrow keys or a whole name, never by a part", async () => {
    const to = dialog.locator("#to");
    await to.fill("+55 11 9");
    await searched("+55 11 9");
    await to.press("Enter");
    await dialog.locator("#to-problem").waitFor();
    assert.equal(await dialog.locator(".chip").count(), 0, "nobody is chosen by a part");
    assert.equal(await page.evaluate(() => document.activeElement.id), "to");
    await to.fill("luis c");
    await searched("luis c");
    await to.press("ArrowDown");
    assert.match(await page.evaluate(() => document.activeElement.textContent), /Luis Cabrera/);
    await picture(page, "desk-1-arrow");
    await page.keyboard.press("ArrowUp");
    assert.equal(await page.evaluate(() => document.activeElement.id), "to");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await dialog.locator(".chip", { hasText: CUSTOMER.name }).waitFor();
    await focused("compose-to-variables");
    assert.deepEqual(await axe(page), []);
    await dialog.locator(".chip button").click();
    await focused("to");
    await to.fill(CUSTOMER.name);
    await to.press("Enter");
    await dialog.locator(".chip", { hasText: CUSTOMER.name }).waitFor();
    await focused("compose-to-variables");
  });

  it("leads from a thread of Sent to where the answered conversation is", async () => {
    await page.keyboard.press("Enter");
    await dialog.getByLabel("name", { exact: true }).fill("Luis");
    await dialog.getByLabel("order", { exact: true }).fill("48213");
    await dialog.locator("#compose-send").click();
    await dialog.waitFor({ state: "hidden" });
    await page.getByRole("link", { name: /^Sent/ }).click();
    await page.locator("#rows .row", { hasText: CUSTOMER.name }).getByRole("link").first().click();
    await page.locator(".bubble").last().waitFor();
    await page.locator(".sends dt", { hasText: "Sending" }).first().waitFor();
    await page.locator(".sends dt", { hasText: "Read" }).first().waitFor();
    await picture(page, "desk-2-history");
    assert.deepEqual(await axe(page), []);
    await demo.control(`/phones/${CUSTOMER.phone}/reply`, { text: "Where is it now?" });
    const link = page.getByRole("link", { name: "Open in progress" });
    await link.waitFor();
    await picture(page, "desk-3-answered");
    assert.deepEqual(await axe(page), []);
    await link.click();
    await page.waitForURL(/tab=conversations/);
    await page.locator('.tabs a[aria-current="page"]', { hasText: "In progress" }).waitFor();
    await link.waitFor({ state: "detached" });
  });

  it("counts on the rail what nobody has looked at, as it arrives and as it is seen", async () => {
    await page.goto(`${desk}/desk/sent`);
    const shown = () => page.evaluate(() => Number(document.querySelector("#rail-unread .badge")?.textContent ?? 0));
    const before = await shown();
    await demo.control(`/phones/${CUSTOMER.phone}/reply`, { text: "Are you there?" });
    await page.waitForFunction((before) => before < Number(document.querySelector("#rail-unread .badge")?.textContent ?? 0), before);
    await picture(page, "desk-4-badge");
    assert.deepEqual(await axe(page), []);
    await page.goto(`${desk}/desk/conversations`);
    await page.locator("#rows .row", { hasText: CUSTOMER.name }).getByRole("link").first().click();
    await page.waitForFunction((before) => Number(document.querySelector("#rail-unread .badge")?.textContent ?? 0) <= before, before);
  });

  it("shows each send beside the open thread within seconds, however many follow each other", async () => {
    const send = async () => {
      await open();
      await dialog.locator("#template-q").fill("order_up");
      await dialog.getByRole("button", { name: "order_update" }).click();
      await focused("compose-to-recipient");
      await page.keyboard.press("Enter");
      await dialog.locator("#to").fill("+52 55 8765 4321");
      await searched("+52 55 8765 4321");
      await dialog.locator("#to").press("Enter");
      await dialog.locator(".chip").waitFor();
      await focused("compose-to-variables");
      await page.keyboard.press("Enter");
      await dialog.getByLabel("name", { exact: true }).fill("Ana");
      await dialog.getByLabel("order", { exact: true }).fill("48213");
      await dialog.locator("#compose-send").click();
      await dialog.waitFor({ state: "hidden" });
    };
    const listed = (count) => page.waitForFunction((count) => document.querySelectorAll("#facts-pane .sends > li").length === count, count, { timeout: 20_000 });
    await page.goto(`${desk}/desk/sent`);
    await send();
    await page.locator("#rows .row", { hasText: "8765 4321" }).getByRole("link").first().click();
    await listed(1);
    await send();
    await listed(2);
    await send();
    await listed(3);
    await page.locator("#facts-pane .gate", { hasText: /Your limit, (0|3) of 3/ }).waitFor({ timeout: 20_000 });
  });

  it("forgets what was wrong with an address as soon as it is typed anew", async () => {
    await open();
    await dialog.locator(".pick", { hasText: "order_ready" }).first().locator(".name").click();
    await focused("compose-to-recipient");
    await page.keyboard.press("Enter");
    await dialog.locator("#to").fill("Luis Keller");
    await searched("Luis Keller");
    await dialog.locator("#to").fill("+34 600 11 12 13");
    await page.keyboard.press("Enter");
    await focused("compose-to-variables");
    await page.keyboard.press("Enter");
    const address = dialog.locator("#v_header");
    await address.fill("http://127.0.0.1:9/gone.png");
    await page.keyboard.press("Tab");
    const problem = dialog.locator("#v_header-problem");
    await problem.waitFor();
    await address.press("End");
    await page.evaluate(() => {
      document.addEventListener("input", () => (window.goneAtOnce = !document.getElementById("v_header-problem")), { once: true });
    });
    await address.press("x");
    assert.ok(await page.evaluate(() => window.goneAtOnce), "before any answer");
    await problem.waitFor();
    await address.fill(`${demo.sandbox.replace(/\/$/, "")}/samples/studio.jpg`);
    await dialog.locator("#v_header-found").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), "v_header", "without leaving the field");
  });

  for (const scheme of ["light", "dark"]) {
    it(`leaves every button free on a phone in ${scheme}`, async () => {
      const phone = await openPage(browser, { width: 390, height: 844, scheme });
      await signIn(phone, demo, "agent");
      await phone.goto(`${desk}/desk/active-message`);
      const onward = phone.locator("#compose-to-recipient");
      const isFree = (id) => phone.evaluate((id) => {
        const button = document.getElementById(id);
        const { x, y, width, height } = button.getBoundingClientRect();
        const top = document.elementFromPoint(x + width / 2, y + height - 2);
        return button.contains(top) && y + height <= innerHeight;
      }, id);
      await onward.waitFor();
      assert.ok(await isFree("compose-to-recipient"), "the rail covers no button");
      await picture(phone, `desk-5-page-${scheme}`);
      await phone.locator(".pick", { hasText: "order_ready" }).first().locator(".name").click();
      await focused("compose-to-recipient", phone);
      await phone.keyboard.press("Enter");
      await focused("to", phone);
      assert.ok(await isFree("compose-to-variables"));
      await phone.locator("#to").fill("+34 600 11 12 13");
      await phone.keyboard.press("Enter");
      await focused("compose-to-variables", phone);
      await phone.keyboard.press("Enter");
      await phone.locator("#compose-send").waitFor();
      assert.ok(await isFree("compose-send"));
      assert.deepEqual(await axe(phone), []);
      await phone.goto(`${desk}/desk/conversations`);
      await phone.locator("#rows .row", { hasText: CUSTOMER.name }).getByRole("link").first().click();
      const close = phone.getByRole("button", { name: "Close", exact: true });
      await close.waitFor();
      const { width, height } = await close.boundingBox();
      assert.equal((await close.innerText()).trim(), "Close");
      assert.ok(44 <= width && 44 <= height, `${width} × ${height}`);
      await picture(phone, `desk-6-close-${scheme}`);
      assert.deepEqual(await axe(phone), []);
      assert.deepEqual(phone.problems, []);
      await phone.context().close();
    });
  }

  it("kept to the content policy all the way", () => {
    assert.deepEqual(page.problems, []);
  });
});
