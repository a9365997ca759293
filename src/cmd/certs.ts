import { join } from "node:path";
import { realClock } from "#base/clock.ts";
import { describeFlags, FlagError, type FlagSpec, type ParsedFlags, parseFlags } from "#component-base/flags.ts";
import { type CertificateStatus, certificateStatuses } from "#pki/certificate-status.ts";
import { heldCertificates, renewKubeconfigs } from "#pki/held-certificates.ts";
import { addAuthority, forgetOldAuthorities, isAuthority, RotationError, renewLeaves, switchAuthority } from "#pki/rotation.ts";
import { certsCreate, certsCreateFlags } from "./certs-create.ts";
import { StartupError } from "./startup-error.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

const certsFlags = {
  "data-dir": {
    type: "string",
    default: "./.kybern",
    placeholder: "DIR",
    help: "The cluster's folder: its certificates lie in pki/.",
  },
  "cert-dir": {
    type: "string",
    default: "",
    placeholder: "DIR",
    help: "The folder of certificates itself, in place of --data-dir.",
  },
  ...certsCreateFlags,
  within: {
    type: "int",
    default: 30,
    min: 0,
    max: 36500,
    placeholder: "DAYS",
    help: "check: what ends within so many days is a failure.",
  },
  switch: { type: "bool", default: false, help: "renew AUTHORITY: let the new one sign, and make anew what the old one signed." },
  "forget-old": { type: "bool", default: false, help: "renew AUTHORITY: trust the new one alone." },
  help: { type: "bool", default: false, help: "Show this help." },
} as const satisfies Readonly<Record<string, FlagSpec>>;

type CertsFlags = ParsedFlags<typeof certsFlags>;

const USAGE = `Shows when the certificates of a cluster end, and makes new ones.

Usage:
  kybern certs check [flags]            Lists them; exit code 1 when one has ended or is about to
  kybern certs renew all|NAME [flags]   Makes them anew; a cluster that runs takes them up within a minute
  kybern certs renew ca|front-proxy-ca|etcd-ca
                                        Replaces an authority, in three steps: without a flag a new one is trusted beside
                                        the old one; --switch lets it sign; --forget-old ends the trust in the old one
  kybern certs create [flags]           Makes those of a cluster of several machines, with kubeconfigs and token.csv; what is
                                        there and still fits is kept, so that machines can be added
`;

/** `kybern certs`: looks at a cluster's certificates, and renews them. */
export async function certs(args: readonly string[]): Promise<void> {
  const firstFlag = args.findIndex((arg) => arg.startsWith("-"));
  const words = firstFlag < 0 ? args : args.slice(0, firstFlag);
  const flags = parseFlags(certsFlags, args.slice(words.length));
  const [action, name, ...more] = words;
  if (flags.help || action === undefined) {
    process.stdout.write(`${USAGE}\n${describeFlags(certsFlags)}\n`);
    return;
  }
  if (action === "check" && name === undefined) return check(flags);
  if (action === "create" && name === undefined) return certsCreate(flags["cert-dir"] || join(flags["data-dir"], "pki"), flags);
  if (action !== "renew" || name === undefined || more.length > 0) {
    throw new FlagError(`takes "check", "create" or "renew NAME", not "${words.join(" ")}". See kybern certs --help.`);
  }
  try {
    process.stdout.write(`${await renew(name, flags)}\n`);
  } catch (error) {
    if (error instanceof RotationError) throw new StartupError(error.message);
    throw error;
  }
}

async function check(flags: CertsFlags): Promise<void> {
  const dir = foldersOf(flags).pki;
  const statuses = await certificateStatuses(dir);
  if (statuses.length === 0)
    throw new StartupError(
      `there are no certificates in ${dir}. Name the cluster's folder with --data-dir, or that of certificates with --cert-dir.`,
    );
  const now = realClock.now();
  const rows = [["CERTIFICATE", "EXPIRES", "RESIDUAL TIME", "SIGNED BY"], ...statuses.map((status) => row(status, now))];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)) + 3);
  const lines = rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("")
      .trimEnd(),
  );
  process.stdout.write(`${lines.join("\n")}\n`);
  const ending = statuses.filter(({ expiresAt }) => expiresAt - now < flags.within * DAY_MS).map(({ file }) => file);
  if (ending.length > 0) {
    throw new StartupError(
      `${ending.join(", ")}: less than ${flags.within} days are left. Make new ones with kybern certs renew.`,
    );
  }
}

function row({ file, authority, expiresAt, count }: CertificateStatus, now: number): string[] {
  const left = expiresAt - now;
  const residual =
    left <= 0 ? "ended" : left < 2 * DAY_MS ? `${Math.floor(left / (DAY_MS / 24))}h` : `${Math.floor(left / DAY_MS)}d`;
  const signedBy = file !== authority ? authority : count > 1 ? `itself, beside ${count - 1} more` : "itself";
  return [file, new Date(expiresAt).toISOString().replace(/\.\d+Z/, "Z"), residual, signedBy];
}

/** Where certificates are, and the kubeconfigs that hold some of them. */
function foldersOf(flags: CertsFlags): { readonly pki: string; readonly kubeconfigs: string } {
  const dir = flags["cert-dir"];
  return dir === "" ? { pki: join(flags["data-dir"], "pki"), kubeconfigs: flags["data-dir"] } : { pki: dir, kubeconfigs: dir };
}

async function renew(name: string, flags: CertsFlags): Promise<string> {
  const { pki, kubeconfigs } = foldersOf(flags);
  const held = await heldCertificates(kubeconfigs, pki);
  const said = await renewFiles(pki, name, flags);
  await renewKubeconfigs(kubeconfigs, pki, held);
  return said;
}

async function renewFiles(dir: string, name: string, flags: CertsFlags): Promise<string> {
  const now = realClock.now();
  if (isAuthority(name)) {
    if (flags["forget-old"]) {
      await forgetOldAuthorities(dir, name);
      return `Only the new ${name} is trusted from now on.`;
    }
    if (flags.switch) {
      await switchAuthority(dir, name, now);
      return `The new ${name} signs. When nobody holds a certificate of the old one any more: kybern certs renew ${name} --forget-old`;
    }
    await addAuthority(dir, name, now);
    return `A new ${name} is trusted beside the old one. Give ${name}.pem to everybody who has the old one, then: kybern certs renew ${name} --switch`;
  }
  if (flags.switch || flags["forget-old"])
    throw new FlagError(`flags --switch and --forget-old are for authorities, not for ${name}`);
  const all = (await certificateStatuses(dir)).filter(({ file }) => !isAuthority(file)).map(({ file }) => file);
  const names = name === "all" ? all : [name];
  await renewLeaves(dir, names, now);
  return `Renewed ${names.join(", ")}.`;
}
