/* The manifest at the head of every update: the rules and the words of formats/manifest.py. */
import { FACTS } from "./facts.js";
import { FormatError, anyOf, hexNumber, sha256, unpack } from "./record.js";

const SPEC = FACTS.manifest;
const NEWER = "not supported by this version of spboot: use a newer one";

/* The number by which a manifest names a product or a board. */
export async function nameId(name) {
    return new DataView((await sha256(new TextEncoder().encode(name))).buffer).getUint32(0, true);
}

/* A version of 8.16.8 bits as 1.2.3, and back: null for numbers that only noise on the line makes. */
export const versionText = (packed) => `${packed >>> 24}.${(packed >>> 8) & 0xffff}.${packed & 0xff}`;

export function versionNumber(text) {
    const [major, minor, patch] = text.split(".").map(Number);
    if (major > 0xff || minor > 0xffff || patch > 0xff) return null;
    return major * 0x1000000 + minor * 0x100 + patch;
}

/* Bytes of the manifest whose fields these are. */
export const manifestSize = (manifest) => SPEC.size + (manifest.external ? FACTS.extension.size : 0);

function otherFormat(version) {
    if (version > FACTS.format) return "use a newer spboot";
    return "make the update again with this one, or, for devices with an older bootloader, " +
        "use the spboot that made the file";
}

function parseExtension(bytes) {
    const fields = unpack(FACTS.extension, bytes);
    if (fields.leaf_log2 !== FACTS.extension.leaf_log2 || anyOf(fields.zero)) {
        throw new FormatError(`manifest: external flash is hashed in another way, which is ${NEWER}`);
    }
    return { size: fields.external_size, hash: fields.external_hash };
}

/* Values that the format has room for and that nobody supports yet. */
function checkSupported(m, byte) {
    if (String(m.kind) in FACTS.later_kinds) {
        throw new FormatError(`manifest: kind is ${m.kind} (${FACTS.later_kinds[m.kind]}), ${NEWER}`);
    }
    const known = [SPEC.kind_image, SPEC.kind_patch, SPEC.kind_keys].includes(m.kind);
    if (!known || (m.kind === SPEC.kind_keys && (m.trial || m.external))) {
        throw new FormatError(`manifest: kind is ${byte}, expected ${SPEC.kind_image} (image), ` +
            `${SPEC.kind_patch} (patch) or ${SPEC.kind_keys} (a key)`);
    }
    const extras = [["signature_count", SPEC.signature_count], ["key_index", 0], ["trailer_size", 0]];
    for (const [name, expected] of extras) {
        if (m[name] === expected) continue;
        throw new FormatError(`manifest: ${name.replaceAll("_", " ")} is ${m[name]}, expected ${expected}: ` +
            `anything else is ${NEWER}`);
    }
}

/* What does not fit together. */
function checkValues(m) {
    if (m.version === 0) {
        throw new FormatError("manifest: version is 0, which means no version, expected 1 or more");
    }
    if (m.kind !== SPEC.kind_patch && (m.base_version !== 0 || anyOf(m.base_hash))) {
        throw new FormatError("manifest: what is no patch names a base, expected zeros there");
    }
    const table = FACTS.table_size;
    if (m.kind === SPEC.kind_keys && (m.image_size !== table || m.payload_size !== table)) {
        throw new FormatError(`manifest: a key of ${m.image_size} bytes in ${m.payload_size}, ` +
            `expected ${table} in as many`);
    }
    if (m.kind === SPEC.kind_patch && m.version <= m.base_version) {
        throw new FormatError(`manifest: version ${hexNumber(m.version)} is not above ` +
            `base version ${hexNumber(m.base_version)}`);
    }
    if (m.image_size < SPEC.image_min) {
        throw new FormatError(`manifest: image of ${m.image_size} bytes, expected at least ${SPEC.image_min}`);
    }
    const last = m.payload_size % (FACTS.chunk.data_size + FACTS.chunk.hash_size);
    if (last < 1 || last > FACTS.chunk.data_size) {
        throw new FormatError(`manifest: payload of ${m.payload_size} bytes would end in a chunk of ${last}, ` +
            `expected 1 .. ${FACTS.chunk.data_size}`);
    }
}

/* The manifest at the head of bytes; anything unknown is refused.  Throws FormatError. */
export function parseManifest(bytes) {
    const fields = unpack(SPEC, bytes);
    if (fields.magic !== SPEC.magic) {
        throw new FormatError(`manifest: magic is ${hexNumber(fields.magic, 4)}, ` +
            `expected ${hexNumber(SPEC.magic, 4)}: not an update file`);
    }
    if (fields.format !== FACTS.format) {
        throw new FormatError(`manifest: format ${fields.format}, this spboot knows format ${FACTS.format}: ` +
            otherFormat(fields.format));
    }
    const external = fields.kind & SPEC.kind_external ? parseExtension(bytes.subarray(SPEC.size)) : null;
    const manifest = {
        ...fields, kind: fields.kind & SPEC.kind_mask, trial: (fields.kind & SPEC.kind_trial) !== 0, external,
    };
    checkSupported(manifest, fields.kind);
    checkValues(manifest);
    return manifest;
}
