import { X509Certificate } from "node:crypto";
import type { ClusterTrustBundle } from "#api/generated/certificates/v1beta1.ts";
import { type FieldError, invalid, tooLong } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength, isDns1123Subdomain } from "#apimachinery/validation/names.ts";
import { IMMUTABLE_MESSAGE } from "#apimachinery/validation/object-meta.ts";
import { signerNameErrors } from "../../core/pod/validation/signer-name.ts";
import { type PemBlock, pemBlocks } from "../pem-block.ts";

const TRUST_BUNDLE_BYTES_MAX = 1024 * 1024;
const OMITTED = "<value omitted>";
const spec = FieldPath.of("spec");

/** Upstream's `ValidateClusterTrustBundleName`: the bundles of a signer stand under its name. */
export function bundleNameMessages({ spec: { signerName = "" } }: ClusterTrustBundle, name: string): string[] {
  if (signerName === "") {
    if (name.includes(":")) return ['ClusterTrustBundle without signer name must not have ":" in its name'];
    return isDns1123Subdomain(name);
  }
  const prefix = `${signerName.replaceAll("/", ":")}:`;
  if (!name.startsWith(prefix)) {
    return [`ClusterTrustBundle for signerName ${signerName} must be named with prefix ${prefix}`];
  }
  return isDns1123Subdomain(name.slice(prefix.length));
}

/** Upstream's `ValidateClusterTrustBundle`, without the metadata rules. */
export function validateBundle(bundle: ClusterTrustBundle): FieldError[] {
  return [...signerErrors(bundle), ...trustErrors(bundle.spec.trustBundle ?? "")];
}

/** What certificates a bundle had before may stay, whatever the rules of today. */
export function validateBundleUpdate(bundle: ClusterTrustBundle, old: ClusterTrustBundle): FieldError[] {
  const errors = bundle.spec.trustBundle === old.spec.trustBundle ? signerErrors(bundle) : validateBundle(bundle);
  const { signerName = "" } = bundle.spec;
  if (signerName !== (old.spec.signerName ?? "")) errors.push(invalid(spec.child("signerName"), signerName, IMMUTABLE_MESSAGE));
  return errors;
}

function signerErrors({ spec: { signerName = "" } }: ClusterTrustBundle): FieldError[] {
  return signerName === "" ? [] : signerNameErrors(signerName, spec.child("signerName"));
}

function trustErrors(text: string): FieldError[] {
  const path = spec.child("trustBundle");
  if (byteLength(text) > TRUST_BUNDLE_BYTES_MAX) return [tooLong(path, TRUST_BUNDLE_BYTES_MAX)];
  const blocks = pemBlocks(text);
  const problems = blocks.flatMap((block, i) => {
    const problem = blockProblem(block);
    return problem === undefined ? [] : [`entry ${i} ${problem}`];
  });
  if (problems.length === 0) problems.push(...repetitions(blocks));
  if (blocks.length === 0) problems.push("at least one trust anchor must be provided");
  return problems.map((problem) => invalid(path, OMITTED, problem));
}

function blockProblem({ type, hasHeaders, bytes }: PemBlock): string | undefined {
  if (type !== "CERTIFICATE") return `has bad block type: ${type}`;
  if (hasHeaders) return "has PEM block headers";
  try {
    return new X509Certificate(bytes).ca ? undefined : "does not have the CA bit set";
  } catch {
    return "does not parse as X.509";
  }
}

function repetitions(blocks: readonly PemBlock[]): string[] {
  const places = new Map<string, number[]>();
  for (const [i, { bytes }] of blocks.entries()) {
    const key = bytes.toString("base64");
    places.set(key, [...(places.get(key) ?? []), i]);
  }
  const repeated = [...places.values()].filter((indices) => indices.length > 1);
  return repeated.map((indices) => `duplicate trust anchor (indices [${indices.join(" ")}])`);
}
