/**
 * The formats of names that API objects may hold, each returning what is wrong with a value in upstream's words
 * (`k8s.io/apimachinery/pkg/util/validation` of v0.36); an empty list for a good value. Lengths count UTF-8 bytes.
 */

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const LABEL_UNDERSCORE = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const SUBDOMAIN_UNDERSCORE = `${LABEL_UNDERSCORE}(\\.${LABEL_UNDERSCORE})*`;
const LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const WILDCARD = `\\*\\.${SUBDOMAIN}`;
const QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_VALUE = `(${QUALIFIED})?`;
const C_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*";
const PERCENT = "[0-9]+%";
const HTTP_HEADER = "[-A-Za-z0-9]+";
const ENV_VAR = "[-._a-zA-Z][-._a-zA-Z0-9]*";
const CONFIG_MAP_KEY = "[-._a-zA-Z0-9]+";
const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";

const labelRegExp = anchored(LABEL);
const subdomainRegExp = anchored(SUBDOMAIN);
const subdomainUnderscoreRegExp = anchored(SUBDOMAIN_UNDERSCORE);
const label1035RegExp = anchored(LABEL_1035);
const wildcardRegExp = anchored(WILDCARD);
const qualifiedRegExp = anchored(QUALIFIED);
const labelValueRegExp = anchored(LABEL_VALUE);
const cIdentifierRegExp = anchored(C_IDENTIFIER);
const percentRegExp = anchored(PERCENT);
const httpHeaderRegExp = anchored(HTTP_HEADER);
const envVarRegExp = anchored(ENV_VAR);
const configMapKeyRegExp = anchored(CONFIG_MAP_KEY);
/** The expression of a path behind a domain prefix, with its source text for messages. */
export const httpPathFormat: { readonly source: string; readonly regExp: RegExp } = {
  source: HTTP_PATH,
  regExp: new RegExp(`^${HTTP_PATH}`),
};

const SUBDOMAIN_MESSAGE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const QUALIFIED_MESSAGE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

function anchored(source: string): RegExp {
  return new RegExp(`^(?:${source})$`);
}

/** Length in UTF-8 bytes, as Go's `len`. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

/** Upstream's MaxLenError. Both count bytes; label keys, label values and declarative formats also say so. */
export function maxLengthMessage(max: number, unit: "characters" | "bytes" = "characters"): string {
  return `must be no more than ${max} ${unit}`;
}

/** Upstream's RegexError, with its odd comma and space. */
export function regexMessage(message: string, source: string, ...examples: readonly string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${source}')`;
  const listed = examples.map((example) => `'${example}', `).join(" or ");
  return `${message} (e.g. ${listed}regex used for validation is '${source}')`;
}

/** Upstream's InclusiveRangeError. */
export function inclusiveRangeMessage(low: number, high: number): string {
  return `must be between ${low} and ${high}, inclusive`;
}

type LengthUnit = "characters" | "bytes";

function check(value: string, max: number, regExp: RegExp, message: () => string, unit: LengthUnit = "characters"): string[] {
  const errors: string[] = [];
  if (value.length * 3 > max && byteLength(value) > max) errors.push(maxLengthMessage(max, unit));
  if (!regExp.test(value)) errors.push(message());
  return errors;
}

/** An RFC 1123 label: at most 63 of `[a-z0-9-]`. */
export function isDns1123Label(value: string): string[] {
  return check(value, 63, labelRegExp, () =>
    subdomainRegExp.test(value)
      ? "must not contain dots"
      : regexMessage(
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
          LABEL,
          "my-name",
          "123-abc",
        ),
  );
}

/** Labels with dots between: at most 253 characters. */
export function isDns1123Subdomain(value: string): string[] {
  return subdomainErrors(value, "characters");
}

/** The same as the format `k8s-long-name`, which counts in its message what it really counts. */
export function isLongName(value: string): string[] {
  return subdomainErrors(value, "bytes");
}

function subdomainErrors(value: string, unit: LengthUnit): string[] {
  return check(value, 253, subdomainRegExp, () => regexMessage(SUBDOMAIN_MESSAGE, SUBDOMAIN, "example.com"), unit);
}

/** A subdomain whose labels may hold underscores (search domains). */
export function isDns1123SubdomainWithUnderscore(value: string): string[] {
  return check(value, 253, subdomainUnderscoreRegExp, () =>
    regexMessage(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
      SUBDOMAIN_UNDERSCORE,
      "example.com",
    ),
  );
}

/** An RFC 1035 label: begins with a letter. */
export function isDns1035Label(value: string): string[] {
  return check(value, 63, label1035RegExp, () =>
    regexMessage(
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
      LABEL_1035,
      "my-name",
      "abc-123",
    ),
  );
}

/** `*.` and a subdomain. */
export function isWildcardDns1123Subdomain(value: string): string[] {
  return check(value, 253, wildcardRegExp, () =>
    regexMessage(
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
      WILDCARD,
      "*.example.com",
    ),
  );
}

