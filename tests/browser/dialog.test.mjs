// The dialog Active message while something happens beside it: errors that follow each other, a double click on Send, and a
// recipient whose standing changes. And the page it is without script, where Back leads back.
import { after, before, describe, it } from "node:test";
import assert from "node:assert/strict";
import { axe, launchBrowser, openPage, picture, signIn, startDemo } from "./demo.mjs";

const COMPOSE = "**/desk/active-message";
const CUSTOMER = { name: "Luis Cabrera", phone: "525512345678" };

describe("the dialog Active message, and what happens beside it", () => {
  let demo, browser, desk;
  const dialogOf = (page) => page.locator("dialog#compose");
  const errors = (page) => page.locator('.toast[data-kind="error"] p').allInnerTexts();

  async function signedIn(options) {
    const page = await openPage(browser, options);
    await signIn(page, demo, "agent");
    await page.goto(`${desk}/desk/sent`);
    await page.locator("#list-title").waitFor({ state: "attached" });
    return page;
  }

  /** Leads to the step of the variables, with order_update for `who`. */
  async function toVariables(page, who) {
    const dialog = dialogOf(page);
    await page.getByRole("link", { name: "Active message" }).first().click();
    await dialog.locator("#template-q").fill("order_up");
    await dialog.getByRole("button", { name: "order_update" }).click();
    await page.waitForFunction(() => document.activeElement?.id === "compose-to-recipient");
    await page.keyboard.press("Enter");
    await dialog.locator("#to").fill(who);
    await dialog.locator(`input[name=searched][value="${who}"]`).waitFor({ state: "attached" });
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement?.id === "compose-to-variables");
    await page.keyboard.press("Enter");
    await dialog.getByLabel("name", { exact: true }).fill("Luis");
  }

  before(async () => {
    demo = await startDemo();
    browser = await launchBrowser();
    desk = demo.desk.replace(/\/$/, "");
  });
  after(async () => {
    await browser?.close();
    await demo?.stop();
  });

  for (const { width, height, scheme } of [{ width: 1440, height: 900, scheme: "light" }, { width: 390, height: 844, scheme: "dark" }]) {
    it(`says one error of a form at a time, and one of each other form, at ${width} px`, async () => {
      const page = await signedIn({ width, height, scheme });
      const dialog = dialogOf(page);
      await page.getByRole("link", { name: "Active message" }).first().click();
      await dialog.locator('.pick .name[aria-disabled="true"]').first().click({ force: true });
      await page.locator(".toast", { hasText: "Choose another one" }).waitFor();
      await dialog.locator("#compose-to-recipient").click();
      await page.locator(".toast", { hasText: "Choose a template" }).waitFor();
      assert.equal((await errors(page)).length, 1);
      await page.route(COMPOSE, (route) => route.abort());
      await dialog.locator("#compose-to-recipient").press("Enter");
      await page.locator(".toast", { hasText: "Janela cannot be reached." }).waitFor();
      assert.equal((await errors(page)).length, 1);
      await page.evaluate(() => {
        const detail = { kind: "error", text: "Of another form" };
        document.querySelector(".list-pane form").dispatchEvent(new CustomEvent("janela:toast", { bubbles: true, detail }));
      });
      assert.equal((await errors(page)).length, 2);
      await picture(page, `dialog-1-errors-${width}`);
      assert.deepEqual(await axe(page), []);
      await page.unroute(COMPOSE);
      await dialog.locator("#compose-to-recipient").press("Enter");
      await page.locator(".toast", { hasText: "Choose a template" }).waitFor();
      await dialog.getByRole("button", { name: "order_update" }).first().click();
      await page.locator(".toast", { hasText: "Choose a template" }).waitFor({ state: "detached" });
      assert.deepEqual(await errors(page), ["Of another form"]);
      assert.deepEqual(page.problems, []);
      await page.context().close();
    });
  }

  for (const { width, height } of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
    it(`is clean in the dark at every step, at ${width} px`, async () => {
      const page = await signedIn({ width, height, scheme: "dark" });
      const dialog = dialogOf(page);
      const clean = async (step) => {
        await picture(page, `dialog-5-dark-${step}-${width}`);
        assert.deepEqual(await axe(page), [], `step ${step}`);
      };
      await page.getByRole("link", { name: "Active message" }).first().click();
      await dialog.locator("#template-q").fill("order_up");
      await dialog.getByRole("button", { name: "order_update" }).click();
      await dialog.locator(".compose-side .title").waitFor({ state: "attached" });
      await clean(1);
      await dialog.locator("#compose-to-recipient").click();
      const to = dialog.locator("#to");
      await to.fill("lu");
      await dialog.locator(".pick", { hasText: "Luiza" }).first().waitFor();
      await clean(2);
      await to.fill("+999 60");
      await dialog.locator("#to-problem").filter({ hasText: "+999" }).waitFor();
      await clean("2-problem");
      await to.fill("+34 600 11 12 14");
      await dialog.locator('input[name=searched][value="+34 600 11 12 14"]').waitFor({ state: "attached" });
      await page.keyboard.press("Enter");
      await dialog.locator("#compose-to-variables").click();
      await dialog.locator("#compose-send").waitFor();
      await clean(3);
      await dialog.locator("#compose-send").click();
      await dialog.locator(".error-summary li").first().waitFor();
      await clean("3-problem");
      assert.deepEqual(page.problems, []);
      await page.context().close();
    });
  }

  it("lets a double click on Send press nothing beneath the dialog, and every other click count", async () => {
    const page = await signedIn({ width: 390, height: 844 });
    const dialog = dialogOf(page);
    await toVariables(page, "+34 600 11 12 13");
    await dialog.getByLabel("order", { exact: true }).fill("48213");
    const answer = { "hx-trigger": '{"janela:close-dialog":{}}', "hx-reswap": "none" };
    await page.route(COMPOSE, (route) => route.fulfill({ status: 200, headers: answer, body: "" }));
    await page.evaluate(() => {
      window.reached = [];
      document.addEventListener("click", (event) => window.reached.push(event.detail));
    });
    const { x, y, width, height } = await dialog.locator("#compose-send").boundingBox();
    const at = [x + width / 2, y + height / 2];
    await page.mouse.click(...at);
    await dialog.waitFor({ state: "hidden" });
    await page.mouse.move(at[0] + 2, at[1]);
    await page.mouse.down({ clickCount: 2 });
    await page.mouse.up({ clickCount: 2 });
    assert.deepEqual(await page.evaluate(() => window.reached), [1], "only the first of the two");
    assert.ok(page.url().endsWith("/desk/sent"));
    await page.mouse.click(...at);
    assert.equal((await page.evaluate(() => window.reached)).length, 2, "once");
    await page.unroute(COMPOSE);
    await page.goto(`${desk}/desk/sent`);

    await toVariables(page, "+34 600 11 12 13");
    await dialog.getByLabel("order", { exact: true }).fill("48213");
    await page.route(COMPOSE, (route) => route.fulfill({ status: 200, headers: answer, body: "" }));
    await page.mouse.click(...at);
    await dialog.waitFor({ state: "hidden" });
    await page.getByRole("link", { name: /^Waiting/ }).click();
    await page.waitForURL(/\/desk\/waiting/);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("keeps whether someone may be written to true, in one request, and what is typed as it is", async () => {
    const page = await signedIn();
    const dialog = dialogOf(page);
    await toVariables(page, CUSTOMER.name);
    const status = dialog.locator("#compose-status");
    await status.filter({ hasText: "may be written to now" }).waitFor();
    const order = dialog.getByLabel("order", { exact: true });
    await order.pressSequentially("4821");
    let requests = 0;
    page.on("request", (request) => (requests += Number(request.method() === "POST" && request.url().endsWith("/desk/active-message"))));
    await page.evaluate(() => {
      for (let event = 0; event < 20; event++) document.body.dispatchEvent(new CustomEvent("janela:gate", { detail: {} }));
      document.body.dispatchEvent(new CustomEvent("janela:message", { detail: { id: 1, conversation: "1-99999" } }));
    });
    await page.waitForResponse(COMPOSE);
    await page.evaluate(() => new Promise((settled) => setTimeout(settled, 700)));
    assert.equal(requests, 1, "one for all of them");
    await demo.control(`/phones/${CUSTOMER.phone}/reply`, { text: "Is it ready?" });
    await status.filter({ hasText: "may not be written to" }).waitFor();
    assert.equal(await status.getAttribute("role"), "status", "said politely");
    assert.equal(await order.inputValue(), "4821");
    assert.equal(await order.evaluate((field) => field === document.activeElement), true);
    await order.pressSequentially("3");
    await picture(page, "dialog-2-standing");
    assert.deepEqual(await axe(page), []);
    await dialog.locator("#compose-back-to-recipient").click();
    await dialog.locator("#to").fill(CUSTOMER.name.slice(0, 6));
    await dialog.locator(".pick", { hasText: CUSTOMER.name }).locator(".why").waitFor();
    await page.evaluate(() => document.body.dispatchEvent(new CustomEvent("janela:gate", { detail: {} })));
    await page.waitForResponse(COMPOSE);
    assert.equal(await dialog.locator("#to").inputValue(), CUSTOMER.name.slice(0, 6));
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  for (const { width, height, scheme } of [{ width: 1440, height: 900, scheme: "dark" }, { width: 390, height: 844, scheme: "light" }]) {
    it(`goes back and forth without script, and sends once, at ${width} px`, async () => {
      const page = await openPage(browser, { width, height, scheme, script: false });
      await signIn(page, demo, "agent");
      const form = page.locator("#compose-form");
      const who = `+34 600 11 12 ${width % 90 + 10}`;
      await page.goto(`${desk}/desk/active-message`);
      await form.getByRole("button", { name: "order_update" }).first().click();
      await form.locator("#compose-to-recipient").click();
      await form.locator("#to").fill(who);
      await form.locator("#compose-to-variables").click();
      await form.locator("#compose-send").click();
      await form.locator(".error-summary").waitFor();
      assert.ok(page.url().includes("?draft=") && !page.url().includes("600"), "an address that names nobody");
      await picture(page, `dialog-3-without-script-${width}`);
      await form.getByLabel("name", { exact: true }).fill("Luis");
      await form.getByLabel("order", { exact: true }).fill("48213");
      await form.locator("#compose-send").click();
      await page.waitForURL(/\/desk\/sent$/);
      const said = page.locator(".toast", { hasText: "Message sent to" });
      await said.waitFor();
      await picture(page, `dialog-4-sent-${width}`);
      await page.reload();
      assert.equal(await said.count(), 0, "said once");
      await page.goBack();
      await form.locator(".error-summary").waitFor();
      await page.goBack();
      await form.locator("#compose-send").waitFor();
      await page.goBack();
      await form.locator("#to").waitFor();
      await page.goBack();
      await form.locator("#template-q").waitFor();
      for (let step = 0; step < 2; step++) await page.goForward();
      await form.locator("#compose-send").waitFor();
      await form.getByLabel("name", { exact: true }).fill("Luis");
      await form.getByLabel("order", { exact: true }).fill("48213");
      await form.locator("#compose-send").click();
      await page.waitForURL(/\/desk\/sent$/);
      await said.waitFor();
      await page.locator("#rows .row").first().getByRole("link").first().click();
      assert.equal(await page.locator(".bubble.template").count(), 1, "the same press is one message");
      assert.deepEqual(page.problems, []);
      await page.context().close();
    });
  }
});
