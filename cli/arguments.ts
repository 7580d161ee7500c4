// Arguments and options of the command.
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { ChatTask } from "./commands/chat.ts";
import type { DoctorTask } from "./commands/doctor.ts";
import { type ConnectionOptions, DEFAULT_URL } from "./room/credentials.ts";
import { EXIT, Failure } from "./failure.ts";
import type { OutputOptions } from "./output/output.ts";
import { type ReceiveTask, STDOUT } from "./commands/file_receiver.ts";
import type { SendTask } from "./commands/send.ts";
import { STDIN } from "./commands/sources.ts";
import type { TopTask } from "./commands/top.ts";

/** Command with its options, as typed. */
export type Request =
  & { readonly connection: ConnectionOptions; readonly output: OutputOptions }
  & (
    | { readonly command: "send"; readonly task: SendTask }
    | { readonly command: "receive"; readonly task: ReceiveTask }
    | { readonly command: "chat"; readonly task: ChatTask }
    | { readonly command: "top"; readonly task: TopTask }
    | { readonly command: "doctor"; readonly task: DoctorTask }
  );

/** Output of commander: help and error messages. */
export interface CommanderOutput {
  /** Version to print. */
  readonly version: string;
  out(text: string): void;
  err(text: string): void;
}

type ParsedOptions = ConnectionOptions & OutputOptions & {
  topic: string;
  to?: string[];
  from?: string[];
  wait: number;
  receivers?: number;
  name?: string;
  mime?: string;
  attribute?: Record<string, string>;
  dir?: string;
  stdout?: boolean;
  count?: number;
  once?: boolean;
  socket?: string;
  interval: number;
  pings: number;
  seconds: number;
};

/** Default of `--wait`, in seconds. */
const WAIT_SECONDS = 30;

const HELP_END = `
Environment: LIVEKIT_URL, LIVEKIT_TOKEN, or LIVEKIT_API_KEY and LIVEKIT_API_SECRET, in place of the options.

Exit codes: 0 done; 1 something was not sent or received; 2 wrong usage; 3 no connection; 130 Ctrl-C; 143 SIGTERM.`;

const SEND_HELP_END = `
Examples:
  millrace send report.pdf photos/ --room office --identity alice --to bob
  millrace send report.pdf --room office --identity alice --receivers 3
  pg_dump shop | millrace send - --name shop.sql --room office --identity alice
${HELP_END}`;

const RECEIVE_HELP_END = `
Examples:
  millrace receive --dir inbox --room office --identity bob
  millrace receive --stdout --once --room office --identity bob | tar -x
${HELP_END}`;

const CHAT_HELP_END = `
Examples:
  millrace chat --room office --identity alice
  echo "The build is done" | millrace chat --room office --identity ci --to alice
${HELP_END}`;

const TOP_HELP_END = `
Examples:
  millrace top --socket /run/user/1000/agent.sock
  millrace top --room office --identity watcher
  millrace top --socket agent.sock --json | jq .stats.open
${HELP_END}`;

const DOCTOR_HELP_END = `
Example:
  millrace doctor --to bob --room office --identity alice

The other end must answer: any running millrace command does, and a program that calls answerDoctor of millrace/diagnostics.
${HELP_END}`;

/** Reads the arguments. Returns an exit code if help was asked for; throws Failure "usage" for wrong arguments. */
export function readArguments(argv: readonly string[], output: CommanderOutput): Request | number {
  let request: Request | undefined;
  const program = programOf((parsed) => request = parsed, output);
  try {
    program.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.ok;
    if (error.code === "commander.help") return EXIT.usage; // without a command the help lists them
    throw refusal(error);
  }
  if (request === undefined) throw new Failure("usage", "Cannot read the arguments as a command must be given");
  return request;
}

