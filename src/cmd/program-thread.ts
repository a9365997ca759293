import { inspect } from "node:util";
import { type MessagePort, parentPort, Worker } from "node:worker_threads";

/** A program that is to run in a thread. */
interface ThreadOptions {
  /** What is run once more in the thread, and calls {@link inThread} there with the same. */
  readonly file: string;
  readonly args: readonly string[];
  /** How many megabytes its young objects have. */
  readonly youngMb: number;
  readonly run: () => void;
}

/**
 * Runs a program in a thread whose young objects have room of their own size: that is settled when a heap is made, and an option of
 * V8 that says it would make V8 refuse code that was compiled without it. To others nothing is different: what the program prints
 * the process prints, and the process ends when it ends, with its exit code. Signals come to the main thread alone. Those that the
 * program listens for are handed on to it, and others do to the process what they always do.
 */
export function inThread({ file, args, youngMb, run }: ThreadOptions): void {
  if (parentPort === null) startThread(file, args, youngMb);
  else {
    hearSignals(parentPort);
    run();
  }
}

function startThread(file: string, args: readonly string[], youngMb: number): void {
  const thread = new Worker(file, { argv: [...args], resourceLimits: { maxYoungGenerationSizeMb: youngMb } });
  thread.on("message", (signal: NodeJS.Signals) => process.on(signal, () => thread.postMessage(signal)));
  // As Node says it of the main thread.
  thread.on("error", (error) =>
    process.stderr.write(`${error instanceof Error ? error.stack : inspect(error)}\n\nNode.js ${process.version}\n`),
  );
  thread.on("exit", (code) => {
    process.exitCode = code;
  });
}

/** `process.on("SIGTERM", …)` means in the thread what it means in the main one. */
function hearSignals(main: MessagePort): void {
  process.on("newListener", (event: string | symbol) => {
    if (typeof event === "string" && event.startsWith("SIG") && process.listenerCount(event) === 0) main.postMessage(event);
  });
  main.on("message", (signal: NodeJS.Signals) => process.emit(signal, signal));
  // That signals may come keeps no program running.
  main.unref();
}
