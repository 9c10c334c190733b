// Drives whatsapp-api-js, unmodified, against the sandbox: sends, receives, and says which step did not hold.
// Reads the world as JSON from standard input, prints one JSON line per step and ends with 1 if one failed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import * as M from "whatsapp-api-js/messages";
import { WhatsAppAPI } from "whatsapp-api-js/middleware/node-http";
import { NodeNext } from "whatsapp-api-js/setup/node";

const world = JSON.parse(readFileSync(0, "utf8"));
const { customer, sandbox } = world;
const phone = world.phone_number_id;
let failed = 0;

/** The platform's name leads to the sandbox; everything else stays as the client made it. */
function fetchFromSandbox(url, options) {
    const to = new URL(url);
    if (to.hostname === "graph.facebook.com") {
        const own = new URL(sandbox);
        [to.protocol, to.host] = [own.protocol, own.host];
    }
    return fetch(to, options);
}

const client = new WhatsAppAPI(NodeNext({
    token: world.access_token,
    appSecret: world.app_secret,
    webhookVerifyToken: world.verify_token,
    v: "v25.0",
    ponyfill: { fetch: fetchFromSandbox },
}));

const seen = { messages: [], statuses: [], codes: [] };
client.on.message = (update) => { seen.messages.push(update); };
client.on.status = (update) => { seen.statuses.push(update); };

const server = createServer(async (request, response) => {
    try {
        if (request.method === "GET") {
            const challenge = client.handle_get(request);
            response.end(challenge);
            return;
        }
        response.statusCode = await client.handle_post(request);
        seen.codes.push(response.statusCode);
    } catch (status) {
        response.statusCode = Number(status) || 500;
    }
    response.end();
});
await new Promise((listens) => server.listen(0, "127.0.0.1", listens));
const hook = `http://127.0.0.1:${server.address().port}/hook`;

