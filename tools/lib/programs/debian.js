// Installation of Debian packages.
import { existsSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { onPath } from "./on_path.js";
import { mustRun, run } from "../processes.js";

/** Time limit of an installation, in seconds. */
const INSTALL_SECONDS = 1200;
/** Script by which Debian asks whether a service may start; exit code 101 forbids that. Containers have one. */
const POLICY = "/usr/sbin/policy-rc.d";

/** Installs packages, and keeps `services` from starting. Rejects without root or apt-get. */
export async function installPackages(packages, services) {
  if (process.getuid?.() !== 0 || onPath("apt-get") === undefined) {
    throw new Error(`Cannot install packages as that needs root and apt-get: packages are ${packages.join(", ")}`);
  }
  const allowServices = forbidServices();
  try {
    await apt(["update", "--quiet"]);
    await apt(["install", "--yes", "--quiet", "--no-install-recommends", ...packages]);
    for (const service of onPath("systemctl") === undefined ? [] : services) {
      await run(["systemctl", "disable", service], { seconds: 60 }); // also after a restart of the machine
    }
  } finally {
    allowServices();
  }
}

/** Forbids services to start, until the returned function is called or this process ends. */
function forbidServices() {
  if (existsSync(POLICY)) return () => {};
  writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755, flag: "wx" });
  const allow = () => rmSync(POLICY, { force: true });
  process.once("exit", allow);
  return () => {
    process.off("exit", allow);
    allow();
  };
}

async function apt(args) {
  const command = ["apt-get", "-o", "DPkg::Lock::Timeout=300", ...args];
  await mustRun(command, { env: { DEBIAN_FRONTEND: "noninteractive" }, seconds: INSTALL_SECONDS }, "install packages");
}
