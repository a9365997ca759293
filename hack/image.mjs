// Makes an OCI image of this tree's build, without a registry or a container engine:
//   node hack/image.mjs [--output FILE] [--tag NAME]...
// The same tree on the same machine gives the same bytes.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import "./build.mjs";
import { machineEntries } from "./image/machine.mjs";
import { ociImage, wholeName } from "./image/oci.mjs";
import { packageEntries } from "./image/packages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const cache = join(root, "node_modules/.cache/image");
/** So many compressed layers are kept, the newest. */
const CACHED_LAYERS = 6;

/** Packages that the bundle loads from beside it (`EXTERNAL` in build.mjs). */
const PACKAGES = ["lmdb", "pino"];
const HOME = "opt/kybern";
const PROGRAM = `/${HOME}/dist/cmd/kybern.js`;
/** Where images of former years had their programs, and where today's have them. */
const LINKS = [
  ...["hyperkube", "apiserver", "controller-manager", "scheduler", "proxy", "kubelet"].map((name) => `/${name}`),
  ...[
    "kybern",
    "hyperkube",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubelet",
    "kubelet-wrapper",
    "kubeadm",
  ].map((name) => `/usr/local/bin/${name}`),
];
/** Folders that programs expect, beside those that files stand in. */
const FOLDERS = ["etc/kubernetes", "etc/ssl/certs", "root", "run/lock", "var/lib", "var/log", "proc", "sys", "dev"];
const CONFIG = {
  Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"],
  Entrypoint: ["/usr/local/bin/kybern"],
  WorkingDir: "/",
};

function text(path, content) {
  return { path, data: Buffer.from(content), mode: 0o644 };
}

function systemEntries() {
  return [
    ...FOLDERS.map((path) => ({ path })),
    { path: "tmp", mode: 0o1777 },
    { path: "var/run", target: "/run" },
    text("etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n"),
    text("etc/group", "root:x:0:\nnobody:x:65534:\n"),
    text("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nprotocols: files\nservices: files\n"),
  ];
}

/** The program itself, what it loads, and its names. */
function programEntries() {
  const dist = join(root, "dist");
  // Compiled code (src/cmd/launch.ts) is other bytes after each build.
  const left = /^(types|envtest)\/|^\.built$|\.map$|\.cjs\.v[^/]*$/;
  const files = readdirSync(dist, { recursive: true })
    .filter((path) => statSync(join(dist, path)).isFile() && !left.test(path))
    .map((path) => ({ path: `${HOME}/dist/${path}`, data: readFileSync(join(dist, path)), mode: 0o644 }));
  const main = files.find(({ path }) => `/${path}` === PROGRAM);
  // There is no `env` to look Node up.
  main.data = Buffer.from(main.data.toString("utf8").replace(/^#!.*/, "#!/usr/local/bin/node"));
  main.mode = 0o755;
  return [
    ...files,
    ...packageEntries(root, PACKAGES).map((entry) => ({ ...entry, path: `${HOME}/${entry.path}` })),
    ...["package.json", "LICENSE"].map((name) => text(`${HOME}/${name}`, readFileSync(join(root, name)))),
    ...LINKS.map((path) => ({ path: path.slice(1), target: relative(dirname(path), PROGRAM) })),
  ];
}

/** What was compressed before is not compressed again. */
function cached(name, make) {
  const path = join(cache, name);
  if (existsSync(path)) {
    const now = new Date();
    utimesSync(path, now, now);
    return readFileSync(path);
  }
  const bytes = make();
  mkdirSync(cache, { recursive: true });
  const partial = `${path}.${process.pid}`;
  writeFileSync(partial, bytes);
  renameSync(partial, path);
  const kept = readdirSync(cache).filter((one) => one.endsWith(".gz"));
  const age = new Map(kept.map((one) => [one, statSync(join(cache, one), { throwIfNoEntry: false })?.mtimeMs ?? 0]));
  for (const one of kept.sort((a, b) => age.get(b) - age.get(a)).slice(CACHED_LAYERS)) rmSync(join(cache, one), { force: true });
  return bytes;
}

if (process.platform !== "linux") throw new Error("images are made of this machine's own Node and tools, and that must be Linux");
const { values } = parseArgs({
  options: {
    output: { type: "string", default: join(root, "dist-image/kybern.tar") },
    tag: { type: "string", multiple: true },
    "if-needed": { type: "boolean" },
  },
});
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const names = [...new Set((values.tag ?? [`kybern:${version}`]).map(wholeName))];
const machine = machineEntries();
for (const one of machine.absent) console.warn(`The image goes without ${one}: this machine does not have it.`);
const { archive, digest } = ociImage({
  layers: [[...systemEntries(), ...machine.entries], programEntries()],
  config: CONFIG,
  names,
  cached,
});
mkdirSync(dirname(values.output), { recursive: true });
const partial = `${values.output}.${process.pid}`;
writeFileSync(partial, archive);
renameSync(partial, values.output);
console.log(
  `${values.output}: ${(archive.length / 1e6).toFixed(1)} MB, ${digest}\n${names.map((name) => `  ${name}`).join("\n")}`,
);
