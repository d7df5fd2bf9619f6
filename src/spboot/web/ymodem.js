/* Sends a file by YMODEM: link/ymodem.py once more, with its numbers.  Every wait has a limit. */
import { FACTS } from "./facts.js";
import { LinkError, StoppedError } from "./port.js";

const LINE = FACTS.line;
const { ack: ACK, nak: NAK, can: CAN, call: CALL, eot: EOT } = LINE;
const SHORT = 128;
const NAME_MOST = 255;
const NEWLINE = 0x0a;
const LINE_MOST = 4096;
const BANNER = new RegExp(FACTS.words.banner);

/* The receiver cancelled the transfer; the text with its reason can still be read from the port. */
export class RefusedError extends LinkError {}

/* The device was reset, or began to call again, before it had the whole file. */
export class RestartedError extends LinkError {}

/* The receiver does not answer, or refuses the same block again and again. */
export class NoAnswerError extends LinkError {}

export function crc16(bytes) {
    let crc = 0;
    for (const byte of bytes) {
        crc ^= byte << 8;
        for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
        crc &= 0xffff;
    }
    return crc;
}

/* One block: *data* padded to *size* (128 or 1024), its number and CRC-16 around it. */
export function packet(number, data, size) {
    const body = new Uint8Array(size).fill(number === 0 ? 0 : 0x1a);
    body.set(data);
    const crc = crc16(body);
    const head = [size === SHORT ? LINE.soh : LINE.stx, number & 0xff, ~number & 0xff];
    return new Uint8Array([...head, ...body, crc >> 8, crc & 0xff]);
}

function nobodyCalled(seconds, poke, key) {
    let advice = "begin the update at the device, or choose its bootloader";
    if (poke.length) advice = "reset the board meanwhile";
    if (key.length) advice = `look whether the application runs and knows '${new TextDecoder().decode(key)}'`;
    return new LinkError(`nobody asked for a file in ${seconds} s: ${advice}`);
}

/* Wait until a receiver calls; what it says before goes to *onText*.  Meanwhile *poke*, the loader's word, is sent twenty
 * times a second, and *key*, an application's command, once a second.  Throws LinkError when nobody calls. */
export async function waitForCall(port, timeout, { onText, poke, key }) {
    let now = port.now();
    const deadline = now + timeout;
    let pokeAt = poke.length ? now : Infinity;
    let keyAt = key.length ? now : Infinity;
    while (now < deadline) {
        if (now >= keyAt) {
            await port.write(key);
            keyAt = now + LINE.key_s;
        }
        if (now >= pokeAt) {
            await port.write(poke);
            pokeAt = now + LINE.poke_s;
        }
        const gap = Math.max(0.001, Math.min(pokeAt, keyAt, deadline) - port.now());
        const called = await listen(port, gap, onText, gap);
        if (called && (!poke.length || await listen(port, LINE.forget_s, onText, LINE.forget_s))) return;
        now = port.now();
    }
    throw nobodyCalled(timeout, poke, key);
}

/* Hand what the device says to *onText*.  True as soon as it calls for a file; false when it pauses for *quiet* seconds,
 * or after *limit*, as there are devices that never pause. */
export async function listen(port, quiet, onText, limit) {
    const end = port.now() + limit;
    let text = await port.read(256, quiet);
    while (text.length) {
        const called = text.at(-1) === CALL;
        const more = await port.read(256, called ? LINE.quiet_s : Math.max(0, Math.min(quiet, end - port.now())));
        const alone = called && !more.length;
        onText(alone ? text.subarray(0, -1) : text);
        if (alone) return true;
        const over = port.now() - end;
        if (over >= LINE.quiet_s || (over >= 0 && more.at(-1) !== CALL)) {
            onText(more);
            return false;
        }
        text = more;
    }
    return false;
}

/* Tell the receiver that the transfer ends here, also one that waits for the rest of a block first. */
export async function cancel(port) {
    const word = new Uint8Array(8).fill(CAN);
    try {
        await port.write(word);
        const deadline = port.now() + LINE.forget_s;
        while (port.now() < deadline) {
            const [byte] = await port.read(1, 0.5);
            if (byte === NAK) await port.write(word);
            if (byte !== undefined && byte !== ACK && byte !== CALL) return;
        }
    } catch (error) {
        if (!(error instanceof LinkError)) throw error;
    }
}

/* Tell a receiver that calls that there is no file: an application goes on with what else it does. */
export async function decline(port, onText) {
    const line = new Dialogue(port, onText);
    try {
        const limits = { calling: true, tries: LINE.silent_tries, answer: LINE.close_s };
        await line.exchange(packet(0, new Uint8Array(0), SHORT), limits);
    } catch (error) {
        if (!(error instanceof LinkError)) throw error;
    }
    line.flush();
}

/* Send *data* as file *name* to a receiver that has just called.  What it says between its answers goes to *onText*,
 * bytes that are done and all to *onProgress*.  A receiver that answered the whole file need not end the batch.  Unless
 * it was the receiver that ended it, it is told that the transfer ends, also when somebody stops it. */