/** A label key: a name of at most 63, with an optional subdomain and `/` before it. */
export function isQualifiedName(value: string): string[] {
  const errors: string[] = [];
  const parts = value.split("/");
  let name = parts[0] ?? "";
  if (parts.length === 2) {
    const prefix = name;
    name = parts[1] ?? "";
    if (prefix === "") errors.push("prefix part must be non-empty");
    else for (const message of subdomainErrors(prefix, "bytes")) errors.push(`prefix part ${message}`);
  } else if (parts.length > 2) {
    const text = regexMessage(QUALIFIED_MESSAGE, QUALIFIED, "MyName", "my.name", "123-abc");
    return [`a valid label key ${text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  if (name === "") errors.push("name part must be non-empty");
  else if (byteLength(name) > 63) errors.push(`name part ${maxLengthMessage(63, "bytes")}`);
  if (!qualifiedRegExp.test(name)) {
    errors.push(`name part ${regexMessage(QUALIFIED_MESSAGE, QUALIFIED, "MyName", "my.name", "123-abc")}`);
  }
  return errors;
}

/** A label value: empty, or at most 63 of `[A-Za-z0-9-_.]`. */
export function isValidLabelValue(value: string): string[] {
  const message = (): string =>
    regexMessage(
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      LABEL_VALUE,
      "MyValue",
      "my_value",
      "12345",
    );
  return check(value, 63, labelValueRegExp, message, "bytes");
}

/** A C identifier. */
export function isCIdentifier(value: string): string[] {
  if (cIdentifierRegExp.test(value)) return [];
  return [
    regexMessage(
      "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
      C_IDENTIFIER,
      "my_name",
      "MY_NAME",
      "MyName",
    ),
  ];
}

/** A port number, 1 to 65535. */
export function isValidPortNum(port: number): string[] {
  return isInRange(port, 1, 65535);
}

/** A number within bounds, both included. */
export function isInRange(value: number, low: number, high: number): string[] {
  return value >= low && value <= high ? [] : [inclusiveRangeMessage(low, high)];
}

/** A user or group id, 0 to 2^31-1. */
export function isValidUserId(id: number): string[] {
  return isInRange(id, 0, 2147483647);
}

/** A group id, 0 to 2^31-1. */
export function isValidGroupId(id: number): string[] {
  return isInRange(id, 0, 2147483647);
}

/** An IANA service name: at most 15 of `[a-z0-9-]` with at least one letter. */
export function isValidPortName(port: string): string[] {
  const errors: string[] = [];
  if (byteLength(port) > 15) errors.push(maxLengthMessage(15));
  if (!/^[-a-z0-9]+$/.test(port)) errors.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!/[a-z]/.test(port)) errors.push("must contain at least one letter (a-z)");
  if (port.includes("--")) errors.push("must not contain consecutive hyphens");
  if (port.startsWith("-") || port.endsWith("-")) errors.push("must not begin or end with a hyphen");
  return errors;
}

/** Digits and a percent sign. */
export function isPercent(value: string): string[] {
  if (percentRegExp.test(value)) return [];
  return [regexMessage("a valid percent string must be a numeric string followed by an ending '%'", PERCENT, "1%", "93%")];
}

/** An HTTP header name. */
export function isHttpHeaderName(value: string): string[] {
  if (httpHeaderRegExp.test(value)) return [];
  return [regexMessage("a valid HTTP header must consist of alphanumeric characters or '-'", HTTP_HEADER, "X-Header-Name")];
}

/** The strict form of environment variable names. */
export function isEnvVarName(value: string): string[] {
  const errors: string[] = [];
  if (!envVarRegExp.test(value)) {
    errors.push(
      regexMessage(
        "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
        ENV_VAR,
        "my.env-name",
        "MY_ENV.NAME",
        "MyEnvName1",
      ),
    );
  }
  return [...errors, ...changesDirectory(value)];
}

/** The relaxed form (RelaxedEnvironmentVariableValidation): printable ASCII but `=`. */
export function isRelaxedEnvVarName(value: string): string[] {
  const errors: string[] = [];
  if (value === "") errors.push("environment variable name must be non-empty");
  if (!/^[ -<>-~]*$/.test(value)) {
    errors.push("a valid environment variable name must consist only of printable ASCII characters other than '='");
  }
  return errors;
}

/** A key of a ConfigMap or Secret, which becomes a file name. */
export function isConfigMapKey(value: string): string[] {
  const errors = check(value, 253, configMapKeyRegExp, () =>
    regexMessage(
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
      CONFIG_MAP_KEY,
      "key.name",
      "KEY_NAME",
      "key-name",
    ),
  );
  return [...errors, ...changesDirectory(value)];
}

function changesDirectory(value: string): string[] {
  if (value === ".") return ["must not be '.'"];
  if (value === "..") return ["must not be '..'"];
  return value.startsWith("..") ? ["must not start with '..'"] : [];
}

/** A name that can be one segment of a URL path. */
export function isPathSegmentName(name: string): string[] {
  if (name === "." || name === "..") return [`may not be '${name}'`];
  return isPathSegmentPrefix(name);
}

/** As {@link isPathSegmentName}, for a name that more will be appended to. */
export function isPathSegmentPrefix(name: string): string[] {
  return ["/", "%"].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`);
}

/** Checks the name of an object, or with `prefix` a `generateName`. */
export type NameValidator = (name: string, prefix: boolean) => string[];

/** Names that are RFC 1123 subdomains: most kinds. */
export const nameIsDnsSubdomain: NameValidator = (name, prefix) => isDns1123Subdomain(prefix ? maskTrailingDash(name) : name);
/** Names that are RFC 1123 labels. */
export const nameIsDnsLabel: NameValidator = (name, prefix) => isDns1123Label(prefix ? maskTrailingDash(name) : name);
/** Names that are RFC 1035 labels. */
export const nameIsDns1035Label: NameValidator = (name, prefix) => isDns1035Label(prefix ? maskTrailingDash(name) : name);
/** Names that only have to fit into a path: RBAC kinds. */
export const nameIsPathSegment: NameValidator = (name, prefix) => (prefix ? isPathSegmentPrefix(name) : isPathSegmentName(name));

// Upstream drops the two last characters, not one, before it appends the letter.
function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith("-") ? `${name.slice(0, -2)}a` : name;
}
