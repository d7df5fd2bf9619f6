/* Records of the spec: bytes to values, by the tables that the C headers and the Python codecs are made from. */

/* Bytes that are not what they should be. */
export class FormatError extends Error {}

const NUMBERS = {
    u8: (view, offset) => view.getUint8(offset),
    u16: (view, offset) => view.getUint16(offset, true),
    u32: (view, offset) => view.getUint32(offset, true),
};

/* The fields of a record at the head of bytes, by name: numbers, and bytes where the spec says so. */
export function unpack(layout, bytes) {
    if (bytes.length < layout.size) {
        throw new FormatError(`${layout.name} is ${bytes.length} bytes, expected ${layout.size}`);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, layout.size);
    const value = ([name, type, offset, size]) => [
        name, type in NUMBERS ? NUMBERS[type](view, offset) : bytes.subarray(offset, offset + size),
    ];
    return Object.fromEntries(layout.fields.map(value));
}

/* A number as 0x0012, with so many digits at least. */
export const hexNumber = (number, digits = 1) => `0x${number.toString(16).padStart(digits, "0")}`;

export const hexBytes = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export const anyOf = (bytes) => bytes.some((byte) => byte !== 0);

export const sameBytes = (one, other) => hexBytes(one) === hexBytes(other);

export async function sha256(bytes) {
    return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
