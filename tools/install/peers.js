// node tools/install/peers.js [NAME ...]: installs the programs that tests of LiveKit and of agents need, or the named ones of lib/programs/programs.js.
// Builds the LiveKit server by Go, makes an environment for Python, and as root installs the others by apt-get.
import process from "node:process";
import { installPackages } from "../lib/programs/debian.js";
import { INSTALLERS } from "../lib/programs/needs.js";
import { onPath } from "../lib/programs/on_path.js";
import { run } from "../lib/processes.js";
import { find, PROGRAMS } from "../lib/programs/programs.js";
import { installPython } from "../lib/programs/python.js";

/** Debian's packages, by a program's name. */
const DEBIAN = { redis: "redis-server", chromium: "chromium", firefox: "firefox-esr" };

const args = process.argv.slice(2);
const names = args.length > 0 ? args : Object.keys(PROGRAMS);
/** Errors of programs that could not be installed, by name. */
const errors = new Map();

try {
  const unknown = names.find((name) => !(name in PROGRAMS));
  if (unknown !== undefined) {
    throw new Error(`Cannot install a program: expected ${Object.keys(PROGRAMS).join(", ")}, got "${unknown}"`);
  }
  const missing = names.filter((name) => find(name) === undefined);
  await Promise.all([
    ...missing.filter((name) => name in INSTALLERS).map((name) => attempt(name, () => INSTALLERS[name](console.log))),
    fromDebian(missing).then(() => missing.includes("python") && attempt("python", installPython)),
  ]);
  const absent = names.filter(isAbsent);
  console.log(`${names.length - absent.length} passed, ${absent.length} failed`);
  process.exitCode = absent.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function attempt(name, install) {
  try {
    await install();
  } catch (error) {
    errors.set(name, error.message);
  }
}

async function fromDebian(missing) {
  const wanted = missing.filter((name) => name in DEBIAN);
  const packages = wanted.map((name) => DEBIAN[name]);
  if (missing.includes("python") && !await canMakeEnvironment()) packages.push("python3", "python3-venv");
  if (packages.length === 0) return;
  console.log(`Installing by apt-get: ${packages.join(", ")}`);
  try {
    await installPackages(packages, wanted.includes("redis") ? ["redis-server"] : []);
  } catch (error) {
    for (const name of wanted) errors.set(name, error.message);
  }
}

async function canMakeEnvironment() {
  const python = onPath("python3");
  return python !== undefined && (await run([python, "-c", "import ensurepip, venv"], { seconds: 60 })).code === 0;
}

/** Prints whether a program was found; returns true if it is absent. */
function isAbsent(name) {
  const path = find(name);
  const { title, variable } = PROGRAMS[name];
  if (path === undefined) {
    console.log(`FAILED ${name}: ${errors.get(name) ?? `Cannot find ${title}`}\n       An own one is named by ${variable}=PATH`);
  } else console.log(`ok     ${name}: ${path}`);
  return path === undefined;
}
