// Search of programs on the PATH.
import { accessSync, constants, statSync } from "node:fs";
import process from "node:process";
import { delimiter, join } from "node:path";

/** Finds a program on the PATH; undefined if there is none. */
export function onPath(name) {
  const suffixes = process.platform === "win32" ? [".exe", ".cmd"] : [""];
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.flatMap((folder) => suffixes.map((suffix) => join(folder, name + suffix))).find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
