const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g;
const LINE_LENGTH = 64;

/** The certificates of a text, as DER in base64 without line breaks; what is between them does not count. */
export function certificatesOf(text: string): readonly string[] {
  return [...text.matchAll(BLOCK)].map(([, , body = ""]) => body.replace(/^.*:.*$/gm, "").replace(/\s/g, ""));
}

/** Certificates as PEM, one after the other. */
export function certificatesAsPem(certificates: readonly string[]): string {
  return certificates
    .map((text) => {
      const lines = text.match(new RegExp(`.{1,${LINE_LENGTH}}`, "g")) ?? [];
      return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
    })
    .join("");
}