function programOf(onRequest: (request: Request) => void, output: CommanderOutput): Command {
  const program = new Command("millrace")
    .description("Sends and receives files and text in LiveKit rooms.")
    .version(output.version, "-V, --version", "Print the version")
    .helpOption("-h, --help", "Print this help; also of a command: millrace send --help")
    .helpCommand(false)
    .addHelpText("after", HELP_END);
  program.configureOutput({
    writeOut: (text) => output.out(text),
    writeErr: (text) => output.err(text),
    outputError: () => {}, // `run` prints this error like all others
  });
  program.exitOverride();

  sharedOptions(
    command(program, "send", 'Send files and folders; "-" is stdin', SEND_HELP_END).argument("<file...>", "What to send"),
    "files",
  )
    .option("--to <names>", "Who gets it: identities, by commas or by several --to (default: everybody)", names)
    .addOption(new Option("--receivers <n>", "Wait until so many are there (default: 1)").argParser(count).conflicts("to"))
    .option("--name <name>", 'The file\'s name at the receiver (default: its own; of stdin "stdin")')
    .option("--mime <type>", "Its MIME type (default: by its extension)")
    .option("--attribute <key=value>", "An attribute of the stream; may be repeated", attribute)
    .option("--wait <seconds>", "How long to wait until the receivers are there", seconds, WAIT_SECONDS)
    .action((files: string[], options: ParsedOptions) =>
      onRequest({ command: "send", task: sendTask(files, options), ...common(options) })
    );

  sharedOptions(command(program, "receive", "Receive files into a folder, or to stdout", RECEIVE_HELP_END), "files")
    .option(
      "--dir <folder>",
      'Where they go, under their senders\' names made safe; made if need be; "-" is stdout (default: here)',
    )
    .option("--stdout", "Write their bytes to stdout")
    .option("--from <names>", "Whose files are taken (default: everybody's)", names)
    .addOption(new Option("--count <n>", "End after so many, those that failed included (default: at Ctrl-C)").argParser(count))
    .addOption(new Option("--once", "End after one").conflicts("count"))
    .action((options: ParsedOptions) => onRequest({ command: "receive", task: receiveTask(options), ...common(options) }));

  sharedOptions(command(program, "chat", "Send each line of stdin as a text, show texts that come", CHAT_HELP_END), "chat")
    .option("--to <names>", "Who gets them: identities, by commas or by several --to (default: everybody)", names)
    .option("--wait <seconds>", "If stdin is no terminal: how long to wait until the receivers are there", seconds, WAIT_SECONDS)
    .action((options: ParsedOptions) => onRequest({ command: "chat", task: chatTask(options), ...common(options) }));

  connectionOptions(command(program, "top", "Show what a runtime does: participants, streams, waits", TOP_HELP_END))
    .addOption(
      new Option("--socket <path>", "A socket on which a program serves its stats (default: those of this command in a room)")
        .argParser(path),
    )
    .option("--interval <seconds>", "Time between two looks", interval, 1)
    .action((options: ParsedOptions) => onRequest({ command: "top", task: topTask(options), ...common(options) }));

  connectionOptions(command(program, "doctor", "Examine the line to a participant", DOCTOR_HELP_END))
    .requiredOption("--to <name>", "Whom: one identity", names)
    .option("--pings <n>", "How many short texts are timed", count, 50)
    .option("--seconds <seconds>", "How long bytes are sent each way, at most 10; 0 leaves that out", seconds, 2)
    .option("--wait <seconds>", "How long to wait until the participant is there", seconds, WAIT_SECONDS)
    .action((options: ParsedOptions) => onRequest({ command: "doctor", task: doctorTask(options), ...common(options) }));
  return program;
}

function command(program: Command, name: string, description: string, helpEnd: string): Command {
  return program.command(name).description(description).helpOption("-h, --help", "Print this help").addHelpText("after", helpEnd);
}

function sharedOptions(to: Command, topic: string): Command {
  return connectionOptions(to).option("--topic <topic>", "The streams' topic", topic);
}