export async function sendFile(port, name, data, { onText, onProgress }) {
    const line = new Dialogue(port, onText);
    try {
        await sendBlocks(line, name, data, onProgress);
    } catch (error) {
        if (error instanceof StoppedError) port.go();
        if (error instanceof StoppedError || error instanceof NoAnswerError) await cancel(port);
        throw error;
    } finally {
        line.flush();
    }
}

function nameBlock(name, size) {
    const encoder = new TextEncoder();
    const head = [...encoder.encode(name).subarray(0, NAME_MOST), 0, ...encoder.encode(String(size)), 0];
    return packet(0, head, head.length <= SHORT ? SHORT : LINE.block);
}

async function sendBlocks(line, name, data, onProgress) {
    await line.exchange(nameBlock(name, data.length), { calling: true });
    await line.waitForCall(LINE.answer_s);
    let sent = 0;
    try {
        for (let number = 1; sent < data.length; number++) {
            const size = data.length - sent > SHORT ? LINE.block : SHORT;
            const chunk = data.subarray(sent, sent + size);
            sent += chunk.length;
            await line.exchange(packet(number, chunk, size));
            onProgress(sent, data.length);
        }
        await line.exchange(new Uint8Array([EOT]));
        await closeBatch(line);
    } catch (error) {
        /* Some receivers restart as soon as they have the last byte, to install the file. */
        if (!(error instanceof RestartedError) || sent < data.length) throw error;
    }
}

async function closeBatch(line) {
    try {
        await line.waitForCall(LINE.close_s);
        const limits = { calling: true, tries: 1, answer: LINE.close_s };
        await line.exchange(packet(0, new Uint8Array(0), SHORT), limits);
    } catch (error) {
        if (!(error instanceof NoAnswerError)) throw error;
    }
}

/* Blocks and answers.  Text between the answers goes to *onText*, line by line. */
class Dialogue {
    constructor(port, onText) {
        this.port = port;
        this.onText = onText;
        this.held = undefined;
        this.text = [];
    }

    /* Send *data* until it is acknowledged.  *calling*: the receiver calls already, so another call only says that it has
     * not heard of *data* yet.  Throws RefusedError, RestartedError, NoAnswerError. */
    async exchange(data, { calling = false, tries = LINE.tries, answer = LINE.answer_s } = {}) {
        let silent = 0;
        for (let count = 0; count < tries && silent < LINE.silent_tries; count++) {
            await this.port.write(data);
            const byte = await this.answer(answer + this.port.seconds(data.length));
            if (byte === ACK) return;
            if (byte === CALL && !calling) {
                throw new RestartedError("the device began again in the middle of the file");
            }
            silent = byte === undefined ? silent + 1 : 0;
        }
        if (silent) {
            const seconds = (silent * answer).toFixed(0);
            throw new NoAnswerError(`the device has not answered for ${seconds} s: reset it and try again`);
        }
        throw new NoAnswerError(`the device did not take a block in ${tries} tries: check the line and its speed`);
    }

    /* Wait until the receiver calls for what comes next. */
    async waitForCall(timeout) {
        const deadline = this.port.now() + timeout;
        while (this.port.now() < deadline) {
            const byte = await this.next(0.5);
            if (byte === CALL && (!this.text.length || await this.pauses())) return;
            if (byte !== undefined && byte !== ACK && byte !== NAK) await this.put(byte);
        }
        throw new NoAnswerError("the device does not go on: reset it and try again");
    }

    /* Hand on the last line, which has no end yet. */
    flush() {
        if (this.text.length) this.onText(new Uint8Array(this.text));
        this.text = [];
    }

    /* ACK or NAK, or CALL when the receiver calls a second time; undefined when none of them comes. */
    async answer(timeout) {
        const deadline = this.port.now() + timeout;
        let called = Infinity;
        for (let now = this.port.now(); now < deadline; now = this.port.now()) {
            const byte = await this.next(Math.min(0.5, deadline - now));
            if (byte === undefined) continue;
            if (byte === ACK || byte === NAK) return byte;
            if (byte === CALL && await this.pauses()) {
                if (now - called > LINE.calls_s) return CALL;
                called = Math.min(called, now);
            } else {
                await this.put(byte);
            }
        }
        return undefined;
    }

    async next(timeout) {
        const byte = this.held ?? (await this.port.read(1, timeout))[0];
        this.held = undefined;
        return byte;
    }

    /* Whether nothing or an answer follows: then the byte before it was not a letter of some text. */
    async pauses() {
        this.held = (await this.port.read(1, LINE.quiet_s))[0];
        return this.held === undefined || [ACK, NAK, CAN].includes(this.held);
    }

    /* Take a byte that is no answer.  Two CAN end the transfer, the banner tells of a reset, all else is text. */
    async put(byte) {
        if (byte === CAN) {
            this.held = (await this.port.read(1, 1))[0];
            if (this.held === CAN) throw new RefusedError("the device refused the file");
            return;
        }
        this.text.push(byte);
        if (byte !== NEWLINE && this.text.length < LINE_MOST) return;
        const restarted = BANNER.test(String.fromCharCode(...this.text));
        this.flush();
        if (restarted) throw new RestartedError("the device was reset in the middle of the file");
    }
}
