import type { PodSpec, WindowsSecurityContextOptions } from "#api/generated/core/v1.ts";
import { type FieldError, forbidden, invalid } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength, isDns1123Subdomain } from "#apimachinery/validation/names.ts";
import { visitContainers } from "../visit-containers.ts";
import { invalidEach } from "./field-checks.ts";

const GMSA_SPEC_KIB_MAX = 64;
const DOMAIN_BYTES_MAX = 256;
const USER_BYTES_MAX = 104;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const controlRegExp = /[\u0000-\u001f\u007f]/;
const netBiosRegExp = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const DNS_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
const dnsRegExp = new RegExp(`^${DNS_LABEL}(?:\\.${DNS_LABEL})*$`);
const badUserCharsRegExp = /["/\\:;|=,+*?<>@[\]]/;
const dotsOrSpacesRegExp = /^[. ]+$/;

/** Options that only Windows has; they are checked on every operating system. */
export function validateWindowsOptions(options: WindowsSecurityContextOptions | undefined, path: FieldPath): FieldError[] {
  if (!options) return [];
  const errors: FieldError[] = [];
  const { gmsaCredentialSpecName: specName, gmsaCredentialSpec: spec, runAsUserName: user } = options;
  if (specName !== undefined && specName !== null) {
    errors.push(...invalidEach(path.child("gmsaCredentialSpecName"), specName, isDns1123Subdomain(specName)));
  }
  if (spec !== undefined && spec !== null) {
    const at = path.child("gmsaCredentialSpec");
    if (spec === "") errors.push(invalid(at, spec, "gmsaCredentialSpec cannot be an empty string"));
    else if (byteLength(spec) > GMSA_SPEC_KIB_MAX * 1024) {
      errors.push(invalid(at, spec, `gmsaCredentialSpec size must be under ${GMSA_SPEC_KIB_MAX} KiB`));
    }
  }
  if (user !== undefined && user !== null) errors.push(...invalidEach(path.child("runAsUserName"), user, userNameMessages(user)));
  return errors;
}

/** `DOMAIN\user`; the domain is optional. */
function userNameMessages(name: string): string[] {
  if (name === "") return ["runAsUserName cannot be an empty string"];
  if (controlRegExp.test(name)) return ["runAsUserName cannot contain control characters"];
  const parts = name.split("\\");
  if (parts.length > 2) return ["runAsUserName cannot contain more than one backslash"];
  const messages: string[] = [];
  const domain = parts.length === 2 ? (parts[0] ?? "") : undefined;
  const user = parts[parts.length - 1] ?? "";
  if (domain !== undefined) {
    if (byteLength(domain) >= DOMAIN_BYTES_MAX) {
      messages.push(`runAsUserName's Domain length must be under ${DOMAIN_BYTES_MAX} characters`);
    }
    if (!netBiosRegExp.test(domain) && !dnsRegExp.test(domain)) {
      messages.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
    }
  }
  if (user === "") messages.push("runAsUserName's User cannot be empty");
  else if (byteLength(user) > USER_BYTES_MAX) {
    messages.push(`runAsUserName's User length must not be longer than ${USER_BYTES_MAX} characters`);
  }
  if (dotsOrSpacesRegExp.test(user)) messages.push("runAsUserName's User cannot contain only periods or spaces");
  if (badUserCharsRegExp.test(user)) {
    messages.push("runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
  }
  return messages;
}

/** Host-process containers come all or none, and need the host's network. */
export function validateHostProcessPod(spec: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  let containers = 0;
  let hostProcesses = 0;
  visitContainers(spec, path, (container, at) => {
    containers++;
    const own = container.securityContext?.windowsOptions?.hostProcess;
    if (typeof ofPod === "boolean" && typeof own === "boolean" && ofPod !== own) {
      const detail = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
      errors.push(invalid(at.child("securityContext", "windowsOptions", "hostProcess"), own, detail));
    }
    if (own ?? ofPod) hostProcesses++;
  });
  if (hostProcesses === 0) return errors;
  if (hostProcesses !== containers) {
    const detail = "If pod contains any hostProcess containers then all containers must be HostProcess containers";
    errors.push(invalid(path, "", detail));
  }
  if (!spec.hostNetwork) {
    errors.push(invalid(path.child("hostNetwork"), false, "hostNetwork must be true if pod contains any hostProcess containers"));
  }
  return errors;
}

const NOT_FOR_LINUX = "windows options cannot be set for a linux pod";
const NOT_FOR_WINDOWS = "cannot be set for a windows pod";

/** A pod that says that it is for Linux. */
export function validateLinuxPod(spec: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.securityContext?.windowsOptions) {
    errors.push(forbidden(path.child("securityContext", "windowsOptions"), NOT_FOR_LINUX));
  }
  visitContainers(spec, path, (container, at) => {
    if (container.securityContext?.windowsOptions) {
      errors.push(forbidden(at.child("securityContext", "windowsOptions"), NOT_FOR_LINUX));
    }
  });
  return errors;
}

const POD_FIELDS = [
  "securityContext.appArmorProfile",
  "securityContext.seLinuxOptions",
  "hostUsers",
  "hostPID",
  "hostIPC",
  "securityContext.seccompProfile",
  "securityContext.fsGroup",
  "securityContext.fsGroupChangePolicy",
  "securityContext.sysctls",
  "shareProcessNamespace",
  "securityContext.runAsUser",
  "securityContext.runAsGroup",
  "securityContext.supplementalGroups",
  "securityContext.supplementalGroupsPolicy",
  "securityContext.seLinuxChangePolicy",
];
const CONTAINER_FIELDS = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "capabilities",
  "readOnlyRootFilesystem",
  "privileged",
  "allowPrivilegeEscalation",
  "procMount",
  "runAsUser",
  "runAsGroup",
];

/** A pod that says that it is for Windows may have nothing that only Linux has. */
export function validateWindowsPod(spec: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of POD_FIELDS) {
    const value = field.split(".").reduce<unknown>(member, spec);
    const plain = field === "hostPID" || field === "hostIPC";
    const present = plain ? value === true : value !== undefined && value !== null;
    if (present && !(field.endsWith("sysctls") && Array.isArray(value) && value.length === 0)) {
      errors.push(forbidden(path.child(field), NOT_FOR_WINDOWS));
    }
  }
  visitContainers(spec, path, (container, at) => {
    for (const field of CONTAINER_FIELDS) {
      const value = member(container.securityContext, field);
      if (value !== undefined && value !== null) errors.push(forbidden(at.child("securityContext", field), NOT_FOR_WINDOWS));
    }
  });
  return errors;
}

function member(object: unknown, name: string): unknown {
  return typeof object === "object" && object !== null ? Reflect.get(object, name) : undefined;
}