async function call(path, body, token) {
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token ?? ""}` };
    const answer = await fetch(`${sandbox}${path}`, {
        method: "POST", headers, body: JSON.stringify(body ?? {}),
    });
    const said = await answer.json();
    assert.equal(answer.status, 200, `${path}: ${JSON.stringify(said)}`);
    return said;
}
const control = (path, body) => call(`/control${path}`, body);

async function until(what, condition) {
    const end = Date.now() + 60_000;
    for (;;) {
        const found = condition();
        if (found) return found;
        assert.ok(Date.now() < end, `waited in vain: ${what}`);
        await new Promise((rested) => setTimeout(rested, 10));
    }
}

async function step(name, act) {
    try {
        await act();
        console.log(JSON.stringify({ step: name, ok: true }));
    } catch (error) {
        failed += 1;
        console.log(JSON.stringify({ step: name, ok: false, why: String(error?.stack ?? error) }));
    }
}

const to = { phone: customer };
const idOf = (answer) => {
    assert.ok(answer.messages, JSON.stringify(answer));
    return answer.messages[0].id;
};
const send = async (message, ...more) => idOf(await client.sendMessage(phone, to, message, ...more));
const wordsOf = (id) => seen.statuses.filter((s) => s.id === id).map((s) => s.status).join();
const told = (id) => until(`receipts of ${id}`, () => wordsOf(id) === "sent,delivered,read");
const refused = async (code, message) => {
    const answer = await client.sendMessage(phone, to, message);
    assert.equal(answer.error?.code, code, JSON.stringify(answer));
};

await step("the number's own address passes the handshake", async () => {
    await call(`/v25.0/${phone}/`, { webhook_configuration: {
        override_callback_uri: hook, verify_token: world.verify_token } }, world.access_token);
});

await step("a customer's text arrives, is marked read with a typing indicator and answered", async () => {
    await control(`/phones/${customer}/reply`, { text: "Is Friday free? é 👍" });
    const update = await until("the text", () => seen.messages[0]);
    assert.equal(update.message.text.body, "Is Friday free? é 👍");
    assert.equal(update.recipient.phone, customer);
    assert.equal(update.phoneID, phone);
    assert.deepEqual(await update.received("text"), { success: true });
    const answer = await update.reply(new M.Text("It is.", true), true, "attempt-1");
    await told(idOf(answer));
    const own = seen.statuses.filter((s) => s.id === idOf(answer));
    assert.ok(own.every((s) => s.biz_opaque_callback_data === "attempt-1"));
});

await step("a picture is uploaded, sent by its id, fetched as it was and deleted", async () => {
    const picture = readFileSync(world.picture);
    const form = new FormData();
    form.set("file", new Blob([picture], { type: "image/jpeg" }), "studio.jpg");
    form.set("type", "image/jpeg");
    const { id } = await client.uploadMedia(phone, form);
    assert.match(id, /^\d+$/);
    await told(await send(new M.Image(id, true, "The studio")));
    const media = await client.retrieveMedia(id, phone);
    const bytes = Buffer.from(await (await client.fetchMedia(media.url)).arrayBuffer());
    assert.ok(bytes.equals(picture));
    assert.deepEqual(await client.deleteMedia(id, phone), { success: true });
    assert.equal((await client.retrieveMedia(id)).error.error_subcode, 33);
});

await step("a document, a place, people and a reaction are sent", async () => {
    await send(new M.Document(`${sandbox}/samples/quote.pdf`, false, "A quote", "quote.pdf"));
    await send(new M.Location(-4.05, 51.07, "Quay", "Instow"));
    await send(new M.Contacts([
        new M.Name("Teodor Brandt", "Teodor"), new M.Phone("+447700900222", "WORK")]));
    await send(new M.Reaction(seen.messages[0].message.id, "👍"));
});

await step("buttons and a list are sent, and what is tapped comes back", async () => {
    await send(new M.Interactive(new M.ActionButtons(
        new M.Button("day:thu", "Thursday"), new M.Button("day:fri", "Friday")),
    new M.Body("Which day?"), new M.Header("Collection"), new M.Footer("Harbour Lane")));
    const before = seen.messages.length;
    await control(`/phones/${customer}/tap`, { button: "day:fri" });
    const tapped = await until("the tap", () => seen.messages[before]);
    assert.deepEqual(tapped.message.interactive.button_reply, { id: "day:fri", title: "Friday" });
    await send(new M.Interactive(new M.ActionList("See", new M.ListSection("Beginners",
        new M.Row("ws-1", "First bowl", "Two hours"))), new M.Body("Pick one")));
    await control(`/phones/${customer}/tap`, { button: "First bowl" });
    const chosen = await until("the row", () => seen.messages[before + 1]);
    assert.deepEqual(chosen.message.interactive.list_reply,
        { id: "ws-1", title: "First bowl", description: "Two hours" });
    await send(new M.Interactive(new M.ActionCTA("Open", "https://a.example/"), new M.Body("Look")));
});

await step("a template is sent and told, and a held one says so", async () => {
    const template = () => new M.Template("kiln_ready", "en_GB",
        new M.BodyComponent(new M.BodyParameter("Imani")), new M.PayloadComponent("RESCHEDULE:8812"));
    const answer = await client.sendMessage(phone, to, template());
    assert.equal(answer.messages?.[0].message_status, "accepted", JSON.stringify(answer));
    await told(idOf(answer));
    await control("/faults", { kind: "held" });
    let held;
    client.on.sent = (update) => { held = update.held_for_quality_assessment; };
    await client.sendMessage(phone, to, template());
    assert.equal(held, true);
});

await step("media, places and what is not supported arrive from a customer", async () => {
    const before = seen.messages.length;
    await control(`/phones/${customer}/send`, { type: "image", sample: "tile.png", caption: "c" });
    const update = await until("the picture", () => seen.messages[before]);
    const media = await client.retrieveMedia(update.message.image.id);
    const bytes = await (await client.fetchMedia(media.url)).arrayBuffer();
    const plain = await (await fetch(`${sandbox}/samples/tile.png`)).arrayBuffer();
    assert.ok(Buffer.from(bytes).equals(Buffer.from(plain)));
    for (const type of ["location", "contacts", "order", "unsupported"]) {
        const count = seen.messages.length;
        await control(`/phones/${customer}/send`, { type });
        const arrived = await until(type, () => seen.messages[count]);
        assert.equal(arrived.message.type, type);
    }
});

await step("a webhook with another signature is refused and comes again with the right one", async () => {
    await control("/faults", { kind: "wrong_signature" });
    const before = seen.codes.length;
    await control("/phones/447700900888/reply", { text: "forged" });
    await until("the refusal", () => seen.codes.slice(before).includes(401));
    await until("its repetition", () => seen.messages.some(
        (some) => some.message.text?.body === "forged"));
});

await step("customers are blocked and unblocked without a version in the path", async () => {
    const blocked = await client.blockUser(phone, customer);
    assert.deepEqual(blocked.block_users.added_users, [{ input: customer, wa_id: customer }]);
    await refused(130403, new M.Text("x"));
    const free = await client.unblockUser(phone, customer);
    assert.deepEqual(free.block_users.removed_users, [{ input: customer, wa_id: customer }]);
});

await step("errors come as bodies with an error", async () => {
    await refused(131009, new M.Image("1", true));
    await control("/faults", { kind: "error", status: 400, code: 130429 });
    await refused(130429, new M.Text("x"));
});

server.close();
process.exit(failed ? 1 : 0);
