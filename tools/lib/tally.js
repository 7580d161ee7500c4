import process from "node:process";

/** Counts of the running tool. */
const sums = { passed: 0, failed: 0 };

/** Counts and prints one outcome; prints the details of a failure. */
export function note(good, title, details = "") {
  count(good ? 1 : 0, good ? 0 : 1);
  console.log(`${good ? "ok    " : "FAILED"} ${title}`);
  if (!good) console.log(details.replace(/^/gm, "    "));
}

/** Adds to the sums. */
export function count(passed, failed) {
  sums.passed += passed;
  sums.failed += failed;
}

/**
 * Runs a tool: prints an error, cleans up, prints the sums in the last line, and sets the exit code. A tool that counts nothing fails.
 * @param {() => void | Promise<void>} main
 * @param {() => void | Promise<void>} cleanUp
 */
export async function tally(main, cleanUp = () => {}) {
  try {
    await main();
  } catch (error) {
    console.error(error.message);
    sums.failed++;
  } finally {
    await cleanUp();
  }
  console.log(`${sums.passed} passed, ${sums.failed} failed`);
  process.exitCode = sums.failed === 0 && sums.passed > 0 ? 0 : 1;
}
