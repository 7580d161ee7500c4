// The worker of the peer Piscina, with the same job as the others.
import { createHash } from "node:crypto";

export default function hash({ buffer, length }) {
  return createHash("sha256").update(new Uint8Array(buffer, 0, length)).digest("latin1");
}
