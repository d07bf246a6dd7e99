// The AG-UI project's own client, as it is published, reading one turn of a server.
//
// node agui_client.mjs FOLDER URL BODY: FOLDER holds node_modules, BODY is what POST /chat gets. Prints one JSON
// document: the types of all events, what the client made of them, and the error that it reports, if any.
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, url, body] = process.argv.slice(2);
const { HttpAgent } = createRequire(join(folder, "x.js"))("@ag-ui/client");

class Agent extends HttpAgent {
  // The extension point that the client has for servers with a body of their own.
  requestInit() {
    const headers = { "Content-Type": "application/json", Accept: "text/event-stream" };
    return { method: "POST", headers, body, signal: this.abortController.signal };
  }
}

const agent = new Agent({ url, threadId: JSON.parse(body).conversation_id });
const received = { events: [], outcome: null, result: null, error: null };
const subscriber = {
  onEvent: ({ event }) => void received.events.push(event.type),
  onRunFinishedEvent: ({ outcome, result }) => void Object.assign(received, { outcome, result }),
  onRunErrorEvent: ({ event }) => void (received.error = event.message),
};
try {
  await agent.runAgent({}, subscriber);
} catch (error) {
  received.error ??= String(error);
}
console.log(JSON.stringify({ ...received, messages: agent.messages, state: agent.state }));
