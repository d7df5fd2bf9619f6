/* What a device will say of a file, as far as its manifest tells: the rules of stick.py, which are the firmware's, in
 * their order.  What is not known of the device decides nothing. */
import { FACTS } from "./facts.js";
import { nameId } from "./manifest.js";
import { anyOf, unpack } from "./record.js";

const SPEC = FACTS.manifest;
const CHUNK = FACTS.chunk.data_size + FACTS.chunk.hash_size;

/* "code 26: already installed: ..." of the status with this name. */
export function statusWords(name) {
    const code = FACTS.status.findIndex(([known]) => known === name);
    return `code ${code}: ${FACTS.status[code][1]}`;
}

/* Each as [name, whether it is the answer]; the first one is. */
function shape(m, two) {
    const kind = (m.kind & ~SPEC.kind_trial) ^ (two ? SPEC.kind_external : 0);
    const last = m.payload_size % CHUNK;
    const extras = m.signature_count === SPEC.signature_count && m.key_index === 0 && m.trailer_size === 0;
    const based = m.base_version !== 0 || anyOf(m.base_hash);
    return [
        ["INVALID_PATCH_IMAGE", m.magic !== SPEC.magic],
        ["UNSUPPORTED", m.format !== FACTS.format || kind > SPEC.kind_keys],
        ["UNSUPPORTED", !extras],
        ["UNSUPPORTED", two && (m.leaf_log2 !== FACTS.extension.leaf_log2 || anyOf(m.zero))],
        ["INVALID_PATCH_IMAGE", last < 1 || last > FACTS.chunk.data_size],
        ["INVALID_PATCH_IMAGE", kind === SPEC.kind_image && based],
    ];
}

async function fits(m, device, board) {
    const product = device.product === null ? m.product : await nameId(device.product);
    const target = device.board === null ? m.target : await nameId(device.board);
    return [
        ["IMAGE_TOO_LARGE", board !== null && m.payload_size > 2 * board.slot],
        ["INVALID_SECTION_KEY", m.product !== product],
        ["WRONG_BOARD", m.target !== target],
        ["IMAGE_TOO_LARGE", board !== null && m.image_size > board.image_capacity],
        ["IMAGE_TOO_LARGE", board !== null && board.rest !== null && m.external_size > board.rest],
        ["IMAGE_TOO_SMALL", m.image_size < SPEC.image_min],
    ];
}

/* A device with a key that came later may have an image from before, whose version is no floor (keys.h K3). */
function follows(m, device, board) {
    const { version, whole } = device;
    const patch = (m.kind & SPEC.kind_mask) === SPEC.kind_patch;
    const floor = version !== null && !device.rekeyed;
    return [
        ["IMAGE_VERSION_FAILURE", floor && m.version < version],
        ["SAME_VERSION", floor && m.version === version && whole],
        ["SINGLE_SLOT", patch && board !== null && board.single],
        ["SECTION_NOT_AVAILABLE", patch && !whole],
        ["INVALID_SOURCE_IMAGE", patch && version !== null && m.base_version !== version],
    ];
}

/* Of an update that brings a key nothing is known but for whom it is, and whether there is room for one. */
const keyFits = (board) => [["UNSUPPORTED", board !== null && !board.keys]];

/* The name of the status that refuses the file, "" when nothing does.  *device*: what is known of it (told.js). */
export async function refusalOf(bytes, device) {
    const board = FACTS.boards[device.board] ?? null;
    let two = board !== null && board.rest !== null;
    if (board === null && bytes.length >= SPEC.size) two = (unpack(SPEC, bytes).kind & SPEC.kind_external) !== 0;
    const head = SPEC.size + (two ? FACTS.extension.size : 0);
    if (bytes.length < head + FACTS.signature_size) return "INVALID_PATCH_IMAGE";
    const m = unpack(SPEC, bytes);
    if (two) Object.assign(m, unpack(FACTS.extension, bytes.subarray(SPEC.size)));
    const brings = (m.kind & SPEC.kind_mask) === SPEC.kind_keys ? keyFits(board) : follows(m, device, board);
    const whole = head + FACTS.signature_size + m.payload_size;
    const refusals = [
        ...shape(m, two), ...await fits(m, device, board), ...brings,
        ["TOO_FEW_BYTES", bytes.length < whole],
        ["TOO_MANY_BYTES", bytes.length > whole],
    ];
    return refusals.find(([, refused]) => refused)?.[0] ?? "";
}
