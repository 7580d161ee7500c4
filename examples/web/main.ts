// Page of the demonstration: chat with an agent, files to it, and reports from it. With ?as=bystander a tab that only stands by.
import { createRuntime } from "millrace";
import { PacketCounts } from "./bystander.ts";
import { startChat, startLobby } from "./chat.ts";
import { byId, messageOf } from "./elements.ts";
import { watchHolds } from "./holds.ts";
import { meet } from "./meet.ts";
import { startReports } from "./reports.ts";
import { startSending } from "./sending.ts";
import { showStreams } from "./streams.ts";

const status = byId("status");
const isBystander = new URLSearchParams(location.search).get("as") === "bystander";
const counts = new PacketCounts();
document.body.dataset["as"] = isBystander ? "bystander" : "guest";

try {
  const { transport, agent, ended } = await meet(isBystander ? "bystander" : "guest");
  const runtime = await createRuntime({
    transport: counts.watch(transport),
    inspect: showStreams(),
    onError: (error) => console.warn(error.message), // errors that no call rejects with
  });
  startLobby(runtime, (streamId) => counts.noteToEverybody(streamId));
  if (!isBystander) {
    startChat(runtime, agent);
    startSending(runtime, agent);
    await startReports(runtime);
  }
  watchHolds();
  status.textContent = `Connected as ${runtime.identity}`;
  document.body.dataset["state"] = "connected";
  await ended;
  status.textContent = "The room has ended: reload to connect again"; // and with it the runtime
} catch (error) {
  status.textContent = messageOf(error);
}
document.body.dataset["state"] = "ended";
