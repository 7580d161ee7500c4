// Tokens for this page. A server of yours asks who the user is first: whoever has a token may join.
import { randomUUID } from "node:crypto";
import process from "node:process";
import { AccessToken } from "livekit-server-sdk";

/**
 * Answers `/token?as=guest` or `?as=bystander` with a token for the room LIVEKIT_ROOM ("lobby" by default) of the server that LIVEKIT_URL,
 * LIVEKIT_API_KEY and LIVEKIT_API_SECRET name.
 */
export async function answerToken(request, response) {
  const { LIVEKIT_URL: url, LIVEKIT_API_KEY: key, LIVEKIT_API_SECRET: secret, LIVEKIT_ROOM: room = "lobby" } = process.env;
  try {
    if (!url) throw new Error("LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET must name a server");
    const as = new URL(request.url, "http://page").searchParams.get("as") === "bystander" ? "bystander" : "guest";
    const token = new AccessToken(key, secret, { identity: `${as}-${randomUUID().slice(0, 4)}` });
    token.addGrant({ roomJoin: true, room, canPublishData: true });
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ url, token: await token.toJwt(), agent: "agent" }));
  } catch (error) {
    response.statusCode = 500;
    response.end(error.message);
  }
}
