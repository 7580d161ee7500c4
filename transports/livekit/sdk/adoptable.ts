/** Room that `livekit` adopts: of `@livekit/rtc-node` on Node, Bun and Deno, of `livekit-client` in a web page. */
export type AdoptableRoom = RtcNodeRoom | LiveKitClientRoom;

/** Members of a Room of `@livekit/rtc-node` that are used. */
export interface RtcNodeRoom extends AnyRoom {
  /** True if the room is connected; others cannot be adopted. */
  readonly isConnected: boolean;
}

/** Members of a Room of `livekit-client` that are used. */
export interface LiveKitClientRoom extends AnyRoom {
  /** "connected" for a room that can be adopted. */
  readonly state: string;
}

/** Members of both. */
interface AnyRoom {
  /** The room's name. */
  readonly name?: string | undefined;
  /** This participant. */
  readonly localParticipant?: { readonly identity: string } | undefined;
  /** Other participants, by identity. */
  readonly remoteParticipants: ReadonlyMap<string, { readonly identity: string; readonly sid?: string | undefined }>;
}
