// Packages of Debian and its kin, where this may install them.
import { existsSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { onPath } from "./on_path.js";
import { run } from "../processes.js";

const INSTALL_SECONDS = 1200;
/** Asked by Debian whether a service may be started; 101 is no. Containers have it, other machines do not. */
const POLICY = "/usr/sbin/policy-rc.d";

/** Installs packages, and sees that none of `services` runs or will run for it. Rejects where that is not for us to do. */
export async function installPackages(packages, services) {
  if (process.getuid?.() !== 0 || onPath("apt-get") === undefined) {
    throw new Error(`Cannot install packages but as root where there is apt-get: packages are ${packages.join(", ")}`);
  }
  const ours = forbidServices();
  try {
    await apt(["update", "--quiet"]);
    await apt(["install", "--yes", "--quiet", "--no-install-recommends", ...packages]);
    for (const service of onPath("systemctl") === undefined ? [] : services) {
      await run(["systemctl", "disable", service], { seconds: 60 }); // nor after the next start of the machine
    }
  } finally {
    ours();
  }
}

/** Until the function it returns is called: at the end of this process at the latest. */
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
  const { code, output } = await run(command, { env: { DEBIAN_FRONTEND: "noninteractive" }, seconds: INSTALL_SECONDS });
  if (code !== 0) throw new Error(`Cannot install packages as this failed: ${command.join(" ")}\n${output}`);
}
