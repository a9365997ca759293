import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  NetworkDeviceData,
  ResourceClaim,
  ResourceClaimConsumerReference,
} from "#api/generated/resource/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { validateConditions } from "#apimachinery/validation/conditions.ts";
import {
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
} from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength } from "#apimachinery/validation/names.ts";
import { IMMUTABLE_MESSAGE } from "#apimachinery/validation/object-meta.ts";
import { dnsLabelErrors } from "../../core/pod/validation/field-checks.ts";
import { validateNodeSelector } from "../../core/pod/validation/node-selector.ts";
import { bindingConditionErrors } from "../binding-conditions.ts";
import { setErrors, sliceErrors } from "../bounded-lists.ts";
import { referenceError, referenceErrors, requestNames } from "../claim-validation.ts";
import { driverNameErrors, poolNameErrors, rawObjectErrors, validateOpaque } from "../device-config-validation.ts";
import { interfaceAddressErrors } from "./interface-address.ts";

const CONSUMERS_MAX = 256;
const RESULTS_MAX = 32;
/** Of the class and of the claim. */
const CONFIG_MAX = 64;
const CONDITIONS_MAX = 8;
const INTERFACE_NAME_BYTES_MAX = 256;
const HARDWARE_ADDRESS_BYTES_MAX = 128;
const ADDRESSES_MAX = 16;
const SOURCES = ["FromClaim", "FromClass"];
const ANY_NUMBER: number = Number.POSITIVE_INFINITY;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const path = FieldPath.of("status");

type Device = Pick<AllocatedDeviceStatus, "driver" | "pool" | "device" | "shareID">;

/** Upstream's `ValidateResourceClaimStatusUpdate` without the metadata rules. */
export function validateResourceClaimStatus({ metadata, spec, status = {} }: ResourceClaim, old: ResourceClaim): FieldError[] {
  const { reservedFor = [], allocation, devices } = status;
  const reservedPath = path.child("reservedFor");
  const allocated = new Set((allocation?.devices?.results ?? []).map(deviceKey));
  const check = (device: AllocatedDeviceStatus, at: FieldPath): FieldError[] => deviceStatusErrors(device, allocated, at);
  const errors = [
    ...setErrors(reservedFor, CONSUMERS_MAX, reservedPath, consumerErrors, ({ uid = "" }) => uid),
    ...setErrors(devices, ANY_NUMBER, path.child("devices"), check, deviceKey, () => DEVICE_IN_GO_FORM),
  ];
  if (reservedFor.length > 0 && allocation === undefined) {
    errors.push(forbidden(reservedPath, "may not be specified when `allocated` is not set"));
  } else if (metadata.deletionTimestamp !== undefined && hasOthers(reservedFor, old.status?.reservedFor ?? [])) {
    const detail = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set";
    errors.push(forbidden(reservedPath, detail));
  }
  if (allocation === undefined) return errors;
  const at = path.child("allocation");
  const before = old.status?.allocation;
  if (before === undefined) {
    return [...errors, ...allocationErrors(allocation, requestNames(spec?.devices?.requests ?? []), at)];
  }
  return semanticEqual(allocation, before) ? errors : [...errors, invalid(at, allocation, IMMUTABLE_MESSAGE)];
}

function consumerErrors({ resource, name, uid }: ResourceClaimConsumerReference, at: FieldPath): FieldError[] {
  return Object.entries({ resource, name, uid }).flatMap(([field, value]) => (value ? [] : [required(at.child(field), "")]));
}

function hasOthers(
  consumers: readonly ResourceClaimConsumerReference[],
  before: readonly ResourceClaimConsumerReference[],
): boolean {
  return consumers.some((consumer) => !before.some((other) => semanticEqual(consumer, other)));
}

function allocationErrors({ devices, nodeSelector }: AllocationResult, names: ReadonlySet<string>, at: FieldPath): FieldError[] {
  const own = at.child("devices");
  const checkResult = (result: DeviceRequestAllocationResult, p: FieldPath): FieldError[] => resultErrors(result, names, p);
  const checkConfig = (config: DeviceAllocationConfiguration, p: FieldPath): FieldError[] => configErrors(config, names, p);
  return [
    ...sliceErrors(devices?.results, RESULTS_MAX, own.child("results"), checkResult),
    ...sliceErrors(devices?.config, CONFIG_MAX, own.child("config"), checkConfig),
    ...(nodeSelector === undefined ? [] : validateNodeSelector(nodeSelector, false, at.child("nodeSelector"))),
  ];
}

