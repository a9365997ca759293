import { ownValue } from "#base/own-value.ts";

/** How long a container runs, and how it ends. */
export interface Behaviour {
  /** Undefined: until it is stopped. */
  readonly runMs: number | undefined;
  readonly exitCode: number;
  /** How long it takes to end when it is asked to. */
  readonly stopMs: number;
  /** An annotation says when or how it ends: nothing else decides that. */
  readonly isTold: boolean;
}

/** Exit code of the container; on the pod, or with `.<container>` appended for one of them. */
export const EXIT_CODE_ANNOTATION = "kybern.io/simulated-exit-code";
/** Seconds that a container runs before it exits by itself; may be a fraction. */
export const RUN_SECONDS_ANNOTATION = "kybern.io/simulated-run-seconds";
/** Seconds that a container takes to end after it was asked to. */
export const STOP_SECONDS_ANNOTATION = "kybern.io/simulated-stop-seconds";
/** What a container says when it starts, on its standard output. */
export const LOG_TEXT_ANNOTATION = "kybern.io/simulated-log-text";
/** On a container: it is meant to end by itself. Set by the kubelet. */
export const COMPLETES_LABEL = "kybern.io/completes";

/** What runs longer than a timer can wait never ends by itself: some 24 days. */
const RUN_MS_MAX = 2 ** 31 - 1;
/** How long a container that is meant to end runs when nothing else is told. */
const DEFAULT_RUN_MS = 1000;

interface Described {
  readonly name: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What a container does: what annotations say, else what can be read off a shell command, else what its kind suggests. */
export function behaviourOf(container: Described): Behaviour {
  const annotation = (name: string): number | undefined => {
    const text = ownValue(container.annotations, `${name}.${container.name}`) ?? ownValue(container.annotations, name);
    const value = Number(text);
    return text === undefined || Number.isNaN(value) || value < 0 ? undefined : value;
  };
  const command = readCommand([...container.command, ...container.args]);
  const exitCode = annotation(EXIT_CODE_ANNOTATION);
  const runSeconds = annotation(RUN_SECONDS_ANNOTATION);
  const completes = container.labels[COMPLETES_LABEL] === "true" || exitCode !== undefined;
  const fallback = completes ? DEFAULT_RUN_MS : undefined;
  const told = command === undefined ? fallback : command.runMs;
  const runMs = runSeconds === undefined ? told : runSeconds * 1000;
  return {
    runMs: runMs === undefined || runMs > RUN_MS_MAX ? undefined : runMs,
    exitCode: exitCode ?? command?.exitCode ?? 0,
    isTold: exitCode !== undefined || runSeconds !== undefined,
    stopMs: Math.min(RUN_MS_MAX, (annotation(STOP_SECONDS_ANNOTATION) ?? 0) * 1000),
  };
}

/** Understands `sleep N`, `true`, `false`, `exit N`, and shell scripts of these; undefined for all else. */
function readCommand(words: readonly string[]): { runMs: number | undefined; exitCode: number } | undefined {
  const [program = "", ...rest] = words;
  const name = program.split("/").at(-1) ?? "";
  const isShell = name === "sh" || name === "bash";
  const script = isShell ? (rest.at(0)?.startsWith("-") ? (rest[1] ?? "") : "") : words.join(" ");
  if (!isShell && name !== "sleep" && name !== "true" && name !== "false") return undefined;
  let runMs: number | undefined = 0;
  let exitCode: number | undefined;
  for (const step of script.split(/;|&&|\n/).map((part) => part.trim())) {
    const sleep = /^(?:\S*\/)?sleep\s+(\S+)$/.exec(step);
    const exit = /^exit\s+(\d+)$/.exec(step);
    if (sleep !== null) {
      const seconds = durationSeconds(sleep[1] ?? "");
      if (seconds === undefined) return { runMs: undefined, exitCode: 0 };
      runMs += seconds * 1000;
    } else if (exit !== null) {
      exitCode = Number(exit[1]) & 255;
      break;
    } else if (/^(\S*\/)?false$/.test(step)) exitCode = 1;
    else if (/^(\S*\/)?true$/.test(step)) exitCode = 0;
    else if (/^while\b/.test(step)) return { runMs: undefined, exitCode: 0 };
  }
  if (isShell && runMs === 0 && exitCode === undefined) return undefined;
  return { runMs, exitCode: exitCode ?? 0 };
}

/** Undefined for what never ends. */
function durationSeconds(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text);
  if (match === null) return undefined;
  const unit = { s: 1, m: 60, h: 3600, d: 86400 }[match[2] || "s"] ?? 1;
  return Number(match[1]) * unit;
}
