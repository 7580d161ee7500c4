// Headless Firefox as a child program. Its driver would leave it running when this process is killed.
import { startGuarded, untilReady } from "./guarded.js";

/** Time limit of a start, in seconds. */
const START_SECONDS = 60;

/** Starts Firefox with a profile, a folder. Resolves when it can be driven, with `url`, the address of WebDriver BiDi. */
export async function startFirefox(path, profile) {
  const options = ["--headless", "--no-remote", "--remote-debugging-port=0", "--profile", profile];
  const firefox = startGuarded([path, ...options, "about:blank"]);
  const address = () => /WebDriver BiDi listening on (ws:\S+)/.exec(firefox.output())?.[1];
  await untilReady(firefox, "Firefox", () => address() !== undefined, START_SECONDS);
  return { ...firefox, url: `${address()}/session` };
}
