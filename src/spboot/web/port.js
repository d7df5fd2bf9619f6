/* A serial port by WebSerial, as link/port.py sees one: read, write and a clock.  One reader at a time. */
import { FACTS } from "./facts.js";

const LINE = FACTS.line;
const HELD_MOST = 1 << 20;

/* The other end of a line, or the line, did not do its part; the message says what to do. */
export class LinkError extends Error {}

/* The port itself is gone or takes no bytes, so the device cannot even be told that the transfer ends. */
export class PortGoneError extends LinkError {}

/* Somebody does not want to go on. */
export class StoppedError extends Error {}

function whyClosed(error, baud) {
    if (error.name === "NetworkError" || error.name === "InvalidStateError") {
        return "the port cannot be opened: close the terminal program or the other tab that has it open; on Linux only " +
            "group dialout may open it";
    }
    if (error.name === "TypeError" || error.name === "NotSupportedError") {
        return `the port cannot do ${baud} baud: choose a rate that it has`;
    }
    return `the port cannot be opened (${error.message}): plug it in again`;
}

export class Port {
    constructor(serial, baud) {
        this.serial = serial;
        this.baud = baud;
        this.onGone = () => {};
        this.held = [];         /* bytes that nobody has read yet */
        this.wake = () => {};
        this.gone = null;
        this.stopped = false;
        this.closing = false;
    }

    /* Throws LinkError. */
    static async open(serial, baud) {
        try {
            await serial.open({ baudRate: baud, bufferSize: 4096 });
        } catch (error) {
            throw new LinkError(whyClosed(error, baud));
        }
        const port = new Port(serial, baud);
        port.writer = serial.writable.getWriter();
        port.pumped = port.pump();
        return port;
    }

    /* Takes what comes until the port closes.  A stream that ends by noise on the line gives way to a new one; where
     * there is none, the port is gone. */
    async pump() {
        while (this.serial.readable && !this.closing) {
            this.reader = this.serial.readable.getReader();
            try {
                for (let step = await this.reader.read(); !step.done; step = await this.reader.read()) {
                    for (const byte of step.value) this.held.push(byte);
                    if (this.held.length > HELD_MOST) this.held.splice(0, this.held.length - HELD_MOST);
                    this.wake();
                }
            } catch (error) {
                if (!this.serial.readable) this.lose(error);
            } finally {
                this.reader.releaseLock();
            }
        }
        if (!this.closing) this.lose();
    }

    lose() {
        if (this.gone || this.closing) return;
        this.gone = new PortGoneError("the port went away: plug it in, then begin again from the start");
        this.wake();
        this.onGone();
    }

    now() {
        return performance.now() / 1000;
    }

    /* Seconds that so many bytes take on the line. */
    seconds(count) {
        return count * LINE.bits / this.baud;
    }

    /* Up to *size* bytes; none when none come within *seconds*.  Throws PortGoneError, StoppedError. */
    async read(size, seconds) {
        if (this.held.length === 0 && !this.gone && !this.stopped) {
            let timer = 0;
            await new Promise((resolve) => {
                this.wake = resolve;
                timer = setTimeout(resolve, Math.max(0, seconds * 1000));
            });
            clearTimeout(timer);
            this.wake = () => {};
        }
        if (this.held.length === 0 && this.gone) throw this.gone;
        if (this.stopped) throw new StoppedError();
        return new Uint8Array(this.held.splice(0, size));
    }

    /* Hands over all of *bytes*.  Throws PortGoneError, also when the port takes nothing. */
    async write(bytes) {
        if (this.gone) throw this.gone;
        const limit = this.seconds(bytes.length) + LINE.stuck_s;
        let timer = 0;
        const stuck = new Promise((_, reject) => {
            timer = setTimeout(() => reject(new PortGoneError(`the port takes no bytes for ${limit.toFixed(0)} s: ` +
                "pull the cable and plug it in again")), limit * 1000);
        });
        try {
            await Promise.race([this.writer.write(bytes), stuck]);
        } catch (error) {
            if (!(error instanceof PortGoneError)) this.lose();
            throw this.gone ?? error;
        } finally {
            clearTimeout(timer);
        }
    }

    /* Whoever reads is told that it shall end; after `go` reading goes on. */
    stop() {
        this.stopped = true;
        this.wake();
    }

    go() {
        this.stopped = false;
    }

    /* Gives the port back to the system. */
    async close() {
        this.closing = true;
        this.stop();
        await this.reader?.cancel().catch(() => {});
        await this.pumped;
        this.writer.releaseLock();
        await this.serial.close().catch(() => {});
    }
}
