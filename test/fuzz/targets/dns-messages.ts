import { readName, writeName } from "#cluster-dns/wire/dns-name.ts";
import { forwardedAddresses, forwardedAnswer, readForwarded } from "#cluster-dns/wire/forwarded-message.ts";
import { readQuery } from "#cluster-dns/wire/read-query.ts";
import { bytesMax, writeResponse } from "#cluster-dns/wire/write-response.ts";
import { check, type FuzzTarget } from "../target.ts";

const HEAD = "000101000001000000000000";
const QUESTION = "03777777076578616d706c6503636f6d0000010001";

/** What clients and other servers send to the DNS server: as a query, and as an answer to the question that it carries. */
export const target: FuzzTarget = {
  seeds: [
    `${HEAD}${QUESTION}`,
    `000101000001000000000001${QUESTION}0000291000000080000000`,
    `000181800001000200000000${QUESTION}c00c000500010000003c0002c010c010000100010000003c0004c0000201`,
    `000181830001000000010000${QUESTION}c0100006000100000384001203611ff0c010000000010000000100000001000000010000003c`,
    `${HEAD}03612e62025cff00001c0001`,
    `000181800001000100000000${QUESTION}c021c021`,
  ].map((hex) => Buffer.from(hex, "hex")),
  run: (bytes) => {
    const name = readName(bytes, 12);
    if (name !== undefined) {
      const written = writeName(name.text);
      check(written !== undefined && readName(written, 0)?.text === name.text, "a name does not come back");
    }
    const flags = bytes.length < 4 ? 0 : (bytes[2] ?? 0);
    const asQuery = Buffer.from(bytes);
    if (asQuery.length > 2) asQuery[2] = flags & 0x7f;
    const read = readQuery(asQuery);
    if (read.kind !== "query") return;
    const { query } = read;
    const answers = [{ name: query.question.name, ttl: 5, type: "A" as const, address: Buffer.of(10, 0, 0, 1) }];
    const parts = { rcode: 0, authoritative: true, recursionAvailable: true, answers, authorities: [], additionals: [] };
    const made = writeResponse(query, parts, bytesMax(query, false));
    const own = readForwarded(made, query, query.id);
    check(own !== undefined && own.rcode === 0, "what is written cannot be read");
    check(own.truncated || forwardedAddresses(own).length === 1, "an address is lost");
    const other = readForwarded(bytes, query, query.id);
    if (other === undefined) return;
    check(forwardedAddresses(other).length <= 65_535, "more records than there can be");
    const told = forwardedAnswer(other, query, 512, 1);
    check(told.length <= Math.max(512, 12 + query.questionBytes.length), "an answer is too long");
    check(readForwarded(told, query, query.id) !== undefined, "what is passed on cannot be read");
  },
};
