import { pemBlock } from "../registry/certificates/pem-block.ts";

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const OBJECT_IDENTIFIER = 0x06;
/** 2.5.4.10, `organizationName`. */
const ORGANIZATION = "55040a";
const BMP_STRING = 0x1e;

/** One value of DER: its tag and what stands in it. */
interface Value {
  readonly tag: number;
  readonly content: Uint8Array;
}

/**
 * The organizations that a PKCS#10 request asks to be certified for: in Kubernetes the groups of a user (RFC 2986).
 * `pem` holds the request; undefined when it cannot be read.
 */
export function requestedOrganizations(pem: string): readonly string[] | undefined {
  const block = pemBlock(pem, "CERTIFICATE REQUEST");
  if (block === undefined) return undefined;
  const [request] = valuesOf(Buffer.from(block, "base64")) ?? [];
  const [info] = within(request, SEQUENCE) ?? [];
  const [version, subject] = within(info, SEQUENCE) ?? [];
  const names = version?.tag === INTEGER ? within(subject, SEQUENCE) : undefined;
  if (names === undefined) return undefined;
  const organizations: string[] = [];
  for (const attribute of names.flatMap((set) => within(set, SET) ?? [])) {
    const [type, value] = within(attribute, SEQUENCE) ?? [];
    if (type?.tag !== OBJECT_IDENTIFIER || value === undefined) return undefined;
    if (Buffer.from(type.content).toString("hex") === ORGANIZATION) organizations.push(textOf(value));
  }
  return organizations;
}

function within(value: Value | undefined, tag: number): readonly Value[] | undefined {
  return value?.tag === tag ? valuesOf(value.content) : undefined;
}

/** The values that stand one after the other; undefined when their lengths do not fit. */
function valuesOf(bytes: Uint8Array): readonly Value[] | undefined {
  const values: Value[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at++] ?? 0;
    let length = bytes[at++] ?? Number.NaN;
    if (length > 127) {
      const octets = length & 127;
      if (octets === 0 || octets > 4) return undefined;
      length = 0;
      for (let i = 0; i < octets; i++) length = length * 256 + (bytes[at++] ?? Number.NaN);
    }
    if (!(at + length <= bytes.length)) return undefined;
    values.push({ tag, content: bytes.subarray(at, at + length) });
    at += length;
  }
  return values;
}

function textOf({ tag, content }: Value): string {
  const bytes = Buffer.from(content);
  return tag === BMP_STRING ? bytes.swap16().toString("utf16le") : bytes.toString("utf8");
}
