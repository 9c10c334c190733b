// Starts `janela demo` for a browser test and opens pages in headless Chromium.
import { spawn, execFileSync } from "node:child_process";
import { mkdtempSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { AxeBuilder } from "@axe-core/playwright";

const top = new URL("../../", import.meta.url).pathname;
const binary = process.env.JANELA_TEST_BINARY ?? join(top, "target/debug/janela");
const output = join(process.env.JANELA_TEST_OUTPUT ?? join(top, "tests/output"), "screenshots");
mkdirSync(output, { recursive: true });

/** How long anything may take before a test fails: far longer than it does, as the machine may be busy with other work. */
export const PATIENCE = 60_000;

/** A database of its own on the test server; undefined for SQLite. */
function databaseUrl(database) {
  if (database === "sqlite") return undefined;
  const server = process.env.JANELA_TEST_POSTGRES_URL;
  if (!server) throw new Error("JANELA_TEST_POSTGRES_URL names no server (tests/run starts one)");
  const name = `browser_${process.pid}_${Date.now()}`;
  execFileSync("psql", [server, "-q", "-c", `CREATE DATABASE ${name} TEMPLATE template0`]);
  return server.replace("/postgres?", `/${name}?`);
}

/** Starts the demo; resolves when it serves. */
export async function startDemo({ database = "sqlite", speed = 4 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "janela-browser-"));
  const options = ["demo", "--json", "--bind", "127.0.0.1:0", "--sandbox-bind", "127.0.0.1:0"];
  options.push("--speed", String(speed), "--data-dir", folder);
  const url = databaseUrl(database);
  if (url) options.push("--database-url", url);
  const child = spawn(binary, options, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, JANELA_LOG: "warn" },
  });
  const line = await new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error("the demo does not serve"));
    }, 2 * PATIENCE);
    const end = (settle, value) => {
      clearTimeout(late);
      settle(value);
    };
    createInterface({ input: child.stdout }).once("line", (text) => end(resolve, text));
    child.once("error", (error) => end(reject, error));
    child.once("exit", (code) => end(reject, new Error(`the demo stopped with ${code}`)));
  });
  const found = JSON.parse(line);
  return {
    ...found,
    user: (role) => found.users.find((user) => user.role === role),
    control: (path, body) => call(`${found.sandbox.replace(/\/$/, "")}/control${path}`, body),
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGTERM");
        await ended;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function call(url, body) {
  const request = body === undefined ? undefined : {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const answer = await fetch(url, request);
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json().catch(() => null);
}

/** Headless Chromium, made for a machine without a network. */
export function launchBrowser() {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    timeout: 2 * PATIENCE,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** A page that fails the test on errors, on violations of the content policy, and on a header the browser cannot read. */
export async function openPage(browser, { width = 1440, height = 900, scheme = "light", locale = "en", script = true } = {}) {
  const context = await browser.newContext({
    viewport: { width, height }, colorScheme: scheme, locale, reducedMotion: "reduce", javaScriptEnabled: script,
  });
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (/Content Security Policy|Permissions-Policy|Refused to/.test(message.text())) page.problems.push(message.text());
  });
  page.setDefaultTimeout(PATIENCE);
  return page;
}

/** Signs in by the form. */
export async function signIn(page, demo, role) {
  const user = demo.user(role);
  await page.goto(`${demo.desk.replace(/\/$/, "")}/account/sign-in`);
  await page.locator("input[name=email]").fill(user.email);
  await page.locator("input[name=password]").fill(user.password);
  await Promise.all([
    page.waitForURL((url) => !url.pathname.startsWith("/account")),
    page.locator("main form button").first().click(),
  ]);
  return user;
}

/** Keeps a picture under `tests/output/screenshots`. */
export function picture(page, name) {
  // With the caret hidden the driver would insert a style, which the content policy refuses.
  return page.screenshot({ path: join(output, `${name}.png`), caret: "initial" });
}

/** What axe finds on the page, as short lines. */
export async function axe(page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map((violation) =>
    `${violation.id} (${violation.impact}): ${violation.nodes.map((node) => node.target.join(" ")).slice(0, 5).join(", ")}`);
}
