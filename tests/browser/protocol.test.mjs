// What WhatsApp knows beside texts, at the desk: quotes, reactions, read marks, typing, files, stops, another number,
// what a template and a number are told, and what waits says why.
import { after, before, describe, it } from "node:test";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PATIENCE, axe, launchBrowser, openPage, picture, signIn, startDemo } from "./demo.mjs";

const CUSTOMER = { name: "Luis Cabrera", phone: "525512345678" };

/** Waits until `check` is true, asking again and again. */
async function until(what, check) {
  const deadline = Date.now() + PATIENCE;
  while (!(await check())) {
    assert.ok(Date.now() < deadline, `${what}: not within ${PATIENCE} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe("what WhatsApp knows, at the desk", () => {
  let demo, browser, page, desk, number, folder;
  /** The message that says `text` itself, not in what it answers. */
  const bubble = (text) =>
    page.locator(".thread li", { has: page.locator(".bubble > p[dir]", { hasText: text }) }).last();
  const phone = () => demo.control(`/phones/${CUSTOMER.phone}`);
  const onPhone = async (text) => (await phone()).messages.findLast((message) => message.text === text);
  const reply = () => page.locator(".composer textarea");
  /** The open conversation as it looks at 390 px in the dark, and how it stands with axe. */
  const look = async (name, on = page) => {
    await picture(on, `protocol-${name}`);
    assert.deepEqual(await axe(on), [], name);
    await on.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
    await on.setViewportSize({ width: 390, height: 844 });
    await picture(on, `protocol-${name}-390-dark`);
    assert.deepEqual(await axe(on), [], `${name}, 390 px in the dark`);
    await on.setViewportSize({ width: 1440, height: 900 });
    await on.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  };

  before(async () => {
    demo = await startDemo();
    browser = await launchBrowser();
    page = await openPage(browser);
    desk = demo.desk.replace(/\/$/, "");
    number = demo.channels[0].phone_number_id;
    folder = mkdtempSync(join(tmpdir(), "janela-files-"));
    await signIn(page, demo, "agent");
    // An active message of the agent's own, so that the answer is theirs.
    await page.getByRole("link", { name: "Active message" }).first().click();
    const dialog = page.locator("dialog#compose");
    await dialog.locator("#template-q").fill("order_up");
    await dialog.getByRole("button", { name: "order_update" }).click();
    await dialog.getByText("order_update · English").waitFor();
    await dialog.locator("button[value=continue]").click();
    await dialog.locator("#to").fill(CUSTOMER.name);
    await dialog.locator("#to").press("Enter");
    await dialog.locator(".chip", { hasText: CUSTOMER.name }).waitFor();
    await dialog.locator("button[value=continue]").click();
    await dialog.getByLabel("name", { exact: true }).fill("Luis");
    await dialog.getByLabel("order", { exact: true }).fill("48213");
    await dialog.locator("#compose-send").click();
    await dialog.waitFor({ state: "hidden" });
    await until("the phone has it", async () => (await phone()).messages.some((it) => /48213/.test(it.text ?? "")));
    await demo.control(`/phones/${CUSTOMER.phone}/reply`, { text: "Where is it now?" });
    await page.getByRole("link", { name: /^In progress/ }).click();
    await page.locator("#rows .row", { hasText: CUSTOMER.name }).getByRole("link").first().click();
    await bubble("Where is it now?").waitFor();
  });
  after(async () => {
    await browser?.close();
    await demo?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it("tells the customer that it was read, and that somebody types", async () => {
    await until("read", async () => (await onPhone("Where is it now?")).status === "read");
    await reply().pressSequentially("It ");
    await until("typing", async () => (await phone()).typing.length > 0);
  });

  it("answers one message, and the customer sees which", async () => {
    await bubble("Where is it now?").locator(".answering a").click();
    await page.locator(".answers", { hasText: "Where is it now?" }).waitFor();
    await reply().fill("It arrives tomorrow.");
    await reply().press("Enter");
    await until("the answer", async () => (await onPhone("It arrives tomorrow."))?.context !== undefined);
    const asked = await onPhone("Where is it now?");
    assert.equal((await onPhone("It arrives tomorrow.")).context, asked.id);
    await bubble("It arrives tomorrow.").locator(".quote", { hasText: "Where is it now?" }).waitFor();
  });

  it("shows which message the customer answers, and what they put on one", async () => {
    const ours = await onPhone("It arrives tomorrow.");
    await demo.control(`/phones/${CUSTOMER.phone}/reply`, { text: "Perfect", context: ours.id });
    await bubble("Perfect").locator(".quote", { hasText: "It arrives tomorrow." }).waitFor();
    await demo.control(`/phones/${CUSTOMER.phone}/react`, { message: ours.id, emoji: "❤️" });
    await bubble("It arrives tomorrow.").locator(".reactions", { hasText: "❤️" }).waitFor();
  });

  it("puts a reaction on a message, which the customer sees", async () => {
    await bubble("Perfect").locator(".answering button").first().click();
    await bubble("Perfect").getByRole("button", { name: "Thumbs up" }).click();
    await bubble("Perfect").locator(".reactions.ours, .reactions .ours").first().waitFor();
    await until("the reaction", async () => JSON.stringify(await onPhone("Perfect")).includes("👍"));
    await look("thread");
  });

  it("sends a file from the dialog, and says what is wrong with one at its place", async () => {
    const dialog = page.locator("dialog#attach");
    await page.locator(".composer a.attach").click();
    await dialog.locator("#attach-form").waitFor();
    const send = () => dialog.getByRole("button", { name: "Send" }).click();
    await dialog.locator("#caption").fill("Your quote");
    await send();
    await dialog.locator("#file-problem").waitFor();
    const wrong = join(folder, "tool.exe");
    writeFileSync(wrong, "MZ\x90\x00 no document");
    const empty = join(folder, "empty.pdf");
    writeFileSync(empty, "");
    for (const [file, words] of [[empty, /empty/i], [wrong, /./]]) {
      await dialog.locator("#file").setInputFiles(file);
      await send();
      await until(`${file} is refused`, async () => words.test(await dialog.locator("#file-problem").innerText()));
      assert.equal(await dialog.locator("#caption").inputValue(), "Your quote", "what was typed stays");
    }
    await look("attach-refused");
    const quote = join(folder, "quote-48213.txt");
    writeFileSync(quote, "Two bowls, 48 EUR.\n");
    await dialog.locator("#file").setInputFiles(quote);
    await send();
    await dialog.waitFor({ state: "hidden" });
    await bubble("Your quote").waitFor();
    await until("the phone has the file", async () => JSON.stringify(await phone()).includes("quote-48213.txt"));
  });

  it("answers a message with a file, and answers none after it", async () => {
    const dialog = page.locator("dialog#attach");
    await bubble("Perfect").locator(".answering a").click();
    await page.locator(".composer .answers", { hasText: "Perfect" }).waitFor();
    await reply().fill("not sent yet");
    await page.locator(".composer a.attach").click();
    await dialog.locator(".answers", { hasText: "Perfect" }).waitFor();
    const list = join(folder, "bowls.txt");
    writeFileSync(list, "Blue, green.\n");
    await dialog.locator("#file").setInputFiles(list);
    await dialog.locator("#caption").fill("The colours");
    await look("attach-answer");
    await dialog.getByRole("button", { name: "Send" }).press("Enter");
    await dialog.waitFor({ state: "hidden" });
    await bubble("The colours").locator(".quote", { hasText: "Perfect" }).waitFor();
    await page.locator(".composer .answers").waitFor({ state: "detached" });
    assert.equal(await reply().inputValue(), "not sent yet", "what was typed stays");
    await reply().fill("");
  });

  it("sends what stands behind an address, and says when nothing does", async () => {
    const dialog = page.locator("dialog#attach");
    await page.locator(".composer a.attach").click();
    await dialog.locator("#link").fill(`${demo.sandbox.replace(/\/$/, "")}/media/nothing-here.png`);
    await dialog.locator("#caption").fill("From the web");
    await dialog.getByRole("button", { name: "Send" }).click();
    await dialog.locator("#link-problem").waitFor();
    assert.equal(await dialog.locator("#caption").inputValue(), "From the web");
    assert.match(await dialog.locator("#link").inputValue(), /nothing-here/);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
  });

  it("enters what the customer wishes, by keyboard and without script", async () => {
    const dialog = page.locator("dialog#wish-dialog");
    await page.getByRole("link", { name: "Enter what they wish" }).focus();
    await page.keyboard.press("Enter");
    await dialog.locator("#wish-form").waitFor();
    await look("wish");
    await dialog.getByRole("button", { name: "Save" }).press("Enter");
    await dialog.locator("#wish-problem").waitFor();
    await dialog.getByLabel("No offers").check();
    await dialog.getByLabel("How do you know?").fill("told me on the phone");
    await dialog.getByRole("button", { name: "Save" }).press("Enter");
    await dialog.waitFor({ state: "hidden" });
    await page.locator(".facts-pane", { hasText: "No offers, entered by" }).waitFor();
    await page.locator(".gate", { hasText: "No marketing" }).waitFor();
    await look("wish-entered");

    const plain = await openPage(browser, { script: false });
    await signIn(plain, demo, "agent");
    await plain.goto(page.url().replace(/\?.*/, "?pane=facts"));
    await plain.getByRole("link", { name: "Enter what they wish" }).click();
    await plain.getByLabel("Active messages again").check();
    await plain.getByRole("button", { name: "Save" }).click();
    await plain.locator("#reason-problem").waitFor();
    assert.ok(await plain.getByLabel("Active messages again").isChecked(), "what was chosen stays");
    await picture(plain, "protocol-wish-corrected");
    await plain.getByLabel("How do you know?").fill("asked again in the shop");
    await plain.getByRole("button", { name: "Save" }).click();
    await plain.waitForURL(/pane=facts/);
    await plain.locator(".facts-pane", { hasText: "Active messages again, entered by" }).waitFor();
    await plain.context().close();
    await page.locator(".facts-pane", { hasText: "asked again in the shop" }).waitFor();
  });

  it("obeys a stop word, and a start", async () => {
    // The platform tells whole seconds: what is written in the second of another word is not later than it.
    await demo.control("/clock", { advance: "PT2S" });
    await demo.control(`/phones/${CUSTOMER.phone}/reply`, { text: "STOP" });
    await page.locator(".facts-pane", { hasText: "said stop" }).waitFor();
    await demo.control("/clock", { advance: "PT2S" });
    await demo.control(`/phones/${CUSTOMER.phone}/reply`, { text: "START" });
    await until("the stop is lifted", async () => !/said stop/.test(await page.locator(".facts-pane").innerText()));
  });

  it("tells that the customer has another device", async () => {
    const at = Math.floor(Date.now() / 1000);
    const system = {
      from: CUSTOMER.phone, id: "wamid.identity", timestamp: String(at), type: "system",
      system: {
        body: "The identity of this contact changed", type: "customer_identity_changed",
        identity: { acknowledged: "false", created_timestamp: at, hash: "aWRlbnRpdHk=" },
      },
    };
    const metadata = { display_phone_number: "551140001000", phone_number_id: number };
    const value = { messaging_product: "whatsapp", metadata, messages: [system] };
    await demo.control("/changes", { subject: number, field: "messages", value });
    await page.locator(".facts-pane", { hasText: "Another device: make sure who it is" }).waitFor();
  });

  it("tells in the portal and in the dialog that a template is paused, and put away", async () => {
    const admin = await openPage(browser);
    await signIn(admin, demo, "admin");
    const told = async () => {
      await admin.goto(`${desk}/portal/general-settings`);
      return (await admin.locator(".numbers").allTextContents()).join(" ");
    };
    for (const [status, event, words] of [["PAUSED", /PAUSED/, "paused"], ["ARCHIVED", /ARCHIVED/, "archived"]]) {
      await demo.control("/templates/order_update/status", { status });
      await until(`the history tells ${status}`, async () => event.test(await told()));
      await page.goto(`${desk}/desk/active-message`);
      await page.locator("#template-q").fill("order_up");
      await until(`the dialog says ${words}`, async () =>
        (await page.locator("#templates li", { hasText: words }).count()) > 0);
    }
    await admin.locator(".number-history summary").first().click();
    await look("portal-template", admin);
    await demo.control("/templates/order_update/status", { status: "APPROVED" });
    await admin.context().close();
  });

  it("says in the thread why a message waits, and in the portal what to do", async () => {
    await page.goto(`${desk}/desk/conversations`);
    await page.locator("#rows .row", { hasText: CUSTOMER.name }).getByRole("link").first().click();
    await demo.control("/refusals", { subject: number, code: 131037 });
    await reply().fill("One more thing.");
    await reply().press("Enter");
    await bubble("One more thing.").locator(".waits", { hasText: "Next try" }).waitFor();
    await look("waits");
    const admin = await openPage(browser);
    await signIn(admin, demo, "admin");
    await admin.goto(`${desk}/portal/general-settings`);
    const banner = admin.locator(".banner.warn");
    await banner.waitFor();
    await look("portal-paused", admin);
    await demo.control("/refusals", { subject: number });
    await banner.getByRole("button").click();
    await banner.waitFor({ state: "detached" });
    await until("it went out", async () => (await onPhone("One more thing.")) !== undefined);
    await admin.context().close();
  });

  it("kept to the content policy all the way", () => {
    assert.deepEqual(page.problems, []);
  });
});
