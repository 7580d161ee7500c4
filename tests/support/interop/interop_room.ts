// A runtime of Millrace and a participant of another SDK in one room, and a bystander who reports every packet that reaches it.
import * as assert from "uvu/assert";
import { createRuntime } from "../../../mod.ts";
import type { Runtime, StreamError } from "../../../mod.ts";
import { livekit } from "../../../transports/livekit/mod.ts";
import { type PeerKind, type Recorded, type SdkPeer, startPeer } from "../peers/sdk_peer.ts";
import { untilEachSees } from "../livekit/peer_room.ts";
import { connect, disposeAll } from "../livekit/rooms.ts";
import { startServer, type TestServer } from "../../../bench/support/server.ts";

const ROOM = "interop";

export class InteropRoom implements AsyncDisposable {
  readonly server: TestServer;
  readonly runtime: Runtime;
  readonly peer: SdkPeer;
  readonly bystander: SdkPeer;
  /** Errors of the runtime's `onError`. */
  readonly errors: StreamError[];

  private constructor(server: TestServer, runtime: Runtime, errors: StreamError[], peer: SdkPeer, bystander: SdkPeer) {
    this.server = server;
    this.runtime = runtime;
    this.errors = errors;
    this.peer = peer;
    this.bystander = bystander;
  }

  static async open(kind: PeerKind): Promise<InteropRoom> {
    const server = await startServer();
    const starting = [join(server, kind, "plain"), join(server, "rtc-node-1", "bystander")] as const;
    try {
      const [peer, bystander] = await Promise.all(starting);
      await bystander.record();
      const errors: StreamError[] = [];
      const runtime = await createRuntime({
        transport: livekit(await connect(server, "millrace", ROOM)),
        onError: (error) => void errors.push(error),
      });
      await untilEachSees([peer, bystander], 2);
      return new InteropRoom(server, runtime, errors, peer, bystander);
    } catch (error) {
      for (const started of await Promise.allSettled(starting)) if (started.status === "fulfilled") await started.value.close();
      await disposeAll();
      await server.kill();
      throw error;
    }
  }

  /** Packets of a stream that have reached the bystander so far. */
  overheard(streamId: string): Recorded[] {
    return this.bystander.seen("packet").filter(({ packet }) => packet["streamId"] === streamId);
  }

  /** Resolves when every packet sent before has reached the bystander. */
  async settled(): Promise<void> {
    const topic = crypto.randomUUID();
    await this.bystander.listen("text", topic);
    await this.runtime.sendText("settled", { topic });
    await this.peer.sendText({ text: "settled" }, { topic });
    assert.equal(
      new Set([(await this.bystander.received()).from, (await this.bystander.received()).from]),
      new Set(["plain", "millrace"]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runtime.close();
    await Promise.all([this.peer.close(), this.bystander.close()]);
    await disposeAll();
    await this.server.kill();
  }
}

async function join(server: TestServer, kind: PeerKind, identity: string): Promise<SdkPeer> {
  return await startPeer(kind, { url: server.url, token: await server.token(identity, ROOM) });
}
