// Schemas by the interface of https://standardschema.dev, which zod, valibot, arktype and others implement. No package is imported.

/** A schema that checks values, and may transform them: `Input` is written, `Output` is read. */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** Properties of the standard. */
  readonly "~standard": {
    /** Version of the standard. */
    readonly version: 1;
    /** Library of the schema. */
    readonly vendor: string;
    /** Checks a value. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** Types of the schema, for the compiler only. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** Outcome of a check: the value, or the issues that were found. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** Fault of a value, and the place of the fault in the value. */
export interface SchemaIssue {
  /** Description of the fault. */
  readonly message: string;
  /** Keys from the value to the fault. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Type of the values that may be written by a schema. */
export type SchemaInput<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["input"];

/** Type of the values that a schema gives. */
export type SchemaOutput<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["output"];

/** Description of a schema in error messages. */
export const SCHEMA_SHAPE = "a Standard Schema, as of zod, valibot or arktype";

/** Number of issues in a message. */
const MOST_ISSUES = 3;

/** Whether a value is a schema. Those of arktype are functions. */
export function isSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return false;
  const standard = (value as { "~standard"?: unknown })["~standard"];
  return typeof standard === "object" && standard !== null && "validate" in standard && typeof standard.validate === "function";
}

/** Describes issues for an error message: `"user.age" expected number`. */
export function issuesText(issues: readonly SchemaIssue[]): string {
  const texts = issues.slice(0, MOST_ISSUES).map(({ message, path = [] }) =>
    path.length === 0 ? message : `"${pathText(path)}" ${message}`
  );
  const left = issues.length - texts.length;
  return `${texts.join("; ")}${left > 0 ? `; and ${left} more` : ""}`;
}

function pathText(path: NonNullable<SchemaIssue["path"]>): string {
  const keys = path.map((part) => typeof part === "object" ? part.key : part);
  return keys.map((key, at) => typeof key === "number" ? `[${key}]` : `${at === 0 ? "" : "."}${String(key)}`).join("");
}
