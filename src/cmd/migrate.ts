import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Clock, realClock } from "#base/clock.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { describeFlags, FlagError, type FlagSpec, type ParsedFlags, parseFlags } from "#component-base/flags.ts";
import { CopyError } from "#storage/copy/copy-marker.ts";
import { type CopyResult, copyStore } from "#storage/copy/copy-store.ts";
import { type KVStore, StorageError } from "#storage/kv.ts";
import { etcdFlags, etcdKeyPrefix, etcdTls, etcdUrls } from "./flags/etcd-flags.ts";
import { type EtcdPlace, openEmbedded, openEtcd } from "./open-store.ts";
import { StartupError } from "./startup-error.ts";

const PLACE = "a data directory, or the addresses of an etcd (http or https, with commas between)";

const migrateFlags = {
  from: { type: "string", default: "", placeholder: "PLACE", help: `Where the cluster is: ${PLACE}.` },
  to: { type: "string", default: "", placeholder: "PLACE", help: `Where it is to be: ${PLACE}.` },
  ...etcdFlags,
  "to-etcd-cafile": {
    type: "string",
    default: "",
    placeholder: "FILE",
    help: "From etcd to etcd: of the target, where it differs.",
  },
  "to-etcd-certfile": {
    type: "string",
    default: "",
    placeholder: "FILE",
    help: "From etcd to etcd: for the target, where it differs.",
  },
  "to-etcd-keyfile": {
    type: "string",
    default: "",
    placeholder: "FILE",
    help: "From etcd to etcd: for the target, where it differs.",
  },
  "to-etcd-prefix": {
    type: "string",
    default: "",
    placeholder: "PREFIX",
    help: "From etcd to etcd: in the target, where it differs.",
  },
  overwrite: { type: "bool", default: false, help: "Replace what the target holds, whatever it is." },
  "raise-revision": {
    type: "bool",
    default: true,
    help: "Bring the target's revision above the source's first. Without that no client may go on from what it has read before.",
  },
  help: { type: "bool", default: false, help: "Show this help." },
} as const satisfies Readonly<Record<string, FlagSpec>>;

type MigrateFlags = ParsedFlags<typeof migrateFlags>;

const USAGE = `Copies a cluster's state between the embedded store and etcd, either way, and compares every value afterwards.

Usage: kybern migrate --from PLACE --to PLACE [flags]

A copy that was interrupted goes on when the command is given again; a second one brings over only what has changed.
`;

/** Between two lines that tell how far it is, in milliseconds. */
const REPORT_MS = 1_000;
/** Namespace whose uid tells clusters apart, as is the custom. */
const IDENTITY_KEY = "/registry/namespaces/kube-system";

/** `kybern migrate`: copies a cluster's state from one store to another. */
export async function migrate(args: readonly string[]): Promise<void> {
  const flags = parseFlags(migrateFlags, args);
  if (flags.help) {
    process.stdout.write(`${USAGE}\n${describeFlags(migrateFlags)}\n`);
    return;
  }
  const [from, to] = [sourceOf(flags), targetOf(flags)];
  if (samePlace(from, to)) throw new FlagError("--from and --to name the same place, or one within the other");
  try {
    // Time stands still for an embedded source: nothing ends in it while it is copied.
    await using source = await open(from, "--from", new ManualClock());
    await using target = await open(to, "--to", realClock);
    const result = await copyStore({
      source,
      target,
      cluster: await clusterOf(source, flags.from),
      markerKey: `kybern-copy${prefixOf(to)}`,
      overwrite: flags.overwrite,
      raise: flags["raise-revision"],
      renamed: prefixOf(from) !== prefixOf(to),
      onProgress: progressLines(realClock),
    });
    process.stdout.write(summary(flags, result));
    if (result.changedSince > 0) {
      throw new StartupError(
        `${result.changedSince} keys of the source have changed meanwhile. Stop the API servers on it, and give the command again: only the changes are copied then.`,
      );
    }
  } catch (error) {
    if (error instanceof CopyError) throw new StartupError(error.message);
    if (!(error instanceof StorageError)) throw error;
    throw new StartupError(`${error.message}. What was copied stays; give the command again to go on.`);
  }
}

