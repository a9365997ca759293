import { expect, test } from "vitest";
import type { ResourceQuota } from "#api/generated/core/v1.ts";
import type { AdmissionAttributes } from "#apiserver/admission/admission.ts";
import type { Clock } from "#base/clock.ts";
import { formatResourceList } from "#component-helpers/quota/resource-list.ts";
import { type QuotaAccess, QuotaBatches } from "./quota-batches.ts";

const clock = { now: () => 0 } as Clock;
const pod = (name: string, more: Partial<AdmissionAttributes> = {}): AdmissionAttributes =>
  ({
    operation: "CREATE",
    group: "",
    resource: "pods",
    subresource: "",
    namespace: "ns",
    name,
    object: { metadata: { name }, spec: {} },
    dryRun: false,
    ...more,
  }) as AdmissionAttributes;

/** One quota of pods in a store where a write takes a turn; `interfere` may change it in between. */
class OneQuota implements QuotaAccess {
  quota: ResourceQuota | undefined;
  revision = 1;
  writes = 0;
  interfere: () => void = () => {};

  constructor(hard: string, used = "0") {
    this.set(hard, used);
  }

  set(hard: string, used: string): void {
    this.revision++;
    const metadata = { name: "q", namespace: "ns", resourceVersion: String(this.revision) };
    this.quota = { metadata, spec: { hard: { pods: hard } }, status: { hard: { pods: hard }, used: { pods: used } } };
  }

  get used(): string | undefined {
    return this.quota?.status?.used?.pods;
  }

  list(): readonly ResourceQuota[] {
    return this.quota === undefined ? [] : [this.quota];
  }

  async charge({ quota, hard, used }: Parameters<QuotaAccess["charge"]>[0]): Promise<boolean> {
    await Promise.resolve();
    this.interfere();
    this.writes++;
    if (this.quota?.metadata.resourceVersion !== quota.metadata.resourceVersion) return false;
    this.set(formatResourceList(hard).pods ?? "", formatResourceList(used).pods ?? "");
    return true;
  }
}

const admitAll = (batches: QuotaBatches, requests: readonly AdmissionAttributes[]) =>
  Promise.allSettled(requests.map((request) => batches.admit(request)));
const admitted = (results: readonly PromiseSettledResult<void>[]): number =>
  results.filter(({ status }) => status === "fulfilled").length;

test("two hundred at once get what there is, with few writes", async () => {
  const access = new OneQuota("50");
  const results = await admitAll(
    new QuotaBatches(access, clock),
    Array.from({ length: 200 }, (_, i) => pod(`p${i}`)),
  );
  expect([admitted(results), access.used, access.writes]).toEqual([50, "50", 2]);
});

test("servers that do not know of one another do not give away more than there is", async () => {
  const access = new OneQuota("50");
  const servers = Array.from({ length: 3 }, () => new QuotaBatches(access, clock));
  const results = await Promise.all(
    servers.map((batches, s) =>
      admitAll(
        batches,
        Array.from({ length: 100 }, (_, i) => pod(`p${s}-${i}`)),
      ),
    ),
  );
  const given = results.flat();
  expect(admitted(given)).toBe(50);
  expect(access.used).toBe("50");
});

test("a request is judged again by a quota that has changed meanwhile", async () => {
  const access = new OneQuota("2", "1");
  access.interfere = () => {
    if (access.writes === 0) access.set("2", "2");
  };
  await expect(new QuotaBatches(access, clock).admit(pod("p"))).rejects.toThrow(
    "exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2",
  );
});

test("a quota that is gone asks for nothing", async () => {
  const access = new OneQuota("2");
  access.interfere = () => {
    access.quota = undefined;
  };
  await expect(new QuotaBatches(access, clock).admit(pod("p"))).resolves.toBeUndefined();
});

test("a quota that changes for ever refuses in the end", async () => {
  const access = new OneQuota("9");
  access.interfere = () => access.set("9", "0");
  await expect(new QuotaBatches(access, clock).admit(pod("p"))).rejects.toThrow("the object has been modified");
  expect(access.writes).toBe(4);
});

test("a dry run is judged and not charged", async () => {
  const access = new OneQuota("1");
  const batches = new QuotaBatches(access, clock);
  await batches.admit(pod("dry", { dryRun: true }));
  expect([access.used, access.writes]).toEqual(["0", 0]);
  access.set("1", "1");
  await expect(batches.admit(pod("dry", { dryRun: true }))).rejects.toThrow("exceeded quota");
});

test("whoever waits is told of a store that fails, and the next is judged anew", async () => {
  const access = new OneQuota("9");
  const batches = new QuotaBatches(access, clock);
  access.interfere = () => {
    throw new Error("the disk is full");
  };
  const results = await admitAll(batches, [pod("a"), pod("b")]);
  expect(results.map((result) => result.status === "rejected" && result.reason.message)).toEqual([
    "the disk is full",
    "the disk is full",
  ]);
  access.interfere = () => {};
  await expect(batches.admit(pod("c"))).resolves.toBeUndefined();
});
