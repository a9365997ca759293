import type { CelType } from "./types.ts";
import { CelList, CelMap, type CelValue, Duration, LibraryValue, Optional, Timestamp, TypeValue, Uint } from "./values.ts";

/** Whether a value goes where a type is declared, as far as that is seen without looking into lists and maps. */
export function runtimeAccepts(type: CelType, value: CelValue): boolean {
  switch (type.kind) {
    case "dyn":
    case "param":
    case "error":
      return true;
    case "bool":
      return typeof value === "boolean";
    case "int":
      return typeof value === "bigint";
    case "double":
      return typeof value === "number";
    case "string":
      return typeof value === "string";
    case "uint":
      return value instanceof Uint;
    case "bytes":
      return value instanceof Uint8Array;
    case "null":
      return value === null;
    case "duration":
      return value instanceof Duration;
    case "timestamp":
      return value instanceof Timestamp;
    case "list":
      return value instanceof CelList;
    case "map":
      return value instanceof CelMap;
    case "type":
      return value instanceof TypeValue;
    default:
      if (type.name === "optional_type") return value instanceof Optional;
      return value instanceof LibraryValue ? value.typeName === type.name : value instanceof CelMap && type.kind === "struct";
  }
}
