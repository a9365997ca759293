import { containerMessages } from "./container-messages.ts";
import type { enumerations } from "./enumerations.ts";
import { imageMessages } from "./image-messages.ts";
import { linuxMessages } from "./linux-messages.ts";
import { runtimeMessages } from "./runtime-messages.ts";
import { sandboxMessages } from "./sandbox-messages.ts";
import { statsMessages } from "./stats-messages.ts";

/** A field's number and type: a scalar, `map` (of texts), the name of an enumeration or message; `[]` says repeated. */
export type FieldDeclaration = readonly [number: number, type: string];

type Messages = typeof containerMessages &
  typeof imageMessages &
  typeof linuxMessages &
  typeof runtimeMessages &
  typeof sandboxMessages &
  typeof statsMessages;
type Enumerations = typeof enumerations;

/** Names of CRI's messages. */
export type MessageName = keyof Messages;

/** All declarations by the messages' names. */
export const messages: Readonly<Record<MessageName, Readonly<Record<string, FieldDeclaration>>>> = {
  ...containerMessages,
  ...imageMessages,
  ...linuxMessages,
  ...runtimeMessages,
  ...sandboxMessages,
  ...statsMessages,
};

interface Scalars {
  readonly string: string;
  readonly bool: boolean;
  readonly double: number;
  readonly int32: number;
  readonly int64: number;
  readonly uint32: number;
  readonly uint64: number;
  readonly map: Readonly<Record<string, string>>;
}

/** A number in a message of its own, so that 0 and nothing can be told apart. */
type Wrapped = "Int64Value" | "UInt64Value";

type ReadOne<T extends string> = T extends keyof Scalars
  ? Scalars[T]
  : T extends "bytes"
    ? Buffer
    : T extends Wrapped
      ? number | undefined
      : T extends keyof Enumerations
        ? Enumerations[T][number]
        : T extends MessageName
          ? MessageRead<T> | undefined
          : never;
type Read<T extends string> = T extends `${infer One}[]` ? readonly NonNullable<ReadOne<One>>[] : ReadOne<T>;

/** A message that was read: what was not sent has its zero value, messages and wrapped numbers are undefined. */
export type MessageRead<N extends MessageName> = {
  readonly [F in keyof Messages[N]]: Messages[N][F] extends FieldDeclaration ? Read<Messages[N][F][1]> : never;
};

type WriteOne<T extends string> = T extends keyof Scalars
  ? Scalars[T]
  : T extends "bytes"
    ? Uint8Array | string
    : T extends Wrapped
      ? number
      : T extends keyof Enumerations
        ? Enumerations[T][number]
        : T extends MessageName
          ? MessageWritten<T>
          : never;
type Write<T extends string> = T extends `${infer One}[]` ? readonly WriteOne<One>[] : WriteOne<T>;

/** A message to be sent: what is left out has its zero value. */
export type MessageWritten<N extends MessageName> = {
  readonly [F in keyof Messages[N]]?: (Messages[N][F] extends FieldDeclaration ? Write<Messages[N][F][1]> : never) | undefined;
};
