/** What a container or volume refers to is not there, in the words of upstream's kubelet. */
export class MissingReferenceError extends Error {
  override readonly name = "MissingReferenceError";
}
