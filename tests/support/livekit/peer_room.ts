// Peers in a room of their own.
import { type PeerKind, type SdkPeer, startPeer } from "../peers/sdk_peer.ts";
import { startServer, type TestServer } from "../../../bench/support/server.ts";

/** Interval of looks at the participants, in ms. */
const LOOK_MS = 20;

/** Peers who see each other, on a server of their own. All end with the body. */
export async function withPeers(kinds: readonly PeerKind[], body: (peers: SdkPeer[]) => Promise<void>): Promise<void> {
  await using server = await startServer();
  const starting = kinds.map(async (kind) => await joinPeer(server, kind, `${kind} peer`, "peers"));
  try {
    const peers = await Promise.all(starting);
    await untilEachSees(peers, peers.length - 1);
    await body(peers);
  } finally {
    for (const started of await Promise.allSettled(starting)) if (started.status === "fulfilled") await started.value.close();
  }
}

/** Starts a peer in a room. */
export async function joinPeer(server: TestServer, kind: PeerKind, identity: string, room: string): Promise<SdkPeer> {
  return await startPeer(kind, { url: server.url, token: await server.token(identity, room) });
}

/** Resolves when each peer sees exactly `others` others. */
export async function untilEachSees(peers: readonly SdkPeer[], others: number): Promise<void> {
  for (const peer of peers) {
    while ((await peer.participants()).length !== others) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
