import { ownValue } from "#base/own-value.ts";
import { complain, type Program } from "../process.ts";

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400 };
/** The longest delay that a timer takes, in milliseconds. */
const DELAY_MS_MAX = 2 ** 31 - 1;

const sleep: Program = async (args, process) => {
  const durations = args.map((arg) => /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(arg));
  if (args.length === 0 || args.some((arg, i) => durations[i] === null && !/^inf/.test(arg))) {
    return complain(process, `sleep: invalid number '${args[0] ?? ""}'`);
  }
  const seconds = durations.map((found) =>
    found === null ? Number.POSITIVE_INFINITY : Number(found[1]) * (ownValue(UNITS, found[2] || "s") ?? 1),
  );
  let leftMs = seconds.reduce((sum, one) => sum + one * 1000, 0);
  while (leftMs > 0) {
    const part = Math.min(leftMs, DELAY_MS_MAX);
    await process.clock.sleep(part, process.signal);
    leftMs -= part;
  }
  return 0;
};

const env: Program = async (_args, { env: variables, stdout }) => {
  for (const [key, value] of variables) await stdout.write(`${key}=${value}\n`);
  return 0;
};

const printenv: Program = async (args, process) => {
  if (args.length === 0) return env(args, process);
  let code = 0;
  for (const name of args) {
    const value = process.env.get(name);
    if (value === undefined) code = 1;
    else await process.stdout.write(`${value}\n`);
  }
  return code;
};

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** In UTC; a format may have the commonest letters. */
const date: Program = async (args, { clock, stdout }) => {
  const now = new Date(clock.now());
  const iso = now.toISOString();
  const letters: Readonly<Record<string, string>> = {
    Y: iso.slice(0, 4),
    m: iso.slice(5, 7),
    d: iso.slice(8, 10),
    H: iso.slice(11, 13),
    M: iso.slice(14, 16),
    S: iso.slice(17, 19),
    F: iso.slice(0, 10),
    T: iso.slice(11, 19),
    s: String(Math.floor(now.getTime() / 1000)),
    N: `${iso.slice(20, 23)}000000`,
    a: DAYS[now.getUTCDay()] ?? "",
    b: MONTHS[now.getUTCMonth()] ?? "",
    Z: "UTC",
    z: "+0000",
    "%": "%",
  };
  const format = args.find((arg) => arg.startsWith("+"))?.slice(1);
  const day = String(now.getUTCDate()).padStart(2);
  const text = format?.replace(/%(.)/g, (all, letter: string) => ownValue(letters, letter) ?? all);
  await stdout.write(`${text ?? `${letters.a} ${letters.b} ${day} ${letters.T} UTC ${letters.Y}`}\n`);
  return 0;
};

/** Says always the same. */
function says(text: string): Program {
  return async (_args, { stdout }) => {
    await stdout.write(`${text}\n`);
    return 0;
  };
}

const hostname: Program = async (_args, process) => {
  await process.stdout.write(`${process.hostname}\n`);
  return 0;
};

const pwd: Program = async (_args, { location, stdout }) => {
  await stdout.write(`${location.cwd}\n`);
  return 0;
};

const uname: Program = async (args, { hostname: name, stdout }) => {
  const all = ["Linux", name, "6.12.0", "#1 SMP", "x86_64", "Linux"];
  await stdout.write(
    `${args.includes("-a") ? all.join(" ") : args.includes("-n") ? name : args.includes("-r") ? "6.12.0" : args.includes("-m") ? "x86_64" : "Linux"}\n`,
  );
  return 0;
};

const tty: Program = async (_args, process) => {
  await process.stdout.write(process.tty ? "/dev/pts/0\n" : "not a tty\n");
  return Number(!process.tty);
};

const succeed: Program = async () => 0;
const fail: Program = async () => 1;

/** Programs that tell of the container, or wait. A terminal's settings and signals have no effect. */
export const systemPrograms: Readonly<Record<string, Program>> = {
  sleep,
  env,
  printenv,
  date,
  hostname,
  pwd,
  uname,
  tty,
  whoami: says("root"),
  id: says("uid=0(root) gid=0(root) groups=0(root)"),
  nproc: says("8"),
  stty: succeed,
  sync: succeed,
  kill: succeed,
  clear: succeed,
  true: succeed,
  false: fail,
};
