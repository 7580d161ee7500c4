// Options of a call, from the names that all peers share to the SDK's own.

/** Options that are named alike. */
export function names(...all) {
  return Object.fromEntries(all.map((name) => [name, name]));
}

/** Only the known options. Throws for one that the SDK lacks, as it must not be dropped in silence. */
export function optionsOf(call, options, known) {
  const given = {};
  for (const [name, value] of Object.entries(options ?? {})) {
    if (!(name in known)) throw new Error(`Cannot give an option to ${call} as the SDK has none like it: name is "${name}"`);
    given[known[name]] = value;
  }
  return given;
}
