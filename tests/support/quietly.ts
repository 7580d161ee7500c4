/** Runs what makes xstate warn of events that an ended actor is sent: where that is the very test, nobody needs to read of it. */
export function quietly(action: () => void): void {
  const { warn } = console;
  console.warn = () => {};
  try {
    action();
  } finally {
    console.warn = warn;
  }
}