/** A directory of an embedded store, or a place in etcd. */
type Place = string | EtcdPlace;

function sourceOf(flags: MigrateFlags): Place {
  return placeOf("from", flags.from, { ...flags });
}

function targetOf(flags: MigrateFlags): Place {
  const certificate = flags["to-etcd-certfile"] !== "" || flags["to-etcd-keyfile"] !== "";
  return placeOf("to", flags.to, {
    "etcd-cafile": flags["to-etcd-cafile"] || flags["etcd-cafile"],
    "etcd-certfile": certificate ? flags["to-etcd-certfile"] : flags["etcd-certfile"],
    "etcd-keyfile": certificate ? flags["to-etcd-keyfile"] : flags["etcd-keyfile"],
    "etcd-prefix": flags["to-etcd-prefix"] || flags["etcd-prefix"],
  });
}

function placeOf(flag: string, place: string, etcd: { readonly [N in keyof typeof etcdFlags]: string }): Place {
  if (place === "") throw new FlagError(`flag --${flag} is needed: ${PLACE}`);
  if (!/^https?:\/\//.test(place)) return place;
  return { urls: etcdUrls(flag, place.split(",").filter(Boolean)), tls: etcdTls(etcd), prefix: etcd["etcd-prefix"] };
}

function prefixOf(place: Place): string {
  return etcdKeyPrefix(typeof place === "string" ? "/registry" : place.prefix);
}

function samePlace(a: Place, b: Place): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  if (!a.urls.some((url) => b.urls.includes(url))) return false;
  const [one, other] = [prefixOf(a), prefixOf(b)];
  return one.startsWith(other) || other.startsWith(one);
}

async function open(place: Place, flag: string, clock: Clock): Promise<KVStore> {
  if (typeof place === "string" && flag === "--from" && !existsSync(join(place, "store", "data.mdb")))
    throw new StartupError(`${place} is not the data directory of a cluster (--from): there is no store in it.`);
  try {
    return typeof place === "string" ? await openEmbedded(place, clock) : await openEtcd(place, realClock);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    if (typeof place === "string")
      throw new StartupError(
        `the store in ${place} (${flag}) cannot be opened: ${error.message}. If a kybern runs on it, stop that one.`,
      );
    throw new StartupError(
      `etcd at ${place.urls.join(", ")} (${flag}) does not answer: ${error.message}. Start it, or check the flags --etcd-cafile, --etcd-certfile and --etcd-keyfile.`,
    );
  }
}

/** The cluster's name for itself: the uid of `kube-system`, of whose fields no other uid comes before; of an encrypted value a digest. */
async function clusterOf(source: KVStore, place: string): Promise<string> {
  const { kv } = await source.get(IDENTITY_KEY);
  if (kv === undefined) throw new StartupError(`${place} holds no cluster: there is no namespace kube-system.`);
  const text = Buffer.from(kv.value).toString("latin1");
  const uid = text.startsWith("k8s:enc:") ? undefined : /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(text)?.[0];
  return uid ?? createHash("sha256").update(kv.value).digest("hex");
}

function progressLines(clock: Clock): (what: string, done: number, total: number) => void {
  let last = clock.now();
  return (what, done, total) => {
    if (clock.now() - last < REPORT_MS) return;
    last = clock.now();
    process.stderr.write(`${what}: ${done} of ${total}\n`);
  };
}

function summary({ from, to }: MigrateFlags, result: CopyResult): string {
  const lines = [
    `Copied ${from} at revision ${result.sourceRevision} to ${to}, which is at revision ${result.targetRevision} now.`,
    `  written   ${result.written}`,
    `  deleted   ${result.deleted}`,
    `  verified  ${result.verified}, each value the same in both`,
  ];
  if (result.ended > 0) lines.push(`  ended     ${result.ended}, whose time to live was over`);
  for (const { prefix, reason, keys } of result.leftOut) lines.push(`  left out  ${keys} under ${prefix}: ${reason}`);
  return `${lines.join("\n")}\n`;
}
