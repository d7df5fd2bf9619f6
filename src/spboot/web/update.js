/* An update file taken apart, as release.py and inspection.py do it: what it is, and whether its chunks fit. */
import { FACTS } from "./facts.js";
import { manifestSize, nameId, parseManifest, versionText } from "./manifest.js";
import { FormatError, hexBytes, hexNumber, sameBytes, sha256 } from "./record.js";

const CHUNK = FACTS.chunk.data_size + FACTS.chunk.hash_size;

/* Manifest, signature and payload.  Throws FormatError, also when bytes are missing or too many. */
export function parseUpdate(bytes) {
    const manifest = parseManifest(bytes);
    const start = manifestSize(manifest) + FACTS.signature_size;
    if (bytes.length - start !== manifest.payload_size) {
        throw new FormatError(`the file has ${bytes.length} bytes, expected ${start + manifest.payload_size}: ` +
            "get the whole file again");
    }
    const signature = bytes.subarray(manifestSize(manifest), start);
    return { manifest, signature, wire: bytes.subarray(start) };
}

/* What is wrong with the chain of chunks; "" when nothing is.  The hash of chunk 0 is the signature's to check. */
export async function chainError({ wire }) {
    let expected = null;
    for (let start = 0; start < wire.length; start += CHUNK) {
        const chunk = wire.subarray(start, start + CHUNK);
        const hash = (await sha256(chunk)).subarray(0, FACTS.chunk.hash_size);
        if (expected !== null && !sameBytes(hash, expected)) {
            return `payload: chunk ${start / CHUNK} does not have the hash that was signed: ` +
                "the file was damaged or changed, get it again";
        }
        expected = chunk.subarray(FACTS.chunk.data_size);
    }
    return "";
}

/* What it is worth without keys: its verdict, and why. */
export async function worthOf(update) {
    const broken = await chainError(update);
    if (broken) return [FACTS.verdicts.damaged, broken];
    return [FACTS.verdicts.unchecked, `${FACTS.verdicts.chained}; whose it is the device tells`];
}

async function boardOf(target) {
    for (const name of Object.keys(FACTS.boards)) {
        if (await nameId(name) === target) return name;
    }
    return null;
}

const KINDS = {
    [FACTS.manifest.kind_image]: "full image",
    [FACTS.manifest.kind_patch]: "patch",
    [FACTS.manifest.kind_keys]: "key",
};

/* What an update says of itself, by the names of `spboot inspect --json`. */
export async function factsOf({ manifest: m, signature, wire }) {
    const patch = m.kind === FACTS.manifest.kind_patch;
    return {
        kind: KINDS[m.kind],
        product: hexNumber(m.product, 8),
        target: hexNumber(m.target, 8),
        target_name: await boardOf(m.target),
        trial: m.trial ? "until it confirms itself" : "no",
        signature_count: m.signature_count,
        key_index: m.key_index,
        trailer_size: m.trailer_size,
        version: versionText(m.version),
        image_size: m.image_size,
        external_size: m.external ? m.external.size : null,
        payload_size: m.payload_size,
        base_version: patch ? versionText(m.base_version) : null,
        base_hash: patch ? hexBytes(m.base_hash) : null,
        salt: hexBytes(m.salt),
        image_hash: hexBytes(m.image_hash),
        external_hash: m.external ? hexBytes(m.external.hash) : null,
        chunk_hash: hexBytes((await sha256(wire.subarray(0, CHUNK))).subarray(0, FACTS.chunk.hash_size)),
        signature: hexBytes(signature),
    };
}
