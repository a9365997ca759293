import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Bytes that a registry gives by their digest. */
export interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Buffer;
}

/** An image as registries have it. */
export interface OciImage {
  readonly manifest: Blob;
  /** What the manifest names. */
  readonly blobs: readonly Blob[];
}

/** How processes of an image begin, as its configuration says. */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
}

const PROGRAM = "/bin/busybox";
/** An archive of nothing that depends on who makes it, or when. */
const TAR_OPTIONS = ["--numeric-owner", "--owner=0", "--group=0", "--mtime=@0", "--sort=name"];
const ARCHIVE_BYTES_MAX: number = 64 * 1024 * 1024;

/** An image with busybox and nothing else; with a `mark` its layer is one that no other image has. */
export function busyboxImage(config: ImageConfig, mark?: string): OciImage {
  const layer = blob("application/vnd.oci.image.layer.v1.tar", busyboxLayer(mark));
  const rootfs = { type: "layers", diff_ids: [layer.digest] };
  const settings = blob(
    "application/vnd.oci.image.config.v1+json",
    json({ architecture: "amd64", os: "linux", config: { Env: ["PATH=/bin"], ...config }, rootfs }),
  );
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = { schemaVersion: 2, mediaType, config: descriptor(settings), layers: [descriptor(layer)] };
  return { manifest: blob(mediaType, json(manifest)), blobs: [settings, layer] };
}

/** An image as a file that runtimes import, under these names. */
export function imageArchive({ manifest, blobs }: OciImage, names: readonly string[]): Buffer {
  const dir = mkdtempSync(join(tmpdir(), "kybern-image-"));
  try {
    mkdirSync(join(dir, "blobs/sha256"), { recursive: true });
    for (const { digest, bytes } of [manifest, ...blobs]) writeFileSync(join(dir, "blobs", digest.replace(":", "/")), bytes);
    const manifests = names.map((name) => ({
      ...descriptor(manifest),
      annotations: { "io.containerd.image.name": name },
    }));
    writeFileSync(join(dir, "index.json"), json({ schemaVersion: 2, manifests }));
    writeFileSync(join(dir, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }));
    return execFileSync("tar", [...TAR_OPTIONS, "-cf", "-", "-C", dir, "."], { maxBuffer: ARCHIVE_BYTES_MAX });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function busyboxLayer(mark: string | undefined): Buffer {
  const dir = mkdtempSync(join(tmpdir(), "kybern-image-"));
  try {
    for (const folder of ["bin", "etc", "tmp", "data"]) mkdirSync(join(dir, folder));
    copyFileSync(PROGRAM, join(dir, "bin/busybox"));
    for (const name of execFileSync(PROGRAM, ["--list"], { encoding: "utf8" }).trim().split("\n"))
      if (name !== "busybox") symlinkSync("busybox", join(dir, "bin", name));
    writeFileSync(join(dir, "etc/passwd"), "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n");
    if (mark !== undefined) writeFileSync(join(dir, "etc/mark"), mark);
    writeFileSync(join(dir, "etc/group"), "root:x:0:\nnobody:x:65534:\n");
    return execFileSync("tar", [...TAR_OPTIONS, "-cf", "-", "-C", dir, "."], { maxBuffer: ARCHIVE_BYTES_MAX });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function blob(mediaType: string, bytes: Buffer): Blob {
  return { mediaType, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`, bytes };
}

function descriptor({ mediaType, digest, bytes }: Blob): object {
  return { mediaType, digest, size: bytes.length };
}
