import { expect, test } from "vitest";
import type { Container, Pod, Secret } from "#api/generated/core/v1.ts";
import { ManualClock } from "#base/manual-clock.ts";
import type { AuthConfig, Image, ImageService } from "#cri/image-service.ts";
import { parseImageName, withDefaultTag } from "./image-name.ts";
import { Keyring } from "./keyring.ts";
import { PullManager, type PullManagerOptions } from "./pull-manager.ts";
import { PullQueue } from "./pull-queue.ts";

test.each([
  ["busybox", "docker.io/library/busybox", "latest", ""],
  ["a/b:1", "docker.io/a/b", "1", ""],
  ["localhost/b", "localhost/b", "latest", ""],
  ["127.0.0.1:5000/a/b:v1", "127.0.0.1:5000/a/b", "v1", ""],
  [`quay.io/a/b@sha256:${"0".repeat(64)}`, "quay.io/a/b", "", `sha256:${"0".repeat(64)}`],
])("%s is %s", (image, repository, tag, digest) => expect(parseImageName(image)).toEqual({ repository, tag, digest }));

test.each([
  ["Busy", 'couldn\'t parse image name "Busy": invalid reference format: repository name (library/Busy) must be lowercase'],
  ["a b", 'couldn\'t parse image name "a b": invalid reference format'],
  ["", 'couldn\'t parse image name "": invalid reference format'],
])("%s is no name", (image, message) => expect(() => parseImageName(image)).toThrow(message));

test("a name without a tag means the latest, and stays short", () => {
  expect(withDefaultTag("busybox")).toBe("busybox:latest");
  expect(withDefaultTag("busybox:1")).toBe("busybox:1");
});

const secretOf = (auths: object): Secret =>
  ({
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths })).toString("base64") },
  }) as unknown as Secret;
const auth = (text: string): string => Buffer.from(text).toString("base64");

test.each<[string, string, readonly string[]]>([
  ["https://index.docker.io/v1/", "docker.io/library/busybox", ["u"]],
  ["quay.io", "quay.io/a/b", ["u"]],
  ["quay.io/a", "quay.io/a/b", ["u"]],
  ["quay.io/c", "quay.io/a/b", []],
  ["*.example.com", "r.example.com/a", ["u"]],
  ["*.example.com", "r.s.example.com/a", []],
  ["*.example.com:5000", "r.example.com/a", []],
  ["r*.example.com:5000", "reg.example.com:5000/a", ["u"]],
])("credentials for %s: %s", (location, repository, users) => {
  const keyring = Keyring.of([secretOf({ [location]: { auth: auth("u:p") } })]);
  expect(keyring.lookup(repository).map(({ username }) => username)).toEqual(users);
});

test("the more exact credentials are tried first, and the old kind of secret counts too", () => {
  const old = {
    type: "kubernetes.io/dockercfg",
    data: { ".dockercfg": Buffer.from(JSON.stringify({ "quay.io": { username: "old", password: "p" } })).toString("base64") },
  } as unknown as Secret;
  const keyring = Keyring.of([old, secretOf({ "quay.io/a": { auth: auth("exact:p:q") } }), secretOf({ bad: { auth: "!" } })]);
  expect(keyring.lookup("quay.io/a/b")).toEqual([
    { username: "exact", password: "p:q" },
    { username: "old", password: "p" },
  ]);
});

test("so many run at a time, the others in their order", async () => {
  const queue = new PullQueue(1);
  const said: string[] = [];
  const run = (name: string): Promise<void> =>
    queue.run(async () => {
      said.push(`${name} begins`);
      await Promise.resolve();
      said.push(`${name} ends`);
    });
  await Promise.all([run("a"), run("b"), run("c")]);
  expect(said).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
});

const IMAGE: Image = { id: "sha256:1", repoTags: [], repoDigests: [], sizeBytes: 7, uid: 5, username: "", pinned: false };

interface Lab {
  readonly manager: PullManager;
  readonly clock: ManualClock;
  readonly events: string[];
  readonly pulls: (AuthConfig | undefined)[];
}

interface Situation extends Partial<PullManagerOptions> {
  readonly has?: boolean;
  readonly fail?: string[];
  readonly secrets?: Readonly<Record<string, Secret>>;
}

function lab({ has = false, fail = [], secrets = {}, ...more }: Situation = {}): Lab {
  const clock = new ManualClock();
  const events: string[] = [];
  const pulls: (AuthConfig | undefined)[] = [];
  const images = {
    imageStatus: async ({ image }: { image: string }) => (has || image === IMAGE.id ? IMAGE : undefined),
    pullImage: async (_: object, options: { auth?: AuthConfig } = {}) => {
      pulls.push(options.auth);
      const failure = fail.shift();
      if (failure !== undefined) throw new Error(failure);
      return IMAGE.id;
    },
  } as unknown as ImageService;
  const options: PullManagerOptions = {
    images,
    recorder: { event: (_, type, reason, message) => void events.push(`${type} ${reason} ${message}`), flush: async () => {} },
    clock,
    secret: async (_, name) => secrets[name],
    serialize: true,
    parallelMax: undefined,
    perSecond: 0,
    burst: 0,
    ...more,
  };
  return { manager: new PullManager(options), clock, events, pulls };
}

