// The project's sources and their imports, for tests of the house rules.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { projectRoot } from "../../bench/support/project_root.ts";

export const LAYERS: readonly string[] = [
  "common",
  "protocol",
  "workers",
  "transports",
  "files",
  "actors",
  "diagnostics",
  "integrations",
];
const FOLDERS: readonly string[] = [...LAYERS, "bench", "tests", "examples", "cli", "tools"];

export interface Import {
  readonly from: string;
  /** Specifier; a relative one as a path from the project's folder. */
  readonly to: string;
  readonly typeOnly: boolean;
}

export const root: string = projectRoot();
export const sources: ReadonlyMap<string, string> = new Map(
  sourcePaths().map((path) => [path, readFileSync(join(root, path), "utf8")]),
);
export const imports: readonly Import[] = [...sources].flatMap(([path, text]) => importsOf(path, text));

/** Whether a specifier is a path of the project, not a package's or a built-in's name. */
export function isPath(to: string): boolean {
  return /\.(ts|js)$/.test(to) && !to.startsWith("@");
}

/** Top folder of a file; "" for files at the top. */
export function layerOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
}

export function described({ from, to, typeOnly }: Import): string {
  return `${from} imports ${typeOnly ? "types of " : ""}${to}`;
}

function importsOf(from: string, text: string): Import[] {
  const statement = /^\s*(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm;
  return [...withoutComments(text).matchAll(statement)].map(([, type, named, dynamic]) => {
    const specifier = named ?? dynamic ?? "";
    const to = specifier.startsWith(".") ? posix.join(posix.dirname(from), specifier) : specifier;
    return { from, to, typeOnly: type !== undefined };
  });
}

export function withoutComments(text: string): string {
  return text.replace(/^\s*\/\*[^]*?\*\//gm, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}

/** The folder of a file; a file at the top stands for itself. */
export function folderOf(path: string): string {
  return path.includes("/") ? posix.dirname(path) : path;
}

/** Use of a Node module or global in a file, or undefined. */
export function touchOfNode(path: string): string | undefined {
  const text = withoutComments(sources.get(path) ?? "").replace(/^import type .*$/gm, "");
  const found = /"node:[^"]*"|(?<![.\w])(?:Buffer|process|setImmediate|clearImmediate|global|require)\b(?=[.(])/.exec(text);
  return found === null ? undefined : `${path}: ${found[0]}`;
}

function sourcePaths(): string[] {
  const top = readdirSync(root).filter((name) => name.endsWith(".ts"));
  const nested = FOLDERS.filter((folder) => existsSync(join(root, folder))).flatMap((folder) =>
    filesIn(folder).filter((path) => /\.(ts|js)$/.test(path))
  );
  return [...top, ...nested].sort();
}

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return ["node_modules", "dist", "bin", "venv"].includes(entry.name) ? [] : filesIn(path);
    return [path];
  });
}
