// npm run build: compiles the project into dist/ if a source has changed.
import process from "node:process";
import { buildIfStale } from "./lib/build.js";

try {
  console.log(await buildIfStale() ? "Built dist/" : "dist/ is up to date");
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
