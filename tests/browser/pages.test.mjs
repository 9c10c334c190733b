// Every page in both themes and at both widths: axe finds nothing, nothing overflows; other languages fit a phone.
import { after, before, describe, it } from "node:test";
import assert from "node:assert/strict";
import { axe, launchBrowser, openPage, picture, signIn, startDemo } from "./demo.mjs";

const PAGES = {
  agent: ["/desk/conversations", "/desk/waiting", "/desk/sent", "/desk/active-message", "conversation", "/no-such-page"],
  admin: ["general settings", "settings without a cap", "/portal/growth/active-messages", "no such filter", "send", "/portal/jobs"],
  manager: ["general settings"],
};

/** Whether the page can be scrolled sideways. */
const overflows = (page) =>
  page.evaluate(() => document.scrollingElement.scrollWidth > document.scrollingElement.clientWidth);

/** Chooses a language in the page's menu, as a person does, and waits for the page in it. */
const chooseLanguage = async (page, language) => {
  const choice = page.locator(`button[name=language][value="${language}"]`).first();
  await Promise.all([
    page.waitForEvent("load"),
    choice.evaluate((button) => button.form.requestSubmit(button)),
  ]);
};

describe("every page", () => {
  let demo, browser, desk;
  before(async () => {
    demo = await startDemo({ speed: 100 });
    browser = await launchBrowser();
    desk = demo.desk.replace(/\/$/, "");
  });
  after(async () => {
    await browser?.close();
    await demo?.stop();
  });

  /** Goes to a page of the list; those named in words are found by a link. */
  async function open(page, name) {
    const first = async (from, link) => {
      await page.goto(desk + from);
      await page.goto(await page.locator(link).first().evaluate((anchor) => anchor.href));
    };
    if (name === "conversation") await first("/desk/conversations", "a[href^='/desk/conversations/']");
    else if (name === "general settings") await page.goto(`${desk}/portal`);
    else if (name === "settings without a cap") {
      await page.goto(`${desk}/portal`);
      await page.goto(await page.locator("main nav.tabs a:not([aria-current])").first().evaluate((anchor) => anchor.href));
      assert.equal(await page.locator("#cap").isChecked(), false);
    } else if (name === "no such filter") {
      await page.goto(`${desk}/portal/growth/active-messages?state=lost&from=2026-11-22&to=2026-11-21`);
      await page.locator("#state-problem").waitFor();
    } else if (name === "send") {
      await first("/portal/growth/active-messages", "main a[href^='/portal/growth/active-messages/']");
    } else await page.goto(desk + name);
  }

  for (const scheme of ["light", "dark"]) {
    for (const width of [1440, 390]) {
      it(`is clean in ${scheme} at ${width} px`, async () => {
        const anonymous = await openPage(browser, { width, scheme });
        await anonymous.goto(`${desk}/account/sign-in`);
        assert.deepEqual(await axe(anonymous), [], "sign-in");
        for (const [role, names] of Object.entries(PAGES)) {
          const page = await openPage(browser, { width, scheme });
          await signIn(page, demo, role);
          for (const name of names) {
            await open(page, name);
            await picture(page, `page-${role}-${name.replace(/\W+/g, "-")}-${scheme}-${width}`);
            assert.deepEqual(await axe(page), [], name);
            assert.equal(await overflows(page), false, `${name} overflows`);
          }
          assert.deepEqual(page.problems, []);
          await page.context().close();
        }
        await anonymous.context().close();
      });
    }
  }

  for (const language of ["pt-BR", "es"]) {
    it(`fits a phone in ${language}`, async () => {
      for (const [role, names] of Object.entries(PAGES)) {
        const page = await openPage(browser, { width: 390, height: 844 });
        await signIn(page, demo, role);
        await chooseLanguage(page, language);
        for (const name of names) {
          await open(page, name);
          assert.equal(await page.locator("html").getAttribute("lang"), language);
          await picture(page, `page-${role}-${name.replace(/\W+/g, "-")}-${language}`);
          assert.equal(await overflows(page), false, `${name} overflows in ${language}`);
        }
        // It is kept with the user, whom the tests after this one find in English.
        await page.goto(desk);
        await chooseLanguage(page, "en");
        await page.context().close();
      }
    });
  }

  it("speaks the browser's language to whoever has chosen none, before and after the sign-in", async () => {
    const page = await openPage(browser, { locale: "pt-BR" });
    await page.goto(`${desk}/account/sign-in`);
    assert.equal(await page.locator("html").getAttribute("lang"), "pt-BR");
    const ines = demo.users.find((user) => user.email.startsWith("ines@"));
    await page.locator("input[name=email]").fill(ines.email);
    await page.locator("input[name=password]").fill(ines.password);
    await Promise.all([
      page.waitForURL((url) => !url.pathname.startsWith("/account")),
      page.locator("main form button").first().click(),
    ]);
    assert.equal(await page.locator("html").getAttribute("lang"), "pt-BR");
    await page.context().close();
  });

  for (const script of [true, false]) {
    it(`opens a thread at its latest message ${script ? "with" : "without"} script`, async () => {
      const page = await openPage(browser, { height: 500, script });
      await signIn(page, demo, "agent");
      const rows = page.locator("#rows .title > a");
      await page.goto(desk + await rows.first().getAttribute("href"));
      const thread = page.locator("#thread");
      const below = async () => {
        const [pane, latest] = [await thread.boundingBox(), await thread.locator("li[id]").last().boundingBox()];
        return pane.y + pane.height - (latest.y + latest.height);
      };
      const first = await thread.locator("li").first().boundingBox();
      assert.ok(first.y < (await thread.boundingBox()).y, "the thread is longer than its pane");
      assert.ok(await below() >= 0 && await below() < 40, "the latest message is in view");
      if (script) {
        const earlier = thread.locator("li[id]").nth(-3);
        await thread.evaluate((scrolled) => { scrolled.scrollTop = -200; });
        const before = (await earlier.boundingBox()).y;
        const id = await earlier.getAttribute("id");
        const reply = page.locator("textarea[name=text]");
        await reply.fill("One more thing");
        await reply.press("Enter");
        await thread.getByText("One more thing").waitFor({ state: "attached" });
        const moved = (await thread.locator(`[id="${id}"]`).boundingBox()).y - before;
        assert.ok(Math.abs(moved) < 2, `whoever reads further up is not moved: ${moved}`);
        const shown = await thread.getAttribute("data-stick-to-end");
        await rows.nth(1).click();
        await page.waitForFunction((id) => document.querySelector("#thread").dataset.stickToEnd !== id, shown);
        await page.waitForFunction(() => document.querySelector("#thread").scrollTop === 0);
      }
      assert.deepEqual(page.problems, []);
      await page.context().close();
    });
  }

  it("keeps a send of Growth short on a phone", async () => {
    const page = await openPage(browser, { width: 390, height: 844 });
    await signIn(page, demo, "admin");
    await page.goto(`${desk}/portal/growth/active-messages`);
    const heights = await page.locator("#results tbody tr").evaluateAll((rows) =>
      rows.filter((row) => !row.querySelector(".state small")).map((row) => row.getBoundingClientRect().height));
    assert.ok(0 < heights.length && Math.max(...heights) < 140, `${heights}`);
    await page.context().close();
  });

  it("keeps an instant, a name and a number of Growth in one line each, and the way back as it was", async () => {
    /** Which of them take more than one line. */
    const wrapped = (found) => found.evaluateAll((all) => all.filter((one) => {
      const words = document.createRange();
      words.selectNodeContents(one);
      return words.getBoundingClientRect().height > 2 * parseFloat(getComputedStyle(one).fontSize);
    }).map((one) => one.innerText));
    const page = await openPage(browser);
    await signIn(page, demo, "admin");
    const list = `${desk}/portal/growth/active-messages?state=failed`;
    await page.goto(list);
    for (const cell of [".when", ".agent", ".to .phone-number"]) {
      const found = page.locator(`#results tbody ${cell}`);
      assert.ok(0 < await found.count(), cell);
      assert.deepEqual(await wrapped(found), [], cell);
    }
    await picture(page, "growth-failed-1440");
    await page.locator("#results tbody .to a").first().click();
    await page.setViewportSize({ width: 390, height: 844 });
    const number = page.locator(".page-head .phone-number");
    assert.equal(await number.count(), 1);
    assert.deepEqual(await wrapped(number), []);
    await picture(page, "growth-send-390");
    await page.getByRole("link", { name: "All active messages" }).click();
    await page.waitForURL(list);
    await page.context().close();
  });

  it("SW-02: pressing a session's clock says how long is left, and counts on", async () => {
    const page = await openPage(browser);
    await signIn(page, demo, "agent");
    await page.goto(`${desk}/desk/conversations`);
    await page.locator("button.clock:not([data-state=over])").first().click();
    const left = page.locator(".popover:popover-open [data-clock-left]");
    const before = await left.innerText();
    assert.match(before, /^\d+ h \d\d min$/);
    await demo.control("/clock", { advance: "PT2M" });
    await page.waitForFunction((text) => document.querySelector(".popover:popover-open [data-clock-left]")?.innerText !== text, before);
    assert.match(await left.innerText(), /^\d+ h \d\d min$/);
    await page.context().close();
  });

  it("keeps what is typed into a filter while the list follows, and says what is wrong with it", async () => {
    const page = await openPage(browser);
    await signIn(page, demo, "manager");
    await page.goto(`${desk}/portal/growth/active-messages`);
    const contact = page.getByLabel("Contact: name or number");
    await contact.pressSequentially("luiza prado", { delay: 120 });
    await page.waitForURL(/search=/);
    await page.waitForFunction(() => document.querySelectorAll("#results tbody tr").length > 0
      && [...document.querySelectorAll("#results tbody tr")].every((row) => row.innerText.includes("Luiza Prado")));
    assert.equal(await contact.inputValue(), "luiza prado");
    assert.equal(await contact.evaluate((field) => field === document.activeElement), true);
    await page.getByLabel("From", { exact: true }).fill("2026-11-22");
    await page.getByLabel("To", { exact: true }).fill("2026-11-21");
    await page.getByText("The last day is before the first").first().waitFor();
    assert.equal(await contact.inputValue(), "luiza prado");
    await page.getByLabel("To", { exact: true }).fill("");
    await page.locator("#to-problem").waitFor({ state: "detached" });
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("shows on a customer's phone what the desk shows from before the start", async () => {
    const page = await openPage(browser);
    await signIn(page, demo, "manager");
    const sent = "Done. It is under your name until Thursday.";
    await page.goto(`${demo.sandbox.replace(/\/$/, "")}/phones/5511987654321`);
    await page.locator(".bubble", { hasText: sent }).waitFor();
    await page.locator(".bubble img").first().waitFor();
    await page.context().close();
  });

  for (const scheme of ["light", "dark"]) {
    for (const width of [1440, 390]) {
      it(`is clean in the sandbox in ${scheme} at ${width} px`, async () => {
        const sandbox = demo.sandbox.replace(/\/$/, "");
        const view = await openPage(browser, { width, scheme, locale: "pt-BR" });
        for (const name of ["phones", "phones/525512345678", "phones/5511987654321", "phones/447700900555", "mailbox"]) {
          await view.goto(`${sandbox}/${name}`);
          assert.equal(await view.locator("html").getAttribute("lang"), "pt-BR");
          await picture(view, `sandbox-${name.replace(/\W+/g, "-")}-${scheme}-${width}`);
          assert.deepEqual(await axe(view), [], name);
          assert.equal(await overflows(view), false, `${name} overflows`);
        }
        assert.deepEqual(view.problems, []);
        await view.context().close();
      });
    }
  }
});
