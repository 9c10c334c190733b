// The story of the walking desk: an agent sends, the customer answers, the agent serves, the cap holds, a day passes.
import { after, before, describe, it } from "node:test";
import assert from "node:assert/strict";
import { PATIENCE, axe, launchBrowser, openPage, picture, signIn, startDemo } from "./demo.mjs";

const CUSTOMER = { name: "Luis Cabrera", search: "luis cab", phone: "525512345678" };

/** Opens the dialog, picks the template and searches the customer: two steps, up to the list of people. */
async function compose(page) {
  await page.getByRole("link", { name: "Active message" }).first().click();
  const dialog = page.getByRole("dialog", { name: "Active message" });
  await dialog.getByLabel("Template", { exact: true }).fill("order_up");
  await until("one template is left", async () => (await dialog.locator("#templates li").count()) === 1);
  await dialog.getByRole("button", { name: "order_update" }).click();
  await dialog.getByText("order_update · English").waitFor();
  await dialog.locator("button[value=continue]").click();
  await dialog.getByLabel("To", { exact: true }).fill(CUSTOMER.search);
  await dialog.locator(`input[name=searched][value="${CUSTOMER.search}"]`).waitFor({ state: "attached" });
  await dialog.getByRole("button", { name: CUSTOMER.name }).first().waitFor();
  return dialog;
}

/** All three steps. */
async function send(page) {
  const dialog = await compose(page);
  await dialog.getByRole("button", { name: CUSTOMER.name }).first().click();
  await dialog.getByRole("list", { name: "Recipients" }).getByText(CUSTOMER.name, { exact: true }).waitFor();
  await dialog.locator("button[value=continue]").click();
  await dialog.getByLabel("name", { exact: true }).fill("Luis");
  await dialog.getByLabel("order", { exact: true }).fill("48213");
  await dialog.getByText("Hi Luis, your order 48213 is on its way.").first().waitFor();
  await dialog.locator("button[value=send]").click();
  // The name stands between marks that isolate its direction.
  await page.getByText(new RegExp(`Message sent to .?${CUSTOMER.name}`)).first().waitFor();
  await dialog.waitFor({ state: "hidden" });
}

/** Waits until `check` is true, asking again and again. */
async function until(what, check) {
  const deadline = Date.now() + PATIENCE;
  while (!(await check())) {
    assert.ok(Date.now() < deadline, `${what}: not within ${PATIENCE} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

for (const database of ["sqlite", "postgres"]) {
  describe(`the walking desk on ${database}`, () => {
    let demo, browser, page, desk;
    before(async () => {
      demo = await startDemo({ database, speed: 4 });
      browser = await launchBrowser();
      page = await openPage(browser);
      desk = demo.desk.replace(/\/$/, "");
    });
    after(async () => {
      await browser?.close();
      await demo?.stop();
    });
    const sentTo = async () => {
      const ledger = await demo.control("/ledger?channel=" + demo.channels[0].phone_number_id);
      return ledger.filter((line) => line.to === CUSTOMER.phone);
    };
    const row = () => page.getByRole("listitem").filter({ hasText: CUSTOMER.name }).first();

    it("lets the agent in, online", async () => {
      await signIn(page, demo, "agent");
      await page.locator("#list-title").waitFor();
      await picture(page, `${database}-1-desk`);
      assert.deepEqual(await axe(page), []);
    });

    it("sends in three steps and shows the message become read", async () => {
      await send(page);
      await picture(page, `${database}-2-sent`);
      await page.getByRole("link", { name: /^Sent/ }).click();
      await until("the row turns to read", async () => /Read/.test(await row().innerText()));
      assert.equal((await sentTo()).length, 1);
      await picture(page, `${database}-3-read`);
      assert.deepEqual(await axe(page), []);
    });

    it("moves the row to In progress when the customer answers", async () => {
      await demo.control(`/phones/${CUSTOMER.phone}/reply`, { text: "Where is it now?" });
      await until("the row leaves Sent", async () => (await row().count()) === 0);
      await page.getByRole("link", { name: /^In progress/ }).click();
      await row().getByRole("link").first().click();
      await page.getByText("Where is it now?").last().waitFor();
      await picture(page, `${database}-4-thread`);
      assert.deepEqual(await axe(page), []);
    });

    it("replies, and the customer has the reply", async () => {
      const box = page.getByRole("textbox", { name: /reply/i });
      await box.fill("It arrives tomorrow.");
      await box.press("Enter");
      await until("the phone shows the reply", async () => {
        const phone = await demo.control(`/phones/${CUSTOMER.phone}`);
        return JSON.stringify(phone).includes("It arrives tomorrow.");
      });
      await until("the reply is read", async () =>
        /Read/.test(await page.locator(".bubble, .b").last().innerText()));
      await picture(page, `${database}-5-reply`);
    });

    it("closes the ticket", async () => {
      await page.locator("[data-hotkey=e]").click();
      // To go on before the answer is there would take the press back.
      await Promise.all([
        page.waitForResponse((answer) => answer.request().method() === "POST" && answer.url().endsWith("/close")),
        page.getByRole("dialog").getByRole("button", { name: /Close/ }).last().click(),
      ]);
      await until("In progress is empty of it", async () => {
        await page.goto(`${desk}/desk/conversations`);
        return (await row().count()) === 0;
      });
    });

    it("stops the fourth send of the day, with the reason and the minute", async () => {
      await send(page);
      await send(page);
      await until("three templates and one reply went out", async () => (await sentTo()).length === 3 + 1);
      const dialog = await compose(page);
      const person = dialog.getByRole("button", { name: CUSTOMER.name }).first();
      await person.hover();
      await picture(page, `${database}-6-capped`);
      const why = dialog.getByRole("tooltip").first();
      await why.waitFor();
      assert.match(await why.innerText(), /23 h \d\d min/);
      assert.deepEqual(await axe(page), []);
      assert.equal(await person.getAttribute("aria-disabled"), "true");
      await person.click({ force: true });
      await page.locator("[role=alert], .toast").filter({ hasText: "Limit of 3" }).first().waitFor();
      assert.equal((await sentTo()).length, 4);
      await page.keyboard.press("Escape");
    });

    it("lets a day pass: the sends have expired and the fourth may go", async () => {
      await demo.control("/clock", { advance: "PT24H" });
      await page.goto(`${desk}/desk/sent`);
      await until("the row is expired", async () => /Expired/.test(await row().innerText()));
      await picture(page, `${database}-7-expired`);
      await send(page);
      await until("the fourth went out", async () => (await sentTo()).length === 5);
    });

    it("kept to the content policy all the way", () => {
      assert.deepEqual(page.problems, []);
    });
  });
}