function resultErrors(result: DeviceRequestAllocationResult, names: ReadonlySet<string>, at: FieldPath): FieldError[] {
  return [
    ...referenceError(result.request ?? "", names, at.child("request")),
    ...placeErrors(result, at),
    ...bindingConditionErrors(result, at),
    ...shareErrors(result.shareID, at.child("shareID")),
  ];
}

function configErrors(config: DeviceAllocationConfiguration, names: ReadonlySet<string>, at: FieldPath): FieldError[] {
  const { source = "", requests, opaque } = config;
  const errors: FieldError[] = [];
  if (source === "") errors.push(required(at.child("source"), ""));
  else if (!SOURCES.includes(source)) errors.push(notSupported(at.child("source"), source, SOURCES));
  return [...errors, ...referenceErrors(requests, names, at.child("requests")), ...validateOpaque(opaque, at.child("opaque"))];
}

function deviceStatusErrors(device: AllocatedDeviceStatus, allocated: ReadonlySet<string>, at: FieldPath): FieldError[] {
  const { conditions = [], data, networkData } = device;
  const errors = [...placeErrors(device, at), ...shareErrors(device.shareID, at.child("shareID"))];
  if (!allocated.has(deviceKey(device))) {
    errors.push(invalid(at, DEVICE_IN_GO_FORM, "must be an allocated device in the claim"));
  }
  const conditionsPath = at.child("conditions");
  if (conditions.length > CONDITIONS_MAX) errors.push(tooMany(conditionsPath, conditions.length, CONDITIONS_MAX));
  errors.push(...validateConditions(conditions, conditionsPath));
  if (data !== undefined) errors.push(...rawObjectErrors(data, at.child("data")));
  return [...errors, ...networkErrors(networkData, at.child("networkData"))];
}

function networkErrors(network: NetworkDeviceData | undefined, at: FieldPath): FieldError[] {
  const { interfaceName = "", hardwareAddress = "", ips } = network ?? {};
  const errors: FieldError[] = [];
  if (byteLength(interfaceName) > INTERFACE_NAME_BYTES_MAX) {
    errors.push(tooLong(at.child("interfaceName"), INTERFACE_NAME_BYTES_MAX));
  }
  if (byteLength(hardwareAddress) > HARDWARE_ADDRESS_BYTES_MAX) {
    errors.push(tooLong(at.child("hardwareAddress"), HARDWARE_ADDRESS_BYTES_MAX));
  }
  return [...errors, ...setErrors(ips, ADDRESSES_MAX, at.child("ips"), interfaceAddressErrors, (ip) => ip)];
}

function placeErrors({ driver, pool = "", device = "" }: Device, at: FieldPath): FieldError[] {
  return [
    ...driverNameErrors(driver, at.child("driver")),
    ...poolNameErrors(pool, at.child("pool")),
    ...dnsLabelErrors(device, at.child("device")),
  ];
}

function shareErrors(id: string | undefined, at: FieldPath): FieldError[] {
  if (id === undefined) return [];
  if (!UUID.test(id)) return [invalid(at, id, `error validating uid: ${uuidFault(id)}`)];
  const detail =
    "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters";
  return id === id.toLowerCase() ? [] : [invalid(at, id, detail)];
}

/** What Go's uuid package says. */
function uuidFault(id: string): string {
  return byteLength(id) === 36 ? "invalid UUID format" : `invalid UUID length: ${byteLength(id)}`;
}

function deviceKey({ driver, pool, device, shareID = "" }: Device): string {
  return JSON.stringify([driver, pool, device, shareID]);
}

/** The names in upstream's form of a device's identity show nothing of themselves. */
const DEVICE_IN_GO_FORM = { Driver: {}, Pool: {}, Device: {}, ShareID: {} };
