/** Host that the browser finds on 127.0.0.1, and that is no secure context as 127.0.0.1 itself is. */
export const INSECURE_HOST = "page.test";

/**
 * Flags of the browser: a page may meet a server on 127.0.0.1 where there is no other network. The rest keeps the browser off the network.
 * @type {readonly string[]}
 */
export const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--allow-loopback-in-peer-connection",
  `--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`,
];
