/** Runs `action` without `console.warn`: xstate warns of events sent to an ended actor, which some tests do on purpose. */
export function muteWarnings(action: () => void): void {
  const { warn } = console;
  console.warn = () => {};
  try {
    action();
  } finally {
    console.warn = warn;
  }
}
