import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { tarArchive } from "./tar.mjs";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const ARCHITECTURES = { x64: "amd64", arm64: "arm64" };

/** Names of images that runtimes know: with a registry, and `library/` where nobody else is named. */
export function wholeName(name) {
  const tagged = /:[^/]+$/.test(name) ? name : `${name}:latest`;
  const [first, ...rest] = tagged.split("/");
  const isRegistry = rest.length > 0 && (first === "localhost" || /[.:]/.test(first));
  if (isRegistry) return tagged;
  return `docker.io/${rest.length > 0 ? tagged : `library/${tagged}`}`;
}

/**
 * An image as a tar file (OCI image layout, with Docker's `manifest.json` beside it), the same bytes for the same content.
 * @param {object} image
 * @param {readonly (readonly import("./tar.mjs").Entry[])[]} image.layers From the lowest.
 * @param {object} image.config How its processes begin, in OCI's words.
 * @param {readonly string[]} image.names Under which runtimes have it then.
 * @param {(name: string, make: () => Buffer) => Buffer} image.cached Keeps what takes long to make.
 */
export function ociImage({ layers, config, names, cached }) {
  const made = layers.map((entries) => {
    const archive = tarArchive(entries);
    const diffId = digest(archive);
    return {
      diffId,
      blob: blob(
        "application/vnd.oci.image.layer.v1.tar+gzip",
        cached(`${hex(diffId)}.gz`, () => gzipSync(archive)),
      ),
    };
  });
  const settings = blob(
    "application/vnd.oci.image.config.v1+json",
    json({
      created: new Date(0).toISOString(),
      architecture: ARCHITECTURES[process.arch] ?? process.arch,
      os: "linux",
      config,
      rootfs: { type: "layers", diff_ids: made.map(({ diffId }) => diffId) },
      history: made.map(() => ({ created: new Date(0).toISOString() })),
    }),
  );
  const manifest = blob(
    MANIFEST,
    json({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: settings.descriptor,
      layers: made.map((layer) => layer.blob.descriptor),
    }),
  );
  const blobs = [settings, manifest, ...made.map((layer) => layer.blob)];
  const index = names.map((name) => ({
    ...manifest.descriptor,
    annotations: { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.slice(name.lastIndexOf(":") + 1) },
  }));
  const path = ({ descriptor }) => `blobs/sha256/${hex(descriptor.digest)}`;
  const forDocker = [{ Config: path(settings), RepoTags: names, Layers: made.map((layer) => path(layer.blob)) }];
  const archive = tarArchive([
    { path: "oci-layout", data: json({ imageLayoutVersion: "1.0.0" }), mode: 0o644 },
    { path: "index.json", data: json({ schemaVersion: 2, manifests: index }), mode: 0o644 },
    { path: "manifest.json", data: json(forDocker), mode: 0o644 },
    ...blobs.map((one) => ({ path: path(one), data: one.bytes, mode: 0o644 })),
  ]);
  return { archive, digest: manifest.descriptor.digest };
}

function blob(mediaType, bytes) {
  return { bytes, descriptor: { mediaType, digest: digest(bytes), size: bytes.length } };
}

function digest(bytes) {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function hex(value) {
  return value.replace("sha256:", "");
}

function json(value) {
  return Buffer.from(JSON.stringify(value));
}
