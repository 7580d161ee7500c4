// MCP: a tool whose result is too large for the model's context. It goes to a participant as a byte stream, the model gets a line about it.
import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import type { Runtime } from "millrace";
import { z } from "zod";

export function addExportTool(server: McpServer, runtime: Runtime, rowsOf: (table: string) => AsyncIterable<Uint8Array>): void {
  server.registerTool("export_table", {
    description: "Sends all rows of a table to a participant of the room, as a file of JSON lines",
    inputSchema: { table: z.string(), to: z.string().describe("Identity of the participant") },
  }, async ({ table, to }, { signal }) => {
    const { receipts = [] } = await runtime.sendBytes(rowsOf(table), {
      topic: "exports",
      name: `${table}.jsonl`,
      mimeType: "application/jsonl",
      destinationIdentities: [to],
      signal, // of the client that cancels its call
    });
    const text = `${to} has ${table}.jsonl: ${receipts[0]?.bytes} bytes, checked`; // a failure is the tool's error
    return { content: [{ type: "text", text }] };
  });
}
