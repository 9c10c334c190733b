// The dialog Active message where script does the work: the focus, what was left unfinished, what failed, and presence.
import { after, before, describe, it } from "node:test";
import assert from "node:assert/strict";
import { axe, launchBrowser, openPage, picture, signIn, startDemo } from "./demo.mjs";

const VALUES = ["", "Luis", "48213", "Vila Madalena"];

describe("the dialog Active message", () => {
  let demo, browser, page, dialog;
  const focused = () => page.evaluate(() => document.activeElement?.id ?? "");
  const values = () => dialog.locator("input[data-variable]").evaluateAll((all) => all.map((input) => input.value));
  const open = () => page.getByRole("link", { name: "Active message" }).first().click();
  const toasts = () => page.locator(".toast p").allInnerTexts();

  before(async () => {
    demo = await startDemo();
    browser = await launchBrowser();
    page = await openPage(browser);
    dialog = page.locator("dialog#compose");
    await signIn(page, demo, "agent");
    await page.locator("#list-title").waitFor();
  });
  after(async () => {
    await browser?.close();
    await demo?.stop();
  });

  it("says at its row why a template is grey", async () => {
    await open();
    const row = dialog.locator('.pick:has([aria-disabled="true"])').first();
    await row.locator(".name").focus();
    const why = row.getByRole("tooltip");
    await why.waitFor();
    const [around, told] = [await dialog.boundingBox(), await why.boundingBox()];
    assert.ok(around.x <= told.x && told.x + told.width <= around.x + around.width, "beside the dialog");
    await picture(page, "compose-1-grey");
  });

  it("says what a number lacks while it is typed, and takes it back", async () => {
    await dialog.locator(".pick", { hasText: "order_ready" }).first().locator(".name").click();
    await dialog.locator(".compose-side .title").waitFor();
    await dialog.locator("#compose-to-recipient").click();
    const to = dialog.locator("#to");
    await to.fill("+3460");
    await dialog.getByText("Go on typing").waitFor();
    assert.equal(await dialog.locator("#to-problem").count(), 0);
    await to.fill("+999 60");
    await dialog.locator("#to-problem").filter({ hasText: "+999" }).waitFor();
    await to.fill("luis cab");
    await dialog.locator("#to-problem").waitFor({ state: "detached" });
    assert.equal(await focused(), "to");
  });

  it("reaches step 3 at the first variable, never at Send", async () => {
    await dialog.getByRole("button", { name: "Luis Cabrera" }).click();
    await dialog.getByRole("list", { name: "Recipients" }).waitFor();
    await dialog.locator("#compose-to-variables").focus();
    await page.keyboard.press("Enter");
    await dialog.locator("#compose-send").waitFor();
    await page.waitForFunction(() => document.activeElement?.id === "v_header");
  });

  it("takes each problem away as it is mended", async () => {
    await dialog.locator("#compose-send").click();
    const summary = dialog.locator(".error-summary li");
    await summary.nth(3).waitFor();
    const inputs = dialog.locator("input[data-variable]");
    for (const [index, value] of VALUES.entries()) {
      if (value === "") continue;
      await inputs.nth(index).pressSequentially(value);
      await summary.nth(4 - index).waitFor({ state: "detached" });
      assert.equal(await inputs.nth(index).inputValue(), value, "the answer changes nothing that is typed");
    }
    assert.equal(await summary.count(), 1);
    assert.deepEqual(await axe(page), []);
  });

  it("keeps what was left unfinished", async () => {
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    await open();
    await dialog.getByText("You left this message unfinished.").waitFor();
    assert.deepEqual(await values(), VALUES);
    await picture(page, "compose-2-resumed");
  });

  it("loses nothing when a request fails, and covers no button", async () => {
    const path = "**/desk/active-message";
    await page.route(path, (route) => route.abort());
    await dialog.locator("#compose-send").click();
    await page.getByText("Janela cannot be reached.").waitFor();
    await page.unroute(path);
    await page.route(path, (route) => route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad gateway</h1>" }));
    for (let press = 0; press < 3; press++) await dialog.locator("#compose-send").press("Enter");
    await page.getByText("Something went wrong on the way.").waitFor();
    await page.unroute(path);
    assert.equal((await toasts()).length, 1, "equal ones are one, and the latest of a form stands for it");
    assert.deepEqual(await values(), VALUES);
    const [foot, above] = [await dialog.locator(".compose-foot").boundingBox(), await page.locator("#toasts").boundingBox()];
    assert.ok(above.y + above.height <= foot.y, "the toasts stand above the foot");
    await picture(page, "compose-3-failed");
  });

  it("shows presence as it changes elsewhere, and mends it in place", async () => {
    const dot = page.locator("#me-button");
    await page.evaluate(() => {
      const token = document.querySelector("[name=form_token]").value;
      const body = new URLSearchParams({ form_token: token, next: "/desk", presence: "invisible" });
      return fetch("/desk/presence", { method: "POST", body });
    });
    await dialog.getByText("You are invisible. Go online to send").waitFor();
    await page.waitForFunction(() => document.getElementById("me-button").dataset.presence === "invisible");
    assert.deepEqual(await axe(page), []);
    await dialog.getByRole("button", { name: "Go online" }).click();
    await dialog.getByText("You are invisible.").waitFor({ state: "detached" });
    await page.waitForFunction(() => document.getElementById("me-button").dataset.presence === "online");
    assert.equal(await dot.count(), 1);
    assert.deepEqual(await values(), VALUES);
  });

  it("sends the picture it shows", async () => {
    await dialog.locator("#v_header").fill(`${demo.sandbox.replace(/\/$/, "")}/samples/studio.jpg`);
    await page.keyboard.press("Tab");
    await dialog.locator("#v_header-found").waitFor();
    await dialog.locator("#compose-side img").waitFor();
    await picture(page, "compose-4-picture");
    await dialog.locator("#compose-send").click();
    await page.getByText(/Message sent to .?Luis Cabrera/).first().waitFor();
    await open();
    await dialog.locator("#templates").waitFor();
    assert.equal(await dialog.getByText("You left this message unfinished.").count(), 0, "a sent one is done");
  });

  it("kept to the content policy all the way", () => {
    assert.deepEqual(page.problems, []);
  });
});
