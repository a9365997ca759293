import { expect, test } from "vitest";
import type { Node, PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import { parseQuantity, quantityCompare } from "#apimachinery/resource/quantity.ts";
import { type Random, seededRandom } from "#base/random.ts";
import { classOfClaim, classOfVolume, offersModes } from "./volume-fields.ts";
import { findVolume, isReachable } from "./volume-matching.ts";
import { VolumePool } from "./volume-pool.ts";

const HOSTS = ["a", "b", "c"];
const SIZES = ["1Gi", "2Gi", "2048Mi", "3Gi"];
const pickBy =
  (random: Random) =>
  <T>(values: readonly T[]): T =>
    values[random.int(values.length)] as T;
type Pick = ReturnType<typeof pickBy>;

function randomVolume(pick: Pick, name: string): PersistentVolume {
  const hosts = pick([undefined, ["a"], ["b"], ["a", "b"]]);
  const onHosts = { key: "kubernetes.io/hostname", operator: "In", values: hosts ?? [] };
  const inZone = { key: "zone", operator: "In", values: ["z"] };
  const terms = hosts === undefined ? pick([undefined, [{ matchExpressions: [inZone] }]]) : [{ matchExpressions: [onHosts] }];
  const claimRef = pick([undefined, undefined, { namespace: "ns", name: pick(["c0", "c1"]) }]);
  return {
    metadata: { name },
    spec: {
      capacity: { storage: pick(SIZES) },
      accessModes: pick([["ReadWriteOnce"], ["ReadWriteMany"], ["ReadWriteOnce", "ReadWriteMany"]]),
      storageClassName: pick(["slow", "fast"]),
      volumeMode: pick(["Filesystem", "Filesystem", "Block"]),
      ...(claimRef === undefined ? {} : { claimRef }),
      ...(terms === undefined ? {} : { nodeAffinity: { required: { nodeSelectorTerms: terms } } }),
    },
    status: { phase: pick(["Available", "Available", "Pending"]) },
  };
}

const randomClaim = (pick: Pick): PersistentVolumeClaim => ({
  metadata: { name: pick(["c0", "c1", "c2"]), namespace: "ns", uid: "u" },
  spec: {
    accessModes: pick([["ReadWriteOnce"], ["ReadWriteMany"]]),
    storageClassName: pick(["slow", "fast"]),
    resources: { requests: { storage: pick(SIZES) } },
  },
});

const sizeOf = ({ spec }: PersistentVolume) => parseQuantity(spec?.capacity?.storage ?? 0);

/** Access modes and size of the best of all, by the words of the rule. */
function best(all: readonly PersistentVolume[], claim: PersistentVolumeClaim, node: Node | undefined): string | undefined {
  const wanted = parseQuantity(claim.spec?.resources?.requests?.storage ?? 0);
  const serves = (volume: PersistentVolume): boolean =>
    quantityCompare(sizeOf(volume), wanted) >= 0 &&
    (volume.spec?.volumeMode ?? "Filesystem") === "Filesystem" &&
    offersModes(volume, claim);
  const reaches = (volume: PersistentVolume): boolean => node === undefined || isReachable(volume, node);
  const meant = all.filter(({ spec }) => spec?.claimRef?.name === claim.metadata.name).filter(serves);
  if (meant.length > 0) return meant.some(reaches) ? "meant" : undefined;
  const free = all.filter((volume) => volume.spec?.claimRef === undefined && volume.status?.phase === "Available");
  const [first] = free
    .filter((volume) => classOfVolume(volume) === classOfClaim(claim) && serves(volume) && reaches(volume))
    .sort((a, b) => {
      const modes = (a.spec?.accessModes?.length ?? 0) - (b.spec?.accessModes?.length ?? 0);
      return modes === 0 ? quantityCompare(sizeOf(a), sizeOf(b)) : modes;
    });
  return first === undefined ? undefined : rankOf(first);
}

const rankOf = (volume: PersistentVolume): string =>
  volume.spec?.claimRef === undefined
    ? `${volume.spec?.accessModes?.length} modes, ${quantityCompare(sizeOf(volume), parseQuantity("2Gi"))}`
    : "meant";

test("what a pool finds first is the best of all that there are, as they come, change and go", () => {
  const random = seededRandom(5);
  const pick = pickBy(random);
  const pool = new VolumePool();
  const all = new Map<string, PersistentVolume>();
  const found = new Set<string | undefined>();
  for (let round = 0; round < 3_000; round++) {
    const name = `v${random.int(25)}`;
    const old = all.get(name);
    if (old !== undefined) pool.remove(old);
    all.delete(name);
    if (random.int(4) > 0) {
      const volume = randomVolume(pick, name);
      pool.add(volume);
      all.set(name, volume);
    }
    const claim = randomClaim(pick);
    const host = pick([undefined, ...HOSTS]);
    const labels = { "kubernetes.io/hostname": host ?? "", zone: pick(["z", "y"]) };
    const node = host === undefined ? undefined : { metadata: { name: host, labels }, spec: {} };
    const meant = [...all.values()].filter(({ spec }) => spec?.claimRef?.name === claim.metadata.name);
    // Of several that refer to one claim either may be had.
    if (meant.length > 1) continue;
    const volume = findVolume(claim, pool, { waits: false, ...(node === undefined ? {} : { node }) });
    const rank = volume === undefined ? undefined : rankOf(volume);
    expect([round, rank]).toEqual([round, best([...all.values()], claim, node)]);
    found.add(rank);
  }
  expect(found.size).toBeGreaterThan(5);
});

test("only volumes that a node's host can reach are looked at for it", () => {
  const local = (host: string): PersistentVolume => ({
    metadata: { name: `on-${host}` },
    spec: {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [host] }] }],
        },
      },
    },
  });
  const claim: PersistentVolumeClaim = { metadata: { name: "c", namespace: "ns" }, spec: { accessModes: ["ReadWriteOnce"] } };
  const pool = VolumePool.of([
    ...HOSTS.map(local),
    { ...local("x"), metadata: { name: "shared" }, spec: { ...local("x").spec, nodeAffinity: {} } },
  ]);
  const names = (node?: Node) => [...pool.freeFor(claim, node)].map(({ metadata }) => metadata.name);
  const node = (host: string): Node => ({ metadata: { name: "n", labels: { "kubernetes.io/hostname": host } }, spec: {} });
  expect(names(node("b"))).toEqual(["shared", "on-b"]);
  expect(names(node("d"))).toEqual(["shared"]);
  expect(names()).toEqual(["on-a", "on-b", "on-c", "shared"]);
});
