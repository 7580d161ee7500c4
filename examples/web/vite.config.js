// Vite's settings of this page: `npm install && npm run dev` here, with LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET and LIVEKIT_ROOM set,
// and an agent in the room. A project of yours needs no alias: install millrace and livekit-client.
import { fileURLToPath } from "node:url";
import { answerToken } from "./token.js";

const file = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Headers of a page that may use shared memory. Without them it works as well: bytes for workers are copied then. */
const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

export default {
  resolve: {
    // The clone's own sources, as Millrace is not installed here.
    alias: [
      { find: /^millrace(\/browser)?$/, replacement: file("../../browser.ts") },
      { find: "millrace/livekit", replacement: file("../../transports/livekit_client/mod.ts") },
    ],
  },
  server: { headers, fs: { allow: [file("../..")] } },
  plugins: [{ name: "token", configureServer: ({ middlewares }) => void middlewares.use("/token", answerToken) }],
};
