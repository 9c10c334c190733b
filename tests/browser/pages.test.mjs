// Every page in both themes and at both widths: axe finds nothing, nothing overflows; other languages fit a phone.
import { after, before, describe, it } from "node:test";
import assert from "node:assert/strict";
import { axe, launchBrowser, openPage, picture, signIn, startDemo } from "./demo.mjs";

const PAGES = {
  agent: ["/desk/conversations", "/desk/waiting", "/desk/sent", "/desk/active-message", "conversation", "/no-such-page"],
  admin: ["general settings", "/portal/growth/active-messages", "send", "/portal/jobs"],
};

/** Whether the page can be scrolled sideways. */
const overflows = (page) =>
  page.evaluate(() => document.scrollingElement.scrollWidth > document.scrollingElement.clientWidth);

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
    else if (name === "send") {
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
        const choice = page.locator(`button[name=language][value="${language}"]`).first();
        await Promise.all([
          page.waitForEvent("load"),
          choice.evaluate((button) => button.form.requestSubmit(button)),
        ]);
        for (const name of names) {
          await open(page, name);
          assert.equal(await page.locator("html").getAttribute("lang"), language);
          await picture(page, `page-${role}-${name.replace(/\W+/g, "-")}-${language}`);
          assert.equal(await overflows(page), false, `${name} overflows in ${language}`);
        }
        await page.context().close();
      }
    });
  }

  for (const scheme of ["light", "dark"]) {
    for (const width of [1440, 390]) {
      it(`is clean in the sandbox in ${scheme} at ${width} px`, async () => {
        const sandbox = demo.sandbox.replace(/\/$/, "");
        const view = await openPage(browser, { width, scheme, locale: "pt-BR" });
        for (const name of ["phones", "phones/525512345678", "phones/447700900555", "mailbox"]) {
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
