// Virtual environment in tools/python, with LiveKit's SDK for Python.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { join } from "node:path";
import { withLock } from "../lock.js";
import { onPath } from "./on_path.js";
import { mustRun } from "../processes.js";
import { root } from "../runtime.js";

/** Time limit of an installation, in seconds. */
const INSTALL_SECONDS = 600;

const folder = join(root, "tools", "python");
const requirements = join(folder, "requirements.txt");
const environment = join(folder, "venv");
const python = process.platform === "win32" ? join(environment, "Scripts", "python.exe") : join(environment, "bin", "python");
/** Copy of the requirements, written last, so that an interrupted installation does not count. */
const stamp = join(environment, ".installed");

/** Finds the environment's Python; undefined if its packages are not those of the requirements. */
export function findPython() {
  const isComplete = existsSync(python) && existsSync(stamp) &&
    readFileSync(stamp, "utf8") === readFileSync(requirements, "utf8");
  return isComplete ? python : undefined;
}

/** Finds the environment's Python, and makes a missing environment. */
export async function installPython() {
  return await withLock("install-python", INSTALL_SECONDS, async () => {
    if (findPython() === undefined) await install();
    return python;
  });
}

async function install() {
  const base = onPath("python3") ?? onPath("python");
  if (base === undefined) throw new Error("Cannot install LiveKit's Python SDK as Python 3 must be on the PATH");
  rmSync(environment, { recursive: true, force: true });
  const limit = { seconds: INSTALL_SECONDS };
  await mustRun([base, "-m", "venv", environment], limit, "make a virtual environment");
  const pip = [python, "-m", "pip", "install", "--quiet", "--requirement", requirements];
  await mustRun(pip, limit, "install the packages for Python");
  writeFileSync(stamp, readFileSync(requirements));
}
