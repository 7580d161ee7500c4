// A Python of the tests' own, with LiveKit's SDK for it: a virtual environment in tools/python.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { join } from "node:path";
import { withLock } from "../lock.js";
import { onPath } from "./on_path.js";
import { run } from "../processes.js";
import { root } from "../runtime.js";

const INSTALL_SECONDS = 600;

const folder = join(root, "tools", "python");
const requirements = join(folder, "requirements.txt");
const environment = join(folder, "venv");
const python = process.platform === "win32" ? join(environment, "Scripts", "python.exe") : join(environment, "bin", "python");
/** Written last, so that an installation that was cut short counts for nothing: what was required then. */
const stamp = join(environment, ".installed");

/** The path of the environment's Python, or undefined where it lacks or has other packages than the requirements say. */
export function findPython() {
  const whole = existsSync(python) && existsSync(stamp) && readFileSync(stamp, "utf8") === readFileSync(requirements, "utf8");
  return whole ? python : undefined;
}

/** The path of the environment's Python; made first where there is none. */
export async function installPython() {
  return await withLock("install-python", INSTALL_SECONDS, async () => {
    if (findPython() === undefined) await install();
    return python;
  });
}

async function install() {
  const base = onPath("python3") ?? onPath("python");
  if (base === undefined) throw new Error("Cannot find Python 3, which the tests of LiveKit's Python SDK need");
  rmSync(environment, { recursive: true, force: true });
  await must([base, "-m", "venv", environment], "make a virtual environment");
  await must([python, "-m", "pip", "install", "--quiet", "--requirement", requirements], "install the packages for Python");
  writeFileSync(stamp, readFileSync(requirements));
}

async function must(command, action) {
  const { code, output } = await run(command, { seconds: INSTALL_SECONDS });
  if (code !== 0) throw new Error(`Cannot ${action} as this failed: ${command.join(" ")}\n${output}`);
}