const container = (image: string, imagePullPolicy?: string): Container => ({ name: "c", image, imagePullPolicy }) as Container;
const pod = (spec: object = {}): Pod =>
  ({ metadata: { name: "p", namespace: "n", uid: "u" }, spec: { containers: [container("i")], ...spec } }) as unknown as Pod;

test("an image that is there is taken, one that is not is pulled, as the policy says", async () => {
  const there = lab({ has: true });
  expect(await there.manager.ensureImage(pod(), container("i:1", "IfNotPresent"))).toEqual({
    imageId: IMAGE.id,
    user: { uid: 5, username: "" },
  });
  expect(there.events).toEqual(['Normal Pulled Container image "i:1" already present on machine and can be accessed by the pod']);
  await there.manager.ensureImage(pod(), container("i:1", "Always"));
  expect(there.pulls).toEqual([undefined]);
  const counted: number[] = [];
  const ensured: unknown[] = [];
  const absent = lab({
    metrics: { pulled: (bytes) => void counted.push(bytes), imageEnsured: (...how) => void ensured.push(how) },
  });
  expect(await absent.manager.ensureImage(pod(), container("i:1", "IfNotPresent"))).toMatchObject({ imageId: IMAGE.id });
  expect(absent.events).toEqual([
    'Normal Pulling Pulling image "i:1"',
    'Normal Pulled Successfully pulled image "i:1" in 0s (0s including waiting). Image size: 7 bytes.',
  ]);
  expect(counted).toEqual([7]);
  expect(ensured).toEqual([[false, "IfNotPresent", true]]);
  expect(await absent.manager.ensureImage(pod(), container("i:1", "Never"))).toMatchObject({
    reason: "ErrImageNeverPull",
    message: 'Container image "i:1" is not present with pull policy of Never',
  });
});

test("a pull that fails is held back, longer each time, and the pod is told why", async () => {
  const { manager, clock, events, pulls } = lab({ fail: ["no such image", "still none"] });
  const ask = () => manager.ensureImage(pod(), container("i:1"));
  expect(await ask()).toMatchObject({ reason: "ErrImagePull", message: "no such image" });
  const held = { reason: "ImagePullBackOff", message: 'Back-off pulling image "i:1": ErrImagePull: no such image' };
  expect(await ask()).toMatchObject({ ...held, retryAtMs: clock.elapsed() + 10_000 });
  expect(pulls).toHaveLength(1);
  clock.advance(10_000);
  expect(await ask()).toMatchObject({ reason: "ErrImagePull", message: "still none" });
  clock.advance(10_000);
  expect(await ask()).toMatchObject({ reason: "ImagePullBackOff", retryAtMs: clock.elapsed() + 10_000 });
  clock.advance(10_000);
  expect(await ask()).toMatchObject({ imageId: IMAGE.id });
  expect(events).toContain('Normal BackOff Back-off pulling image "i:1"');
  expect(events).toContain('Warning Failed Failed to pull image "i:1": still none');
});

test("names that are none, and registries that cannot be reached, have reasons of their own", async () => {
  expect(await lab().manager.ensureImage(pod(), container("A"))).toMatchObject({
    reason: "InvalidImageName",
    message: expect.stringContaining('Failed to apply default image tag "A": couldn\'t parse image name "A"'),
  });
  const { manager } = lab({ fail: ["RegistryUnavailable: it sleeps"] });
  expect(await manager.ensureImage(pod(), container("i:1"))).toMatchObject({
    reason: "RegistryUnavailable",
    message: "image pull failed for i:1 because the registry is unavailable: it sleeps",
  });
});

test("secrets of the pod are tried one after the other; those that are missing are told", async () => {
  const secrets = {
    a: secretOf({ "r.io/x": { auth: auth("first:1") } }),
    b: secretOf({ "r.io": { auth: auth("second:2") } }),
  };
  const { manager, events, pulls } = lab({ secrets, fail: ["denied"] });
  const spec = { imagePullSecrets: [{ name: "a" }, { name: "b" }, { name: "gone" }] };
  expect(await manager.ensureImage(pod(spec), container("r.io/x/y:1"))).toMatchObject({ imageId: IMAGE.id });
  expect(pulls.map((one) => one?.username)).toEqual(["first", "second"]);
  expect(events).toContain(
    "Warning FailedToRetrieveImagePullSecret Unable to retrieve some image pull secrets (gone); attempting to pull the image may not succeed.",
  );
});

test("pulls are no more than so many a second", async () => {
  const { manager, clock } = lab({ perSecond: 1, burst: 1 });
  await manager.ensureImage(pod(), container("i:1"));
  expect(await manager.ensureImage(pod(), container("i:2"))).toMatchObject({
    reason: "ErrImagePull",
    message: "pull QPS exceeded",
  });
  clock.advance(10_000);
  expect(await manager.ensureImage(pod(), container("i:2"))).toMatchObject({ imageId: IMAGE.id });
});