function connectionOptions(to: Command): Command {
  return to
    .option("--room <name>", "The room; a token has it already")
    .option("--identity <name>", "Who you are there; a token has it already")
    .option("--url <url>", `The server (default: LIVEKIT_URL, or "${DEFAULT_URL}")`)
    .option("--token <token>", "A token for the room (default: LIVEKIT_TOKEN)")
    .option("--api-key <key>", "To make a token: the server's key (default: LIVEKIT_API_KEY)")
    .option("--api-secret <secret>", "And its secret (default: LIVEKIT_API_SECRET, which other users of the machine do not see)")
    .option("--json", "Print one JSON object per line to stdout for each event, and nothing else there")
    .option("--quiet", "Print only results and errors: no bars, no notices");
}

function common(
  { url, token, apiKey, apiSecret, room, identity, json, quiet }: ParsedOptions,
): Pick<Request, "connection" | "output"> {
  return {
    connection: definedOnly({ url, token, apiKey, apiSecret, room, identity }),
    output: definedOnly({ json, quiet }),
  };
}

function sendTask(files: readonly string[], options: ParsedOptions): SendTask {
  const { topic, to = [], receivers = 1, wait, name, mime, attribute: attributes = {} } = options;
  if (name !== undefined && files.length > 1) {
    throw new Failure("usage", `Cannot send as --name must come with one file: there are ${files.length}`);
  }
  if (files.filter((file) => file === STDIN).length > 1) {
    throw new Failure("usage", "Cannot send as stdin must be named only once");
  }
  return { files, topic, to, receivers, wait, attributes, ...definedOnly({ name, mime }) };
}

function receiveTask({ topic, from = [], dir, stdout, count: asked, once, json }: ParsedOptions): ReceiveTask {
  if (dir !== undefined && stdout === true && dir !== STDOUT) {
    throw new Failure("usage", "Cannot receive as one target must be given: --dir or --stdout");
  }
  const target = stdout === true ? STDOUT : dir ?? ".";
  if (target === "") throw new Failure("usage", "Cannot receive into the folder as its path must be non-empty");
  if (target === STDOUT && json === true) {
    throw new Failure("usage", "Cannot receive to stdout as --json needs stdout: give --dir FOLDER, or leave --json out");
  }
  return {
    topic,
    from,
    dir: target,
    count: once === true ? 1 : asked ?? Infinity,
  };
}

function chatTask({ topic, to = [], wait }: ParsedOptions): ChatTask {
  return { topic, to, wait };
}

function topTask({ socket, interval: every, json = false }: ParsedOptions): TopTask {
  return { interval: every, json, ...definedOnly({ socket }) };
}

function doctorTask({ to = [], pings, seconds: duration, wait }: ParsedOptions): DoctorTask {
  const [identity = "", ...more] = to;
  if (more.length > 0) throw new Failure("usage", `Cannot examine as --to must be one name: got ${to.length}`);
  if (duration > 10) throw new Failure("usage", `Cannot examine as --seconds must be 10 at most: got ${duration}`);
  return { to: identity, pings, seconds: duration, wait };
}

function path(text: string): string {
  if (text === "") throw new InvalidArgumentError("It must be a path.");
  return text;
}

function interval(text: string): number {
  const value = seconds(text);
  if (value < 0.1) throw new InvalidArgumentError("It must be 0.1 seconds at least.");
  return value;
}

function names(text: string, before: string[] = []): string[] {
  const given = text.split(",").map((name) => name.trim());
  if (given.includes("")) throw new InvalidArgumentError("Each name must be non-empty.");
  return [...new Set([...before, ...given])];
}

function attribute(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It must be KEY=VALUE.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1_000_000)) {
    throw new InvalidArgumentError("It must be a number of seconds.");
  }
  return value;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError("It must be an integer from 1.");
  }
  return value;
}

function refusal(error: CommanderError): Failure {
  const [first = "", ...more] = error.message.replace(/^error: /, "").split("\n");
  const hint = more.join(" ").trim() || "See millrace --help, millrace send --help";
  return new Failure("usage", `Cannot read the arguments: ${first.replace(/\.$/, "")}`, { cause: error, hint });
}

function definedOnly<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
